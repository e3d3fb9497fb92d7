"""Flows and mappings: immutable versions, one of them live."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from sqlalchemy import Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, documents
from service.store.tables import flows, mappings

Kind = Literal["flow", "mapping"]

_TABLES: dict[str, Table] = {"flow": flows, "mapping": mappings}


class Draft(Struct, frozen=True, kw_only=True):
    """A new version before it has its number."""

    kind: Kind
    name: str
    document: JsonObject
    author: str
    note: str = ""


async def add(connection: AsyncConnection, pair: str, draft: Draft) -> int:
    """Store a new version as a draft; returns its number."""
    kind, name = draft.kind, draft.name
    table = _TABLES[kind]
    of_name = (table.c.pair == pair) & (table.c[kind] == name)
    await _one_at_a_time(connection, kind, pair, name)
    version = 1 + (
        await connection.scalar(select(func.coalesce(func.max(table.c.version), 0)).where(of_name)) or 0
    )
    await connection.execute(
        insert(table).values(
            {
                "pair": pair,
                kind: name,
                "version": version,
                "document": {**draft.document, "version": version},
                "author": draft.author,
                "note": draft.note,
            }
        )
    )
    return version


async def _one_at_a_time(connection: AsyncConnection, kind: Kind, pair: str, name: str) -> None:
    """Two people saving or publishing at once do so one after the other."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 2))")
    await connection.execute(lock, {"key": f"{kind}/{pair}/{name}"})


async def publish(connection: AsyncConnection, kind: Kind, pair: str, name: str, version: int) -> bool:
    """Make a version the live one (also an older one, to roll back); whether there is such a version."""
    table = _TABLES[kind]
    of_name = (table.c.pair == pair) & (table.c[kind] == name)
    await _one_at_a_time(connection, kind, pair, name)
    if await connection.scalar(select(table.c.version).where(of_name, table.c.version == version)) is None:
        return False
    await connection.execute(update(table).where(of_name, table.c.live).values(live=False))
    await connection.execute(update(table).where(of_name, table.c.version == version).values(live=True))
    return True


async def live(
    connection: AsyncConnection, kind: Kind, pair: str, name: str
) -> tuple[int, JsonObject] | None:
    """The live version of a flow or mapping with its document, or `None`."""
    table = _TABLES[kind]
    row = (
        await connection.execute(
            select(table.c.version, table.c.document).where(
                table.c.pair == pair, table.c[kind] == name, table.c.live
            )
        )
    ).first()
    return None if row is None else (row[0], row[1])


async def one(
    connection: AsyncConnection, kind: Kind, pair: str, name: str, version: int
) -> JsonObject | None:
    """The document of a version, or `None`."""
    table = _TABLES[kind]
    return await connection.scalar(
        select(table.c.document).where(
            table.c.pair == pair, table.c[kind] == name, table.c.version == version
        )
    )


async def listed(
    connection: AsyncConnection, kind: Kind, pair: str, name: str | None = None
) -> list[JsonObject]:
    """Versions of a pair's flows or mappings, without their documents, newest first."""
    table = _TABLES[kind]
    statement = select(
        table.c[kind], table.c.version, table.c.live, table.c.author, table.c.note, table.c.created_at
    ).where(table.c.pair == pair)
    if name is not None:
        statement = statement.where(table.c[kind] == name)
    rows = await connection.execute(statement.order_by(table.c[kind], table.c.version.desc()))
    return documents(rows)
