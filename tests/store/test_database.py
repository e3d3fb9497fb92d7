"""Any PostgreSQL from 15 on, reached in one way, with the schema of this release."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, insert, select, text

from integration.errors import Misconfigured
from service.store import database, migrations
from service.store.database import resolve_url, sqlalchemy_url
from service.store.schema import metadata
from service.store.tables import pairs
from tests.databases import (
    create_database,
    database_server,
    database_url,
    drop_database,
    empty_database_url,
)
from tests.store.server_cases import ask, fresh_folder

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["database_server", "database_url", "empty_database_url"]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = database.create_engine(database_url, application_name="test")
    yield made
    await made.dispose()


class Order(msgspec.Struct, frozen=True):
    """Something with everything that JSON lacks."""

    total: Decimal
    placed_at: datetime


# --- which database --------------------------------------------------------------------------------


def test_a_database_url_is_used_as_it_is(database_url: str, tmp_path: Path) -> None:
    found = resolve_url(database_url, tmp_path / "data")
    assert ask(found.url, "SELECT current_database()") == ask(database_url, "SELECT current_database()")
    assert not found.private
    assert not (tmp_path / "data").exists()


def test_without_one_the_private_server_has_a_database_of_ours() -> None:
    with fresh_folder() as folder:
        first = resolve_url(None, folder / "data", durable=False)
        assert first.private
        assert ask(first.url, "SELECT current_database()") == "opayo_syspro"
        second = resolve_url("  ", folder / "data", durable=False)
        first.release()
        assert ask(second.url, "SELECT 1") == "1"
        second.release()
        assert not (folder / "data/postgresql/postmaster.pid").exists()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_the_scheme_is_understood(scheme: str) -> None:
    assert (
        database.libpq_url(f"{scheme}://u:p@h:5433/n?sslmode=require")
        == "postgresql://u:p@h:5433/n?sslmode=require"
    )
    assert sqlalchemy_url(f"{scheme}://u@h/n").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url", ["mysql://u:hidden@h/n", "sqlite:///hidden", "hidden", "postgresql://u:hidden@h"]
)
def test_what_is_no_postgresql_is_refused_without_being_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as raised:
        resolve_url(url, tmp_path)
    assert raised.value.error_code == "database.url"
    assert "hidden" not in str(raised.value)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as raised:
        resolve_url("postgresql://u:hidden@127.0.0.1:1/n", tmp_path)
    assert raised.value.error_code == "database.unreachable"
    assert "127.0.0.1" in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_a_server_that_is_too_old_is_told_so(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    major = database.check_version(database_url)
    assert major >= 15
    monkeypatch.setattr(database, "MINIMUM_VERSION", major + 1)
    with pytest.raises(Misconfigured, match=f"is PostgreSQL {major}; version {major + 1} or newer"):
        database.check_version(database_url)


def test_no_repr_shows_the_password(database_url: str) -> None:
    held = database.Database("postgresql://u:hidden@h/n")
    assert "hidden" not in repr(held) + str(held) + held.shown


def test_a_database_made_by_two_processes_at_once_is_made_once(database_server: str) -> None:
    name = "opayo_test_race"
    barrier = threading.Barrier(4)

    def make() -> None:
        barrier.wait()
        database.create_if_missing(database_server, name)

    in_parallel(make, 4)
    drop_database(database.with_name(database_server, name))


# --- connections -----------------------------------------------------------------------------------


async def test_connections_speak_utc_and_say_who_they_are(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SHOW TimeZone")).scalar() == "UTC"
        assert (await connection.exec_driver_sql("SHOW application_name")).scalar() == "test"
        moment = (await connection.exec_driver_sql("SELECT now()")).scalar()
    assert isinstance(moment, datetime)
    assert moment.utcoffset() == UTC.utcoffset(None)


async def test_structs_decimals_and_times_go_into_json_as_they_are(engine: AsyncEngine) -> None:
    order = Order(total=Decimal("129.90"), placed_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    async with engine.begin() as connection:
        await connection.execute(insert(pairs).values(pair="north", name="North", settings={"order": order}))
        stored = (await connection.execute(select(pairs.c.settings))).scalar_one()
    assert stored == {"order": {"total": "129.90", "placed_at": "2026-01-02T03:04:05Z"}}
    assert msgspec.convert(stored["order"], Order, strict=False) == order


async def test_a_database_that_answers_is_not_waited_for(engine: AsyncEngine) -> None:
    assert await database.ping(engine)
    assert await database.wait(engine, seconds=0)


async def test_a_database_that_is_gone_is_reported_and_not_raised() -> None:
    gone = database.create_engine("postgresql://u@127.0.0.1:1/n")
    assert not await database.ping(gone)
    assert not await database.wait(gone, seconds=0)
    await gone.dispose()


async def test_more_tasks_than_connections_share_the_pool(database_url: str) -> None:
    engine = database.create_engine(database_url, pool_size=2, max_overflow=0)

    async def one() -> object:
        async with engine.connect() as connection:
            return (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar()

    assert len(set(await asyncio.gather(*(one() for _ in range(8))))) <= 2
    await engine.dispose()


# --- schema ----------------------------------------------------------------------------------------


def catalogue(url: str) -> set[tuple[str, ...]]:
    """Columns, constraints and indexes as PostgreSQL itself writes them, Procrastinate's aside."""
    questions = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    )
    with psycopg.connect(url) as connection:
        rows = [row for question in questions for row in connection.execute(question.encode()).fetchall()]
    ours = {tuple(map(str, row)) for row in rows}
    return {row for row in ours if not row[0].startswith(("procrastinate", "alembic"))}


