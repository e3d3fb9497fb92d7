"""PostgreSQL does not run as root: who runs it then, where, and what is never changed."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.errors import Misconfigured
from service.store import server_account
from service.store.database import create_if_missing
from service.store.private_server import PrivateServer
from service.store.server_account import account_of, installations, socket_folder
from service.store.vault import open_vault
from tests.store.server_cases import as_account, ask, fresh_folder, modes, postmaster, wheel_copy

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with fresh_folder() as made:
        monkeypatch.setattr(server_account, "NEUTRAL_FOLDERS", (made / "neutral",))
        yield made


def runs_as(server: PrivateServer) -> str:
    return pwd.getpwuid(Path(f"/proc/{postmaster(server)}").stat().st_uid).pw_name


def closed(folder: Path) -> Path:
    (folder / "closed").mkdir(mode=0o700, exist_ok=True)
    return folder / "closed" / "data"


def test_as_root_it_runs_as_an_unprivileged_account_and_no_parent_is_opened(folder: Path) -> None:
    before = modes(folder / "data")
    server = PrivateServer(folder / "data", durable=False)
    with server.running() as url:
        assert runs_as(server) != "root"
        assert ask(url, "SELECT 1") == "1"
    assert modes(folder / "data") == before
    assert not (folder / "neutral").exists()


def test_as_root_it_runs_as_the_owner_of_the_folder_who_can_use_it_afterwards(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    shutil.chown(home, "nobody")
    server = PrivateServer(home, durable=False)
    with server.running():
        assert runs_as(server) == "nobody"
    open_vault([], home)

    def work() -> None:
        open_vault([], home)
        with PrivateServer(home).running() as url:
            assert ask(url, "SELECT 1") == "1"

    as_account("nobody", work)


def test_data_and_programs_behind_a_closed_parent_go_to_a_neutral_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = closed(folder)
    major, installation = max(installations().items())
    hidden = wheel_copy(installation, folder / "closed/wheel")
    monkeypatch.setattr(server_account, "installations", lambda: {major: hidden})
    before = modes(data) | modes(hidden)
    with PrivateServer(data, durable=False).running() as url:
        create_if_missing(url, "kept")
    with PrivateServer(data, durable=False).running() as url:
        assert ask(url, "SELECT count(*) FROM pg_database WHERE datname = 'kept'") == "1"
    assert modes(data) | modes(hidden) == before
    made = sorted(entry.name.split("-")[0] for entry in (folder / "neutral").iterdir())
    assert made == ["data", "programs"]
    assert not (data / "postgresql").exists()


def test_without_any_account_one_sentence_names_the_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", nobody)
    with pytest.raises(Misconfigured, match="does not run as root") as raised:
        PrivateServer(folder / "data").start()
    assert "DATABASE_URL" in str(raised.value)


def test_without_a_neutral_folder_a_closed_parent_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_account, "NEUTRAL_FOLDERS", ())
    with pytest.raises(Misconfigured) as raised:
        PrivateServer(closed(folder)).start()
    assert "DATABASE_URL" in str(raised.value)


def test_a_normal_user_runs_it_as_itself_and_no_other_can(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    shutil.chown(home, "nobody")

    def work() -> None:
        server = PrivateServer(home / "data", durable=False)
        with server.running() as url:
            assert runs_as(server) == "nobody"
            assert ask(url, "SELECT 1") == "1"
        assert (home / "data").stat().st_mode & 0o777 == 0o700

    def intrude() -> None:
        with pytest.raises(Misconfigured, match="belongs to `nobody`, and `daemon` cannot use it"):
            server_account.place(home / "data", home / "data/postgresql")

    as_account("nobody", work)
    with PrivateServer(home / "data").running() as url:  # root may use it in between
        assert ask(url, "SELECT 1") == "1"
    as_account("nobody", work)
    (home / "data").chmod(0o755)
    as_account("daemon", intrude)


def test_a_user_without_an_entry_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(Misconfigured, match="54321"):
        server_account.place(folder, folder / "postgresql")


def test_a_socket_folder_of_another_account_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    nobody = account_of(pwd.getpwnam("nobody").pw_uid)
    assert nobody is not None
    taken = socket_folder(nobody, folder / "cluster")
    assert taken.parent == folder
    shutil.chown(taken, "root")
    with pytest.raises(Misconfigured, match="remove it"):
        socket_folder(nobody, folder / "cluster")
    taken.rmdir()
    taken.symlink_to(folder)
    with pytest.raises(Misconfigured, match="remove it"):
        socket_folder(nobody, folder / "cluster")
