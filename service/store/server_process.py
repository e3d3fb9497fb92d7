"""What runs in a PostgreSQL data folder: the postmaster named by its pid file, and its workers.

A pid alone proves nothing: it may be a zombie, or another program by now. A process counts as ours if
it is called `postgres`, is not a zombie, and works in the data folder; where the system hides a
process's folder, its command line must carry the cluster's tag.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.store.server_account import tag

_PROC = Path("/proc")
_ENCRYPTION_REQUEST = bytes.fromhex("00000008 04d2162f")  # the cheapest question that has an answer


@dataclass(frozen=True)
class Postmaster:
    """What `postmaster.pid` says: process, socket, and whether connections are accepted."""

    pid: int
    port: int
    socket_folder: Path | None
    ready: bool

    @classmethod
    def read(cls, cluster: Path) -> Postmaster | None:
        """The postmaster that the data folder names, running or not."""
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            folder = lines[4].strip() if len(lines) > 4 else ""
            port = int(lines[3]) if len(lines) > 3 else 5432
            ready = len(lines) > 7 and lines[7].strip() == "ready"
            return cls(abs(int(lines[0])), port, Path(folder) if folder else None, ready)
        except (FileNotFoundError, NotADirectoryError, PermissionError, IndexError, ValueError):
            return None

    def answers(self) -> bool:
        """Whether the server replies at its socket; a dying one may still let us connect."""
        if not self.ready or self.socket_folder is None:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self.socket_folder / f".s.PGSQL.{self.port}"))
                probe.sendall(_ENCRYPTION_REQUEST)
                return probe.recv(1) != b""
            except OSError:
                return False


def programs_remain(cluster: Path) -> bool:
    """Whether the programs that the running server was started from are still there."""
    try:
        command = (cluster / "postmaster.opts").read_text()
    except OSError:
        return True
    program = command.split(' "')[0].strip()
    return Path(program).exists()


def running(cluster: Path) -> Postmaster | None:
    """The postmaster that really runs on `cluster`."""
    postmaster = Postmaster.read(cluster)
    if postmaster is None or not works_in(postmaster.pid, cluster):
        return None
    return postmaster


def works_in(pid: int, cluster: Path) -> bool:
    """Whether `pid` is a living PostgreSQL process of this data folder."""
    if not _PROC.is_dir() or not (_PROC / "self").exists():
        return _listed(pid)
    try:
        state = (_PROC / str(pid) / "stat").read_text(errors="replace")
        name, rest = state[state.index("(") + 1 : state.rindex(")")], state[state.rindex(")") + 2 :]
        if not name.startswith("postgres"):
            return False
        if rest.startswith(("Z", "X")):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # ours to reap where we are the first process of a container
            return False
        return _folder_is(pid, cluster)
    except (FileNotFoundError, ProcessLookupError):
        return False


def _folder_is(pid: int, cluster: Path) -> bool:
    try:
        return (_PROC / str(pid) / "cwd").samefile(cluster)
    except PermissionError:
        return tag(cluster).encode() in (_PROC / str(pid) / "cmdline").read_bytes()


def _listed(pid: int) -> bool:
    """The answer of `ps`, where there is no /proc."""
    line = subprocess.run(  # noqa: S603 - a number is its only variable argument
        ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return "postgres" in line and not line.lstrip().startswith("Z")


def workers(cluster: Path) -> Iterator[int]:
    """Every living PostgreSQL process of this data folder."""
    if not _PROC.is_dir():
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and works_in(int(entry.name), cluster):
            yield int(entry.name)


def halt(cluster: Path, *, patience: float = 60) -> bool:
    """Stops the server: connections end, data are written; harder after `patience` seconds.

    Returns:
        Whether a server was running.
    """
    postmaster = running(cluster)
    if postmaster is None:
        return False
    for sign, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster.pid, sign)
        if wait_until(lambda: not works_in(postmaster.pid, cluster), seconds):
            break
    if postmaster.socket_folder is not None and postmaster.socket_folder.name.endswith(tag(cluster)):
        with contextlib.suppress(OSError):
            postmaster.socket_folder.rmdir()
    return True


def clear_remains(cluster: Path, socket_dir: Path) -> None:
    """Removes what a dead postmaster left, once none of its workers is alive.

    The caller holds the lock of start and stop, and has seen that no postmaster runs.
    """
    for sign, seconds in ((None, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        for pid in workers(cluster) if sign else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign or 0)
        if wait_until(lambda: not any(workers(cluster)), seconds):
            break
    else:
        raise TimeoutError(f"processes of a dead server still work in {cluster}")
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (socket_dir / name).unlink(missing_ok=True)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Polls `condition` for at most `seconds`; whether it came true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
