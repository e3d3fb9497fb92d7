"""The private PostgreSQL survives everything that was seen to break one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from integration.errors import Misconfigured
from service.store import private_server, server_account
from service.store.private_server import PrivateServer
from service.store.server_account import installations
from service.store.server_process import wait_until
from tests.store.server_cases import alive, ask, fresh_folder, postmaster, said, starter, stranger, wheel_copy

PID, MANY = "SELECT pg_backend_pid()", "SELECT count(*) FROM kept"


@pytest.fixture
def folder() -> Iterator[Path]:
    with fresh_folder() as made:
        yield made


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A data folder whose cluster exists, for tests that need no fresh one."""
    with fresh_folder() as made:
        with PrivateServer(made, durable=False).running() as url, psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
        yield made


@pytest.fixture
def server(shared: Path) -> Iterator[PrivateServer]:
    used = PrivateServer(shared, durable=False)
    yield used
    used.stop()


def test_the_last_user_out_stops_it(server: PrivateServer) -> None:
    other = PrivateServer(server.data_dir)
    assert server.start() == other.start()
    pid = postmaster(server)
    server.release()
    assert alive(pid)
    other.release()
    assert not alive(pid)


def test_a_release_without_a_start_changes_nothing(server: PrivateServer) -> None:
    other = PrivateServer(server.data_dir)
    with other.running():
        server.release()
        assert alive(postmaster(other))


def test_only_its_owner_can_reach_it(server: PrivateServer) -> None:
    with server.running() as url:
        folder = Path(ask(url, "SHOW unix_socket_directories"))
        assert ask(url, "SHOW listen_addresses") == ""
        assert folder.stat().st_mode & 0o777 == 0o700
        assert server.cluster.stat().st_mode & 0o777 == 0o700
        assert len(str(folder)) < 60


def test_it_is_durable_unless_told_otherwise(server: PrivateServer) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    with PrivateServer(server.data_dir).running() as url:
        assert [ask(url, f"SHOW {name}") for name in names] == ["on"] * 3
    with server.running() as url:
        assert [ask(url, f"SHOW {name}") for name in names] == ["off"] * 3


def test_it_speaks_utf8_and_utc_and_keeps_enough_connections(server: PrivateServer) -> None:
    with server.running() as url:
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"
        assert ask(url, "SHOW timezone") == "UTC"
        assert int(ask(url, "SHOW max_connections")) >= 200


def test_a_killed_starter_leaves_a_server_that_the_next_user_joins_and_stops(server: PrivateServer) -> None:
    with starter(server.data_dir) as process:
        said(process)
        pid = postmaster(server)
        process.kill()
    with server.running() as url:
        assert postmaster(server) == pid
        assert ask(url, MANY) == "100"
    assert not alive(pid)


def test_a_killed_postmaster_is_replaced_at_once_and_nothing_committed_is_lost(server: PrivateServer) -> None:
    url = server.start()
    busy = psycopg.connect(url)
    busy.execute("SELECT * FROM kept")
    pid = postmaster(server)
    os.kill(pid, signal.SIGKILL)
    again = server.start()
    assert postmaster(server) != pid
    assert ask(again, MANY) == "100"
    with pytest.raises(psycopg.OperationalError):
        busy.execute(MANY)
    busy.close()


def test_processes_at_once_on_a_fresh_folder_share_one_server(folder: Path) -> None:
    data = folder / "a b" / 'it\'s "$HOME" `x` %'
    data /= "x" * (184 - len(str(data)))  # 185 characters, and every one that a shell would take amiss
    (data / "postgresql.new-0badcafe").mkdir(parents=True)  # left by a first start that was killed
    (data / "postgresql.new-0badcafe/PG_VERSION").write_text("1")
    processes = [starter(data) for _ in range(3)]
    urls = {said(process) for process in processes}
    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT 1") == "1"
    pid = postmaster(PrivateServer(data))
    for process in processes:
        process.communicate("leave\n")
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert not alive(pid)
    assert not list(data.glob("*.new*"))


def test_a_link_to_the_data_folder_is_the_same_folder(server: PrivateServer, folder: Path) -> None:
    (folder / "link").symlink_to(server.data_dir)
    other = PrivateServer(folder / "link")
    assert server.start() == other.start()
    other.release()


def leave_pid_file(server: PrivateServer, pid: int) -> None:
    """The pid file of a server that died without a word, its pid since taken by `pid`."""
    file = server.cluster / "postmaster.pid"
    file.write_text(f"{pid}\n{server.cluster}\n1700000000\n5432\n/tmp\n\n  1 1\nready   \n")
    if os.geteuid() == 0:
        shutil.chown(file, server.cluster.stat().st_uid, server.cluster.stat().st_gid)


def test_a_pid_that_another_program_has_taken_is_left_alone(server: PrivateServer) -> None:
    with stranger(Path("/bin/sleep")) as other:
        leave_pid_file(server, other.pid)
        with server.running() as url:
            assert ask(url, MANY) == "100"
        assert other.poll() is None


