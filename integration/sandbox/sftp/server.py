"""The server: asyncssh on a port of this machine, one folder per vendor, in a temporary place."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import asyncssh
import msgspec
from asyncssh.misc import MaybeAwait

Fault = Literal["refuse-login", "drop-mid-transfer", "slow", "no-answer"]
_BEFORE_DROP = 64
INCOMING = "outgoing"
"""The folder, below a vendor's own, in which the acquirer leaves files."""


class SftpSandboxConfig(msgspec.Struct, frozen=True):
    """How the server is set up.

    Attributes:
        vendors: the passwords of the users; each vendor is one.
        slow_seconds: how long the fault ``slow`` keeps back every piece of a file.
        piece: bytes of a file that are sent at a time.
    """

    vendors: dict[str, str] = msgspec.field(default_factory=lambda: {"sandbox": "sandbox-sftp"})
    slow_seconds: float = 2.0
    piece: int = 32_768


class SftpSandbox:
    """An SFTP server with a folder for each vendor.

    Attributes:
        root: below it lie the folders, each with a folder ``outgoing``; made when it is served.
        faults: how many times each fault will still happen.
        logins: users that were let in, in order.
        authorised: public keys that open a vendor's folder, beside its password.
    """

    def __init__(self, config: SftpSandboxConfig | None = None) -> None:
        self.config = config or SftpSandboxConfig()
        self.root = Path()
        self.faults: dict[Fault, int] = {}
        self.logins: list[str] = []
        self.authorised: dict[str, list[asyncssh.SSHKey]] = {}
        self.port = 0
        self._growing: dict[Path, list[bytes]] = {}
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def host_key(self) -> str:
        """The server's public key as it is pinned: ``ssh-ed25519 AAAA…``."""
        return self._key.export_public_key().decode().strip()

    @property
    def fingerprint(self) -> str:
        """The same as ``SHA256:…``."""
        return self._key.get_fingerprint("sha256")

    def change_host_key(self) -> None:
        """Show another host key from now on, as a server that somebody put in between would."""
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        if self._acceptor is not None:
            self._acceptor.update(server_host_keys=[self._key])

    def order(self, fault: Fault, times: int = 1) -> None:
        """Let a fault happen the next so many times."""
        self.faults[fault] = times

    def draws(self, fault: Fault) -> bool:
        """Whether a fault happens now."""
        left = self.faults.get(fault, 0)
        self.faults[fault] = max(left - 1, 0)
        return left > 0

    def folder(self, vendor: str) -> Path:
        """Where files for a vendor lie."""
        return self.root / vendor / INCOMING

    def leave(self, vendor: str, name: str, content: bytes) -> Path:
        """Leave a file, whole from the first moment on."""
        path = self.folder(vendor) / name
        unfinished = path.with_name(f"{name}.part")
        unfinished.write_bytes(content)
        return unfinished.rename(path)

    def leave_growing(self, vendor: str, name: str, pieces: list[bytes]) -> Path:
        """Leave the first piece of a file; one more is written at each listing, until there is none left."""
        path = self.leave(vendor, name, pieces[0])
        self._growing[path] = list(pieces[1:])
        return path

    def grow(self) -> None:
        """Write the next piece of every file that grows."""
        for path, pieces in self._growing.items():
            if pieces and path.exists():
                with path.open("ab") as stream:
                    stream.write(pieces.pop(0))

    def names(self, vendor: str, folder: str = "") -> list[str]:
        """The names of the files in a vendor's folder, or in one below it."""
        place = self.folder(vendor) / folder
        return sorted(path.name for path in place.iterdir() if path.is_file()) if place.is_dir() else []

    @contextlib.asynccontextmanager
    async def served(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[SftpSandbox]:
        """Serve until the block ends; the folders go with it.

        Raises:
            OSError: when the port is taken.
        """
        with tempfile.TemporaryDirectory(prefix="opayo-syspro-sftp-") as root:
            self.root = Path(root)
            for vendor in self.config.vendors:
                self.folder(vendor).mkdir(parents=True)
            self._acceptor = await asyncssh.listen(
                host,
                port,
                server_factory=lambda: _Door(self),
                server_host_keys=[self._key],
                sftp_factory=lambda channel: _Folder(channel, self),
                config=None,
                # Cheap key exchange: nothing here is secret, and tests connect often.
                kex_algs=["curve25519-sha256"],
            )
            self.port = self._acceptor.get_port()
            try:
                yield self
            finally:
                self._acceptor.close()
                self._acceptor = None


class _Door(asyncssh.SSHServer):
    """Who is let in."""

    def __init__(self, sandbox: SftpSandbox) -> None:
        self._sandbox = sandbox

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if self._sandbox.draws("no-answer"):
            await asyncio.sleep(60)
        if self._sandbox.draws("refuse-login"):
            return False
        genuine = bool(password) and self._sandbox.config.vendors.get(username) == password
        return self._note(username, genuine)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._note(username, key in self._sandbox.authorised.get(username, []))

    def _note(self, username: str, genuine: bool) -> bool:
        if genuine:
            self._sandbox.logins.append(username)
        return genuine


class _Folder(asyncssh.SFTPServer):
    """A vendor's folder, and nothing above it."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], sandbox: SftpSandbox) -> None:
        self._sandbox = sandbox
        vendor = str(channel.get_extra_info("username"))
        super().__init__(channel, chroot=str(sandbox.root / vendor).encode())

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._sandbox.grow()
        async for entry in super().scandir(path):
            yield entry

    async def _read(self, file_obj: object, offset: int, size: int) -> bytes:
        sandbox = self._sandbox
        if sandbox.faults.get("slow"):
            sandbox.draws("slow")
            await asyncio.sleep(sandbox.config.slow_seconds)
        read = super().read(file_obj, offset, min(size, sandbox.config.piece))
        assert isinstance(read, bytes)
        if read and sandbox.draws("drop-mid-transfer"):
            self.channel.get_connection().abort()
            return read[:_BEFORE_DROP]
        return read

    def read(self, file_obj: object, offset: int, size: int) -> MaybeAwait[bytes]:
        return self._read(file_obj, offset, size)
