"""Brings a database to the schema that this release expects.

A revision is a numbered file of SQL in `versions`, with a few lines of Python that make it Alembic's. All
that are due run in one transaction, under an advisory lock, so any number of processes may start at once.
Procrastinate's own tables are put there too. There is no way down: a backup is. Alembic is imported only where
there is something to do: most starts find the newest revision in place.

    python -m service.store.migrations draft "what it does"     drafts the next revision
    python -m service.store.migrations redraft                  the newest again, while it is unreleased
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg
from sqlalchemy import Connection, NullPool, create_engine, text

from service.store.database import encode_json, libpq_url, sqlalchemy_url

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.migration import MigrationContext

_FOLDER = Path(__file__).parent
_LOCK = 0x0F_A7_05_75  # any number, as long as no other advisory lock of ours has it
_OTHERS = "procrastinate"


def migrate(url: str) -> None:
    """Applies every revision that is due, and Procrastinate's schema if it is absent.

    Args:
        url: any form of a PostgreSQL URL.
    """
    if _is_current(url):
        return
    from alembic import command

    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool, json_serializer=encode_json)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _add_procrastinate(connection)
        command.upgrade(configuration(connection), "head")
    engine.dispose()


def _is_current(url: str) -> bool:
    """Whether the newest revision is in place, and with it all that came before it."""
    # There is none while the first one is drafted.
    names = [path.name for path in (_FOLDER / "versions").glob("[0-9]*.py")]
    newest = max(names, default="").partition("_")[0]
    with psycopg.connect(libpq_url(url)) as connection:
        row = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if row != (True,):
            return False
        return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, for one open connection."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str | None:
    """The newest revision of this release."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(configuration()).get_current_head()


def current(connection: Connection) -> str | None:
    """The revision that the database has; none before the first."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def pending_changes(connection: Connection) -> list[str]:
    """What `tables.metadata` says and the database does not, or the other way round; empty if they agree."""
    from alembic.autogenerate import compare_metadata

    from service.store.schema import metadata

    return [str(change) for change in compare_metadata(comparison(connection), metadata)]


def comparison(connection: Connection) -> MigrationContext:
    """What Alembic needs to compare our tables with the database's."""
    from alembic.migration import MigrationContext

    options = {"compare_type": True, "compare_server_default": True, "include_name": is_ours}
    return MigrationContext.configure(connection, opts=options)


def is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Whether a table of the database is described by our metadata."""
    del parents
    return kind != "table" or not (name or "").startswith(_OTHERS)


def run_script(connection: Connection, script: str) -> None:
    """Runs SQL of many statements, through the driver itself: its `%` and `:` are no parameters."""
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    driver.execute(script)


def apply(revision_file: str) -> None:
    """The upgrade of a revision: runs the SQL file beside it.

    Args:
        revision_file: the revision's own `__file__`.
    """
    from alembic import op

    run_script(op.get_bind(), Path(revision_file).with_suffix(".sql").read_text())


def _add_procrastinate(connection: Connection) -> None:
    """Applies the schema of the pinned Procrastinate; an upgrade of it brings a revision of its own."""
    if connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
        from procrastinate.schema import SchemaManager

        run_script(connection, SchemaManager.get_schema())