def test_a_pid_that_another_postgresql_has_taken_is_left_alone(server: PrivateServer, folder: Path) -> None:
    shutil.copy2("/bin/sleep", folder / "postgres")  # all that can be seen of one is name and folder
    with stranger(folder / "postgres", cwd=folder) as other:
        comm = Path(f"/proc/{other.pid}/comm")
        assert wait_until(lambda: comm.read_text() == "postgres\n", 10)
        leave_pid_file(server, other.pid)
        assert server.stop() is False
        with server.running() as url:
            assert ask(url, MANY) == "100"
        assert other.poll() is None


def test_a_zombie_is_not_a_server(server: PrivateServer) -> None:
    program = installations()[max(installations())] / "bin/postgres"
    parent = (
        "import subprocess, sys, time; print(subprocess.Popen([sys.argv[1], '-V'], stdout=2).pid, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"{parent}; time.sleep(60)", program], stdout=subprocess.PIPE, text=True
    ) as process:
        leave_pid_file(server, int(said(process)))
        with server.running() as url:
            assert ask(url, MANY) == "100"
        process.kill()


def test_a_zombie_of_our_own_is_reaped_and_other_children_are_not(server: PrivateServer) -> None:
    program = installations()[max(installations())] / "bin/postgres"
    ours = subprocess.Popen([program, "-V"], stdout=subprocess.PIPE, text=True)
    other = subprocess.Popen(["sh", "-c", "exit 7"])
    os.waitid(os.P_PID, ours.pid, os.WEXITED | os.WNOWAIT)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    leave_pid_file(server, ours.pid)
    with server.running() as url:
        assert ask(url, MANY) == "100"
    assert not Path(f"/proc/{ours.pid}").exists()
    assert other.wait() == 7
    ours.communicate()


def test_stop_ends_it_whoever_uses_it_and_a_user_may_start_it_again(server: PrivateServer) -> None:
    server.start()
    pid = postmaster(server)
    assert PrivateServer(server.data_dir).stop() is True
    assert not alive(pid)
    assert PrivateServer(server.data_dir).stop() is False
    assert ask(server.start(), MANY) == "100"


def test_stop_on_a_folder_that_does_not_exist_makes_none(folder: Path) -> None:
    assert PrivateServer(folder / "none").stop() is False
    assert not (folder / "none").exists()


def test_a_socket_folder_swept_away_under_a_running_server_is_made_again(server: PrivateServer) -> None:
    url = server.start()
    shutil.rmtree(ask(url, "SHOW unix_socket_directories"))
    assert ask(server.start(), MANY) == "100"


def test_a_socket_folder_that_others_may_enter_is_refused(server: PrivateServer) -> None:
    with server.running() as url:
        sockets = Path(ask(url, "SHOW unix_socket_directories"))
    sockets.mkdir()
    sockets.chmod(0o755)
    with pytest.raises(Misconfigured, match="private folder"):
        server.start()
    sockets.rmdir()
    with server.running() as url:
        assert ask(url, MANY) == "100"


def test_data_of_another_version_are_left_alone_and_the_upgrade_explained(server: PrivateServer) -> None:
    version = server.cluster / "PG_VERSION"
    before = version.read_text()
    version.write_text("13\n")
    try:
        with pytest.raises(Misconfigured) as raised:
            server.start()
    finally:
        version.write_text(before)
    assert "made by PostgreSQL 13" in str(raised.value)
    assert "pg_dumpall" in str(raised.value)
    assert "DATABASE_URL" in str(raised.value)


def copied_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's programs in a folder that the test may spoil."""
    major, installation = max(installations().items())
    copied = wheel_copy(installation, folder / "wheel")
    monkeypatch.setattr(server_account, "installations", lambda: {major: copied})
    return copied


def test_a_wheel_replaced_under_a_running_server_breaks_nothing(
    server: PrivateServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = copied_wheel(folder, monkeypatch)
    with server.running() as url:
        library = wheel / "lib/postgresql/plpgsql.so"
        library.unlink()
        library.write_text("of another build")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DO $$ BEGIN PERFORM 1; END $$")


def test_a_server_whose_wheel_is_gone_is_started_again_from_the_new_one(
    server: PrivateServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = copied_wheel(folder, monkeypatch)
    server.start()
    pid = postmaster(server)
    shutil.rmtree(wheel)
    monkeypatch.undo()
    assert ask(server.start(), MANY) == "100"
    assert postmaster(server) != pid


def test_a_folder_with_something_else_in_it_is_left_alone(folder: Path) -> None:
    (folder / "postgresql").mkdir()
    (folder / "postgresql/mine").write_text("mine")
    with pytest.raises(Misconfigured, match="not empty"):
        PrivateServer(folder).start()
    assert (folder / "postgresql/mine").read_text() == "mine"


def test_a_server_that_will_not_start_is_one_clear_sentence(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_server, "_SETTINGS", "shared_buffers = nonsense\n")
    with pytest.raises(Misconfigured) as raised:
        server.start()
    assert "shared_buffers" in str(raised.value)
    assert "DATABASE_URL" in str(raised.value)
