"""The database: which one, how it is reached, and what every connection agrees on.

One dialect, PostgreSQL 15 or newer: the one that `DATABASE_URL` names, or the private server. Every
connection speaks UTC, and JSON columns carry what msgspec encodes, so wire structs go in as they are.

SQLAlchemy and the driver are imported where they are first needed: the private server is already starting by then.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from integration.errors import Misconfigured
from service.store.private_server import PrivateServer

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

DATABASE_NAME = "opayo_syspro"
MINIMUM_VERSION = 15
# A process that freezes in the middle of a transaction must not keep a lane's row from its successor.
IDLE_MS = 10_000
_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg"}


class Database:
    """The database in use; for the private server, also this process's hold on it.

    Attributes:
        url: `postgresql://…`, as libpq and Procrastinate take it.
        private: whether it is the service's own server.
    """

    def __init__(self, url: str, server: PrivateServer | None = None) -> None:
        self.url = url
        self._server = server

    def __repr__(self) -> str:
        return f"Database({self.shown!r})"

    @property
    def private(self) -> bool:
        """Whether it is the service's own server."""
        return self._server is not None

    @property
    def shown(self) -> str:
        """The URL without its password."""
        from sqlalchemy import make_url

        return make_url(self.url).render_as_string(hide_password=True)

    def release(self) -> None:
        """Ends this process's use; the last user out stops the private server."""
        if self._server is not None:
            self._server.release()


def resolve_url(settings_url: str | None, data_dir: Path, *, durable: bool = True) -> Database:
    """The database that the settings name, else the private server's, started if need be.

    Args:
        settings_url: the value of `DATABASE_URL`; absent or empty means the private server.
        data_dir: the service's data folder.
        durable: see `PrivateServer`.

    Raises:
        Misconfigured: the URL is not PostgreSQL's, the server is too old or closed to us, or the
            private server cannot run here.
    """
    if settings_url and settings_url.strip():
        database = Database(libpq_url(settings_url))
        check_version(database.url)
        return database
    server = PrivateServer(data_dir, durable=durable)
    maintenance = server.start()
    try:
        create_if_missing(maintenance, DATABASE_NAME)
    except BaseException:
        server.release()
        raise
    return Database(with_name(maintenance, DATABASE_NAME), server)


@contextmanager
def database(
    settings_url: str | None, data_dir: Path, *, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[Database]:
    """`resolve_url` for the time of a `with` block.

    Args:
        settings_url: the value of `DATABASE_URL`.
        data_dir: the service's data folder.
        meanwhile: called while the server starts, which is mostly waiting: to load the rest of the program.
    """
    with ThreadPoolExecutor(1, "database") as aside:
        starting = aside.submit(resolve_url, settings_url, data_dir)
        try:
            meanwhile()
            held = starting.result()
        except BaseException:
            starting.result().release()
            raise
    try:
        yield held
    finally:
        held.release()


def libpq_url(url: str) -> str:
    """The URL as libpq takes it.

    Raises:
        Misconfigured: it is no PostgreSQL URL; its text is not repeated, since it may hold a password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url.strip())
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in _SCHEMES or not parsed.database:
        raise Misconfigured(
            "`DATABASE_URL` is not the address of a PostgreSQL database",
            code="database.url",
            hint="Write it as postgresql://user:password@host:5432/name, or leave it out to use the private one.",
        )
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def sqlalchemy_url(url: str) -> URL:
    """The URL as SQLAlchemy takes it, with the driver named."""
    from sqlalchemy import make_url

    return make_url(libpq_url(url)).set(drivername="postgresql+psycopg")


def with_name(url: str, name: str) -> str:
    """The same server, another database."""
    from sqlalchemy import make_url

    return make_url(url).set(database=name).render_as_string(hide_password=False)


def create_engine(
    url: str, *, application_name: str = "opayo-syspro", pool_size: int = 10, max_overflow: int = 10
) -> AsyncEngine:
    """An engine whose connections speak UTC and encode JSON with msgspec.

    Args:
        url: any form of a PostgreSQL URL.
        application_name: how `pg_stat_activity` names these connections.
        pool_size: connections kept open.
        max_overflow: connections beyond them under load.
    """
    from sqlalchemy.ext.asyncio import create_async_engine

    parsed = sqlalchemy_url(url)
    named = parsed.query.get("options", "")
    options = named if isinstance(named, str) else " ".join(named)
    return create_async_engine(
        parsed.difference_update_query(["options"]),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=False,  # a lost connection is an error that the road retries; a ping costs every checkout
        pool_recycle=1800,
        pool_timeout=30,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 10,
            "options": f"-c idle_in_transaction_session_timeout={IDLE_MS} {options} -c TimeZone=UTC",
        },
        json_serializer=encode_json,
        json_deserializer=msgspec.json.decode,
    )


def encode_json(value: object) -> str:
    """JSON text of built-in values, structs, decimals and aware times.

    PostgreSQL stores no NUL character in a document; one that a shop or a person sent is left out, since a row that
    cannot be written would hold up every other.
    """
    text = _ENCODER.encode(value).decode()
    return _NUL.sub(r"\1", text) if "\\u0000" in text else text


# An escaped backslash before `u0000` is somebody's text, not a NUL.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


_ENCODER = msgspec.json.Encoder(decimal_format="string")


def check_version(url: str) -> int:
    """The server's major version.

    Raises:
        Misconfigured: it is too old, does not answer, or does not let us in.
    """
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            major = connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise Misconfigured(
            f"The database of `DATABASE_URL` does not let us in: {_said(error)}",
            code="database.unreachable",
            hint="Check host, port, name, user and password, and that the server runs; nothing was changed.",
        ) from None
    if major < MINIMUM_VERSION:
        raise Misconfigured(
            f"The database of `DATABASE_URL` is PostgreSQL {major}; version {MINIMUM_VERSION} or newer is needed",
            code="database.version",
            hint="Upgrade that server, or leave `DATABASE_URL` out to use the private one.",
        )
    return major


def _said(error: Exception) -> str:
    """The driver's first line, without anything that looks like a password."""
    text = str(error).strip().splitlines()
    return re.sub(r"password=\S+|://[^@\s]*@", "…", text[0]) if text else type(error).__name__


def create_if_missing(url: str, name: str) -> None:
    """Makes a database on the server of `url`; two processes may do so at once."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if found is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another process was faster


async def ping(engine: AsyncEngine) -> bool:
    """Whether the database answers now."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except (SQLAlchemyError, OSError):
        return False
    return True


async def wait(engine: AsyncEngine, seconds: float = 30) -> bool:
    """Waits until the database answers, for at most `seconds`; whether it did."""
    end = time.monotonic() + seconds
    while not await ping(engine):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.1)
    return True
