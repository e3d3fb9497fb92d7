"""What the tests of the private server share: folders, starters in other processes, other accounts."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from service.store.private_server import PrivateServer
from service.store.server_process import Postmaster, halt

ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from pathlib import Path
from service.store.private_server import PrivateServer
server = PrivateServer(Path(sys.argv[1]), durable=False)
print(server.start(), flush=True)
sys.stdin.readline()
server.release()
"""


@contextlib.contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder that every account may pass; whatever still runs inside is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="opayo-case-")).resolve()
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        for pid_file in folder.rglob("postmaster.pid"):
            halt(pid_file.parent, patience=5)
        for socket in Path(tempfile.gettempdir()).glob("opayo-*/.s.PGSQL.5432.lock"):
            if str(folder) in socket.read_text():
                shutil.rmtree(socket.parent)
        shutil.rmtree(folder)


def starter(data_dir: Path) -> subprocess.Popen[str]:
    """Another process that starts or joins the server, says its URL, and leaves on a line of input."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@contextlib.contextmanager
def stranger(program: Path, *, cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program that has nothing to do with us and sleeps."""
    with subprocess.Popen([program, "60"], cwd=cwd) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """The URL that a starter says, once it has one."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def postmaster(server: PrivateServer) -> int:
    """The pid of the server."""
    found = Postmaster.read(server.cluster)
    assert found is not None
    return found.pid


def ask(url: str, question: str) -> str:
    """The only value that a query answers."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text[text.rindex(")") + 2] != "Z"


def as_account(name: str, work: Callable[[], None]) -> None:
    """Runs `work` in a forked process as another account; its failure is ours."""
    entry = pwd.getpwnam(name)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the forked copy of the test run must end here
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0


def wheel_copy(installation: Path, target: Path) -> Path:
    """The wheel's package and libraries in a folder that a test may close or spoil."""
    for source in (installation, *installation.parents[1].glob(f"{installation.parent.name}.libs")):
        place = target / source.relative_to(installation.parents[1])
        ignored = shutil.ignore_patterns("include")
        shutil.copytree(source, place, symlinks=True, ignore=ignored, copy_function=link_or_copy)
    return target / installation.relative_to(installation.parents[1])


def link_or_copy(source: str, target: str) -> None:
    """A hard link costs nothing; another file system gets a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def modes(folder: Path) -> dict[Path, int]:
    """The permissions and owners of all parents of a folder."""
    return {parent: (parent.stat().st_mode << 32) + parent.stat().st_uid for parent in folder.parents}
