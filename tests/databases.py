"""Databases for tests: one server for the whole run, and a fresh migrated database in some 50 ms.

The server is a private one in the temporary folder, shared by all test processes and kept between runs
(stopped when the last one ends); or, with `OPAYO_SYSPRO_TEST_DATABASE_URL`, any PostgreSQL ≥ 15 whose
user may create databases. A template is migrated once for each state of the migrations.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from service.store import migrations
from service.store.database import check_version, libpq_url, with_name
from service.store.private_server import PrivateServer
from service.store.server_account import installations

SETTING = "OPAYO_SYSPRO_TEST_DATABASE_URL"
PREFIX = "opayo_test"
_LOCK = 20_771_201


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """The maintenance URL of the server for tests, held for the time of the block."""
    named = os.environ.get(SETTING)
    if named:
        url = libpq_url(named)
        check_version(url)
        yield url
        return
    with PrivateServer(_folder(), durable=False).running() as url:
        _drop_remains(url)
        yield url


def create_database(server_url: str, name: str | None = None) -> str:
    """Makes a migrated database from the template.

    Args:
        server_url: what `running_server` yields.
        name: its name; a new one when absent.

    Returns:
        Its URL, as `DATABASE_URL` takes it.
    """
    template = build_template(server_url)
    name = name or f"{PREFIX}_{os.getpid()}_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        _copy(connection, template, name)
    return with_name(server_url, name)


def create_empty_database(server_url: str) -> str:
    """Makes a database with nothing in it, and returns its URL."""
    name = f"{PREFIX}_{os.getpid()}_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        _copy(connection, "template0", name)
    return with_name(server_url, name)


def drop_database(url: str) -> None:
    """Drops a database, whoever is still connected to it."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(with_name(url, "postgres"), autocommit=True) as connection:
        _drop(connection, str(name))


def build_template(server_url: str) -> str:
    """The name of the migrated template; made by the first who asks, whole or not at all."""
    name = f"{PREFIX}_template_{_schema_mark()}"
    if name in _built:
        return name
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if name not in _names(connection):
            draft = f"{PREFIX}_draft"
            _drop(connection, draft)
            _copy(connection, "template0", draft)
            migrations.migrate(with_name(server_url, draft))
            before, after = sql.Identifier(draft), sql.Identifier(name)
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(before, after))
            _drop_older_templates(connection, name)
        connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    _built.add(name)
    return name


_built: set[str] = set()


def _schema_mark() -> str:
    """Changes whenever the migrations do."""
    folder = Path(migrations.__file__).parent
    digest = hashlib.sha256(version("procrastinate").encode())
    for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _folder() -> Path:
    """The data folder of the server for tests: ours, or the run ends."""
    major = max(installations())
    checkout = hashlib.sha256(os.fsencode(Path(__file__).parent)).hexdigest()[:8]
    folder = Path(tempfile.gettempdir()) / f"opayo-syspro-tests-{os.geteuid()}-{major}-{checkout}"
    if not folder.is_dir():
        folder.mkdir(mode=0o711, exist_ok=True)
    if folder.stat().st_uid != os.geteuid() or folder.is_symlink():
        raise RuntimeError(f"{folder} belongs to another; remove it or set {SETTING}")
    return folder


def _drop_remains(url: str) -> None:
    """Drops what killed runs left behind."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in _names(connection):
            owner = name.removeprefix(f"{PREFIX}_").split("_")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                _drop(connection, name)


def _drop_older_templates(connection: psycopg.Connection, newest: str) -> None:
    """Drops the templates of earlier states of the migrations, on our own server only."""
    for name in _names(connection):
        if name.startswith(f"{PREFIX}_template_") and name != newest and not os.environ.get(SETTING):
            _drop(connection, name)


def _names(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
    return [str(row[0]) for row in rows]


def _copy(connection: psycopg.Connection, template: str, name: str) -> None:
    made, source = sql.Identifier(name), sql.Identifier(template)
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, source))


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The maintenance URL of the server for tests."""
    with running_server() as url:
        yield url


@pytest.fixture
def database_url(database_server: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    url = create_database(database_server)
    yield url
    drop_database(url)


@pytest.fixture
def empty_database_url(database_server: str) -> Iterator[str]:
    """A database of this test's own with nothing in it."""
    url = create_empty_database(database_server)
    yield url
    drop_database(url)
