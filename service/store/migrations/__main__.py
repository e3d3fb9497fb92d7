"""Drafts a revision: the SQL that leads from the revisions so far to `service.store.tables`."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation, OpContainer
from sqlalchemy import NullPool, create_engine

from service.store.database import resolve_url, sqlalchemy_url
from service.store.migrations import comparison, head, migrate
from service.store.schema import metadata

VERSIONS = Path(__file__).parent / "versions"
_REVISION = '''"""{message}."""

from __future__ import annotations

from service.store.migrations import apply

revision = "{number}"
down_revision = {previous}


def upgrade() -> None:
    apply(__file__)
'''


def draft(message: str) -> Path:
    """Writes `versions/NNNN_message.sql` and its `.py`, to be read and corrected before a commit."""
    previous = head()
    number = f"{int(previous or 0) + 1:04}"
    name = f"{number}_{re.sub(r'[^a-z0-9]+', '_', message.lower()).strip('_')}"
    script = _difference()
    file = VERSIONS / f"{name}.sql"
    file.write_text(script)
    quoted = f'"{previous}"' if previous else None
    file.with_suffix(".py").write_text(
        _REVISION.format(message=message[:1].upper() + message[1:], number=number, previous=quoted)
    )
    return file


def redraft() -> Path:
    """Drafts the newest revision again; only while no released version has it."""
    newest = max(VERSIONS.glob("[0-9]*.py"))
    message = newest.stem.split("_", 1)[1].replace("_", " ")
    newest.with_suffix(".sql").unlink()
    newest.unlink()
    return draft(message)


def _difference() -> str:
    """The SQL from the newest revision to the tables, found on a database that lives as long as it takes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # the account that runs the server for root passes through
        database = resolve_url(None, Path(folder) / "data", durable=False)
        try:
            migrate(database.url)
            engine = create_engine(sqlalchemy_url(database.url), poolclass=NullPool)
            with engine.connect() as connection:
                steps = produce_migrations(comparison(connection), metadata).upgrade_ops
            return _as_sql(steps)
        finally:
            database.release()


def _as_sql(steps: MigrateOperation | None) -> str:
    buffer = io.StringIO()
    options = {"as_sql": True, "output_buffer": buffer}
    operations = Operations(MigrationContext.configure(dialect_name="postgresql", opts=options))
    _invoke(operations, steps)
    lines = buffer.getvalue().replace("\t", "    ").replace("%%", "%").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


def _invoke(operations: Operations, step: MigrateOperation | None) -> None:
    if isinstance(step, OpContainer):
        for part in step.ops:
            _invoke(operations, part)
    elif step is not None:
        operations.invoke(step)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["draft", message]:
            print(draft(message))  # noqa: T201 - the answer of a command
        case ["redraft"]:
            print(redraft())  # noqa: T201
        case _:
            sys.exit(__doc__)