def test_the_migrations_make_exactly_the_tables_of_the_code(
    database_url: str, empty_database_url: str
) -> None:
    engine = create_engine(sqlalchemy_url(empty_database_url), poolclass=NullPool)
    metadata.create_all(engine)
    assert catalogue(database_url) == catalogue(empty_database_url)
    with create_engine(sqlalchemy_url(database_url), poolclass=NullPool).connect() as connection:
        assert migrations.pending_changes(connection) == []
        assert migrations.current(connection) == migrations.head()


def test_a_difference_between_code_and_database_is_seen(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE pairs DROP COLUMN name"))
        assert any("name" in change for change in migrations.pending_changes(connection))


def test_procrastinate_finds_its_own_schema(database_url: str) -> None:
    assert ask(database_url, "SELECT count(*) FROM procrastinate_jobs") == "0"
    assert ask(database_url, "SELECT to_regproc('procrastinate_fetch_job_v2') IS NOT NULL") == "True"


def test_processes_that_migrate_at_once_do_it_once(empty_database_url: str) -> None:
    in_parallel(lambda: migrations.migrate(empty_database_url), 3)
    assert ask(empty_database_url, "SELECT count(*) FROM alembic_version") == "1"
    assert ask(empty_database_url, "SELECT version_num FROM alembic_version") == migrations.head()


def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE audit (mine int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrations.migrate(empty_database_url)
    assert ask(empty_database_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "1"


def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = catalogue(database_url)
    migrations.migrate(database_url)
    assert catalogue(database_url) == before


def test_two_tests_never_share_a_database(database_server: str, database_url: str) -> None:
    other = create_database(database_server)
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO pairs (pair, name) VALUES ('north', 'North')")
    assert ask(other, "SELECT count(*) FROM pairs") == "0"
    drop_database(other)


def in_parallel(work, times: int) -> None:  # type: ignore[no-untyped-def]
    """Runs `work` in threads at once; the first failure is raised."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\0b", "ab"),
        ("\0", ""),
        ("back\\u0000slash", "back\\u0000slash"),
        ("\\\0", "\\"),
        ("plain", "plain"),
    ],
)
def test_a_nul_character_is_left_out_of_a_document_and_nothing_else_is(value: str, stored: str) -> None:
    assert msgspec.json.decode(database.encode_json({"text": value})) == {"text": stored}
