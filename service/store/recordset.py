"""Many rows in one statement: they go over as one JSON array, and PostgreSQL makes a table of it.

A statement per row costs both sides a multiple, most of it for binding; this is the road's hot path. The text of a
statement depends on its columns alone, so that it is prepared once per connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.database import encode_json

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def quoted(names: Iterable[str], prefix: str = "") -> str:
    """Column names as SQL: `p."state", p."order"`."""
    return ", ".join(f'{prefix}"{name}"' for name in names)


def given(table: Table, names: Sequence[str]) -> str:
    """The rows of a call as a table `d` with some columns of a table; a `null` member is SQL's NULL."""
    columns = ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in names)
    return f"json_to_recordset(CAST(%s AS json)) AS d({columns})"


@cache
def insertion(table: Table, names: tuple[str, ...], returning: str = "", conflict: str = "") -> str:
    """An INSERT of the rows of a call, in their order."""
    target, values = quoted(names), quoted(names, "d.")
    # Every name is a column of our own tables.
    statement = f"INSERT INTO {table.name} ({target}) SELECT {values} FROM {given(table, names)}"  # noqa: S608
    return f"{statement} {conflict}" + (f" RETURNING {returning}" if returning else "")


@cache
def change(table: Table, keys: tuple[str, ...], names: tuple[str, ...], always: str = "") -> str:
    """An UPDATE of the rows of a table `t` whose keys are those of a row of the call."""
    sets = ", ".join(f'"{name}" = d."{name}"' for name in names)
    found = " AND ".join(f't."{name}" = d."{name}"' for name in keys)
    rows = given(table, (*keys, *names))
    return f"UPDATE {table.name} AS t SET {sets}{always} FROM {rows} WHERE {found}"  # noqa: S608


async def run(
    connection: AsyncConnection, statement: str, rows: Sequence[Mapping[str, object] | Struct]
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement that reads `given` over some rows."""
    return await connection.exec_driver_sql(statement, (encode_json(rows),))
