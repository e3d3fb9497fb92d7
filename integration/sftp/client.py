"""Files of a folder on somebody's SFTP server: listed, fetched whole, and archived by one rename."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import stat
from collections.abc import Callable, Coroutine
from typing import TypeVar, cast

import asyncssh

from integration.errors import IntegrationError, Misconfigured, Rejected, Unreachable
from integration.ports_files import DroppedFile
from integration.sftp.config import SftpConfig
from integration.sftp.host_key import Pinned, fingerprints

T = TypeVar("T")
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload")
_CHUNK = 1 << 18
_MOST_FILES = 1000


def is_complete(name: str) -> bool:
    """Whether the name is one of a finished file: senders hide or mark what they are still writing."""
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def is_safe(name: str) -> bool:
    """Whether the name names a file in its folder and nothing else."""
    return name not in ("", ".", "..") and not any(sign in "/\\" or ord(sign) < 32 for sign in name)


class SftpDrop:
    """A folder on an SFTP server; connected when first used, for one job at a time."""

    def __init__(self, config: SftpConfig) -> None:
        self._config = config
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    async def files(self) -> tuple[DroppedFile, ...]:
        """The files that lie in the folder and are said to be complete, by name.

        Raises:
            Misconfigured: host key, login or folder are not right.
            Unreachable: no answer.
        """
        sftp = await self._connected()
        return await self._call(lambda: self._list(sftp))

    async def fetch(self, file: DroppedFile, most: int) -> bytes:
        """The whole file.

        Raises:
            Rejected: it is larger than `most` bytes.
            Unreachable: less or more of it came than was listed, or the connection broke.
            Misconfigured: as for `files`, or it may not be read.
        """
        if file.size > most:
            raise Rejected(
                f"File `{file.name}` has {file.size} bytes; at most {most} are taken",
                code="file.too-large",
                hint="Ask the sender to split it.",
            )
        sftp = await self._connected()
        content = await self._call(lambda: self._fetch(sftp, file, most))
        if len(content) != file.size:
            raise Unreachable(
                f"File `{file.name}` changed while it was fetched",
                code="sftp.changed",
                hint="Nothing to do: it is fetched when it has come to rest.",
            )
        return content

    async def archive(self, name: str, archived_as: str) -> None:
        """Move a file to the archive in one step; a file that is gone was moved before.

        Raises:
            Misconfigured: the archive cannot be written to.
            Unreachable: no answer; whether it was moved is seen at the next listing.
        """
        sftp = await self._connected()
        await self._call(lambda: self._move(sftp, name, archived_as))

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            connection.abort()
            await connection.wait_closed()

    async def _list(self, sftp: asyncssh.SFTPClient) -> tuple[DroppedFile, ...]:
        found = []
        async for entry in sftp.scandir(self._config.folder):
            attributes, name = entry.attrs, str(entry.filename)
            regular = attributes.permissions is None or stat.S_ISREG(attributes.permissions)
            if regular and is_safe(name) and is_complete(name):
                size, modified = attributes.size or 0, int(attributes.mtime or 0)
                found.append(DroppedFile(name=name, size=size, modified=modified))
            if len(found) >= _MOST_FILES:
                break
        return tuple(sorted(found, key=lambda file: file.name))

    async def _fetch(self, sftp: asyncssh.SFTPClient, file: DroppedFile, most: int) -> bytes:
        content = bytearray()
        try:
            stream = await sftp.open(self._path(file.name), "rb", encoding=None)
        except asyncssh.SFTPNoSuchFile:
            return b""  # somebody took it since it was listed
        async with stream:
            while len(content) <= most and (chunk := cast("bytes", await stream.read(_CHUNK))):
                content += chunk
        return bytes(content)

    async def _move(self, sftp: asyncssh.SFTPClient, name: str, archived_as: str) -> None:
        target = posixpath.join(self._archive, archived_as)
        if not await sftp.exists(self._path(name)):
            return
        await sftp.makedirs(self._archive, exist_ok=True)
        with contextlib.suppress(asyncssh.SFTPNoSuchFile):  # another process was faster
            try:
                await sftp.posix_rename(self._path(name), target)
            except asyncssh.SFTPOpUnsupported:
                await sftp.rename(self._path(name), target)

    @property
    def _archive(self) -> str:
        archive = self._config.archive
        return archive if "/" in archive else posixpath.join(self._config.folder, archive)

    def _path(self, name: str) -> str:
        return posixpath.join(self._config.folder, name)

    async def _connected(self) -> asyncssh.SFTPClient:
        if self._sftp is None:
            self._sftp = await self._connect()
        return self._sftp

    async def _connect(self) -> asyncssh.SFTPClient:
        config = self._config
        guard = Pinned(fingerprints(config.host_key))
        try:
            async with asyncio.timeout(config.connect_seconds):
                self._connection = await asyncssh.connect(
                    config.host,
                    config.port,
                    client_factory=lambda: guard,
                    username=config.user,
                    password=config.password or None,
                    client_keys=self._keys(),
                    # Neither keys, agents nor settings of whoever runs the process: only what the pair says.
                    known_hosts=lambda *_: ([], [], []),
                    config=None,
                    agent_path=None,
                    gss_host=None,
                    keepalive_interval=15,
                )
                return await self._connection.start_sftp_client()
        except asyncssh.HostKeyNotVerifiable:
            raise _wrong_host_key(config, guard.seen) from None
        except asyncssh.PermissionDenied:
            raise Misconfigured(
                f"The file server {config.host} refuses the login of `{config.user}`",
                code="sftp.login",
                hint="Correct user, password or key of the pair's `files`.",
            ) from None
        except (OSError, asyncssh.Error, TimeoutError) as error:
            raise _unreachable(config, error) from error

    def _keys(self) -> list[asyncssh.SSHKey] | None:
        if not self._config.private_key:
            return None
        try:
            key = asyncssh.import_private_key(self._config.private_key, self._config.passphrase or None)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            raise Misconfigured(
                "The private key for the file server cannot be read",
                code="sftp.private-key",
                hint="Give it without a passphrase (it is kept sealed), or in PKCS#8 form with one.",
            ) from None
        return [key]

    async def _call(self, call: Callable[[], Coroutine[object, object, T]]) -> T:
        config = self._config
        try:
            async with asyncio.timeout(config.read_seconds):
                return await call()
        except IntegrationError:
            raise
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory) as error:
            raise _folder(config, "is not there") from error
        except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect) as error:
            raise _folder(config, "may not be used") from error
        except (OSError, asyncssh.Error, TimeoutError) as error:
            await self.close()
            raise _unreachable(config, error) from error


def _wrong_host_key(config: SftpConfig, seen: str) -> Misconfigured:
    return Misconfigured(
        f"The file server {config.host} shows another host key than the pinned one; nothing was sent to it",
        code="sftp.host-key",
        hint="Ask its operator whether the key was changed. If so, pin the new one; if not, somebody stands between.",
        evidence={"seen": seen},
    )


def _folder(config: SftpConfig, what: str) -> Misconfigured:
    return Misconfigured(
        f"A folder or file below `{config.folder}` on {config.host} {what}",
        code="sftp.folder",
        hint="Correct `folder` and `archive` of the pair's `files`, or the rights of its user.",
    )


def _unreachable(config: SftpConfig, error: BaseException) -> Unreachable:
    return Unreachable(
        f"The file server {config.host} does not answer: {type(error).__name__}",
        code="sftp.unreachable",
        hint="Nothing to do: the folder is looked at again. If it lasts, look at the network.",
    )
