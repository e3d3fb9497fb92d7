"""The audit trail: each decision leaves a line. Lines are only ever added."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import events
from service.store.recordset import insertion, run
from service.store.rows import JsonObject, documents
from service.store.tables import audit


class Line(Struct, frozen=True, kw_only=True):
    """One line: who or what did what to which payment, and what was known.

    Attributes:
        actor: `road`, or the name of the API key that a person or system used.
        action: past tense, dotted (`payment.validated`).
    """

    pair: str
    action: str
    payment_id: int | None = None
    actor: str = "road"
    detail: JsonObject = msgspec.field(default_factory=dict)


_WRITE = events.told(
    insertion(audit, Line.__struct_fields__, "audit_id, pair, payment_id, action, detail, at")
)


async def write(connection: AsyncConnection, lines: Sequence[Line]) -> None:
    """Add lines, in the caller's transaction: a decision and its line are kept or lost together.

    So are the events that tell them to who subscribed (`service.store.events`).
    """
    if lines:
        await run(connection, _WRITE, lines)


async def timeline(connection: AsyncConnection, pair: str, payment_id: int) -> list[JsonObject]:
    """Everything that happened to a payment, oldest first."""
    rows = await connection.execute(
        select(audit.c.audit_id, audit.c.at, audit.c.actor, audit.c.action, audit.c.detail)
        .where(audit.c.pair == pair, audit.c.payment_id == payment_id)
        .order_by(audit.c.audit_id)
    )
    return documents(rows)


async def after(connection: AsyncConnection, pair: str, audit_id: int, limit: int) -> list[JsonObject]:
    """Lines of a pair after a given one, oldest first: the source of live events."""
    rows = await connection.execute(
        select(
            audit.c.audit_id, audit.c.at, audit.c.actor, audit.c.action, audit.c.payment_id, audit.c.detail
        )
        .where(audit.c.pair == pair, audit.c.audit_id > audit_id)
        .order_by(audit.c.audit_id)
        .limit(limit)
    )
    return documents(rows)


async def newest(connection: AsyncConnection, pair: str) -> int:
    """The id of a pair's newest line; 0 when there is none."""
    found = await connection.scalar(select(func.max(audit.c.audit_id)).where(audit.c.pair == pair))
    return int(found or 0)


async def counts(connection: AsyncConnection, pair: str, action: str) -> int:
    """How often something happened in a pair."""
    found = await connection.scalar(
        select(func.count()).where(audit.c.pair == pair, audit.c.action == action)
    )
    return int(found or 0)
