"""The outbox: events as they happened, written with what made them happen, and spread to who subscribed.

Events of the road come from the audit trail: the statement that writes its lines writes their events too, where
anybody subscribed to anything of the pair. Nobody pays for events that nobody wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.events import ROAD_ACTIONS, Event
from service.store.recordset import insertion, run
from service.store.rows import JsonObject, documents
from service.store.tables_events import deliveries, events


class Kept(Struct, frozen=True, kw_only=True):
    """An event of the outbox with its place in it."""

    event_seq: int
    event: Event


class _Row(Struct, frozen=True, kw_only=True):
    pair: str
    event_id: str
    type: str
    subject: str
    data: JsonObject
    happened_at: datetime


_ADD = insertion(events, _Row.__struct_fields__, conflict="ON CONFLICT (pair, event_id) DO NOTHING")
_COLUMNS = (events.c.event_seq, *(events.c[name] for name in Event.__struct_fields__))


async def add(connection: AsyncConnection, pair: str, new: Sequence[Event]) -> None:
    """Put events into the outbox, in the caller's transaction; one that is there stays as it is."""
    rows = [
        _Row(
            pair=pair,
            event_id=each.event_id,
            type=each.type,
            subject=each.subject,
            data=dict(each.data),
            happened_at=each.happened_at,
        )
        for each in new
    ]
    if rows:
        await run(connection, _ADD, rows)


def told(lines: str) -> str:
    """The statement that writes audit lines, made to write their events too.

    Args:
        lines: an INSERT into `audit` that returns audit_id, pair, payment_id, action, detail and at.
    """
    actions = ", ".join(f"'{action}'" for action in ROAD_ACTIONS)
    # Every name is one of ours. A percent sign would be a parameter.
    return f"""
        WITH lines AS ({lines})
        INSERT INTO events (pair, event_id, type, subject, data, happened_at)
        SELECT l.pair, 'audit-' || l.audit_id,
            CASE WHEN p.kind IN ('refund', 'chargeback') THEN p.kind ELSE 'payment' END || substr(l.action, 8),
            'payment/' || p.transaction_id,
            jsonb_build_object('payment_id', p.payment_id, 'transaction_id', p.transaction_id,
                'vendor_tx_code', p.vendor_tx_code, 'kind', p.kind, 'state', p.state,
                'amount_minor', p.amount_minor, 'currency', p.currency, 'customer', p.customer,
                'order_reference', p.order_reference, 'detail', l.detail), l.at
        FROM lines l JOIN payments p ON p.payment_id = l.payment_id
        WHERE l.action IN ({actions}) AND l.pair IN (SELECT s.pair FROM subscribers s)
        ORDER BY l.audit_id"""  # noqa: S608


_ALERT = text("""
    INSERT INTO events (pair, event_id, type, subject, data, happened_at)
    SELECT a.pair, 'alert-' || a.alert_id, 'alert.raised', 'alert/' || a.code || '/' || a.subject,
        jsonb_build_object('alert_id', a.alert_id, 'code', a.code, 'subject', a.subject, 'severity', a.severity,
            'title', a.title), a.raised_at
    FROM alerts a WHERE a.alert_id = :alert_id AND a.pair IN (SELECT s.pair FROM subscribers s)
    ON CONFLICT (pair, event_id) DO NOTHING
""")


async def alert_raised(connection: AsyncConnection, alert_id: int) -> None:
    """Tell who subscribed that an alert is new."""
    await connection.execute(_ALERT, {"alert_id": alert_id})


# --- spreading ------------------------------------------------------------------------------------


async def unspread(connection: AsyncConnection, pair: str, limit: int) -> list[Kept]:
    """Events whose deliveries were not made yet, in order. One process at a time does it, or order would be lost."""
    if (
        await connection.scalar(select(exists().where(events.c.pair == pair, events.c.spread_at.is_(None))))
        is not True
    ):
        return []
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"events:{pair}", 0))))
    rows = await connection.execute(
        select(*_COLUMNS)
        .where(events.c.pair == pair, events.c.spread_at.is_(None))
        .order_by(events.c.event_seq)
        .limit(limit)
    )
    return [_kept(row) for row in documents(rows)]


def _kept(row: JsonObject) -> Kept:
    members = {name: row[name] for name in Event.__struct_fields__}
    return Kept(event_seq=int(str(row["event_seq"])), event=Event(**members))  # type: ignore[arg-type]


async def spread(connection: AsyncConnection, kept: Sequence[Kept], now: datetime) -> None:
    """Note that the deliveries of events were made."""
    await connection.execute(
        update(events).where(events.c.event_seq.in_([each.event_seq for each in kept])).values(spread_at=now)
    )


async def since(
    connection: AsyncConnection, pair: str, after: datetime, limit: int, begin: int = 0
) -> list[Kept]:
    """Events of the outbox that happened at a time or later, in order, from after an event's place."""
    rows = await connection.execute(
        select(*_COLUMNS)
        .where(events.c.pair == pair, events.c.happened_at >= after, events.c.event_seq > begin)
        .order_by(events.c.event_seq)
        .limit(limit)
    )
    return [_kept(row) for row in documents(rows)]


async def listed(
    connection: AsyncConnection, pair: str, type_: str, before: int, limit: int
) -> list[JsonObject]:
    """Events of a pair, newest first; of one type, or of all."""
    statement = select(*_COLUMNS).where(events.c.pair == pair)
    if type_:
        statement = statement.where(events.c.type == type_)
    if before:
        statement = statement.where(events.c.event_seq < before)
    return documents(await connection.execute(statement.order_by(events.c.event_seq.desc()).limit(limit)))


async def prune(connection: AsyncConnection, pair: str, before: datetime, limit: int = 5000) -> int:
    """Drop old events with their deliveries, unless one is still to be delivered; how many."""
    waiting = select(deliveries.c.event_seq).where(
        deliveries.c.pair == pair,
        deliveries.c.event_seq == events.c.event_seq,
        deliveries.c.state == "pending",
    )
    old = list(
        await connection.scalars(
            select(events.c.event_seq)
            .where(
                events.c.pair == pair,
                events.c.happened_at < before,
                events.c.spread_at.is_not(None),
                ~waiting.exists(),
            )
            .order_by(events.c.happened_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    if old:
        await connection.execute(delete(deliveries).where(deliveries.c.event_seq.in_(old)))
        await connection.execute(delete(events).where(events.c.event_seq.in_(old)))
    return len(old)
