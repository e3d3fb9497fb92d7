"""Deliveries: exactly one row for each event and subscriber, claimed by one worker at a time.

Events of one subject go out in their order: none is due before the one before it was delivered, or given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.events import Event
from service.store.database import encode_json
from service.store.recordset import insertion, run
from service.store.rows import JsonObject, documents
from service.store.tables_events import deliveries, events

_KEPT_TRIES = 20


class New(Struct, frozen=True, kw_only=True):
    """A delivery to be made."""

    pair: str
    subscriber: str
    event_seq: int
    subject: str
    due_at: datetime


class Claimed(Struct, frozen=True, kw_only=True):
    """A delivery that one worker makes now; `attempts` counts this one, and fences a worker off that slept."""

    delivery_id: int
    attempts: int
    failing_since: datetime | None
    event: Event


class Tried(Struct, frozen=True, kw_only=True):
    """What an attempt came to.

    Attributes:
        error: why it was none, as a sentence; empty when it was delivered.
        due_at: when it is tried again; `None` when it is not.
    """

    claimed: Claimed
    at: datetime
    status: int
    error: str
    milliseconds: int
    due_at: datetime | None

    @property
    def state(self) -> str:
        """What the delivery is afterwards."""
        if not self.error:
            return "delivered"
        return "dead" if self.due_at is None else "pending"


_ADD = insertion(
    deliveries, New.__struct_fields__, conflict="ON CONFLICT (pair, subscriber, event_seq) DO NOTHING"
)
_AGAIN = insertion(
    deliveries,
    New.__struct_fields__,
    conflict="ON CONFLICT (pair, subscriber, event_seq) DO UPDATE SET state = 'pending',"
    " due_at = excluded.due_at, failing_since = NULL, done_at = NULL",
)


async def add(connection: AsyncConnection, new: Sequence[New], *, again: bool = False) -> None:
    """Make deliveries; those that are there stay as they are or, with `again`, are sent once more."""
    if new:
        await run(connection, _AGAIN if again else _ADD, new)


_CLAIM = text("""
    UPDATE deliveries d SET due_at = :leased_until, attempts = d.attempts + 1
    FROM events e
    WHERE e.event_seq = d.event_seq AND d.delivery_id IN (
        SELECT w.delivery_id FROM deliveries w
        WHERE w.pair = :pair AND w.subscriber = :subscriber AND w.state = 'pending' AND w.due_at <= :now
          AND NOT EXISTS (
            SELECT 1 FROM deliveries b WHERE b.pair = w.pair AND b.subscriber = w.subscriber
              AND b.subject = w.subject AND b.event_seq < w.event_seq AND b.state = 'pending')
        ORDER BY w.event_seq LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING d.delivery_id, d.attempts, d.failing_since,
        e.event_id, e.type, e.subject, e.data, e.happened_at
""")


class Claim(Struct, frozen=True, kw_only=True):
    """Whose deliveries are claimed, and until when nobody else may have them."""

    pair: str
    subscriber: str
    now: datetime
    leased_until: datetime
    most: int


async def claim(connection: AsyncConnection, wanted: Claim) -> list[Claimed]:
    """Take deliveries that are due, at most one of each subject; other workers skip them."""
    rows = await connection.execute(_CLAIM, msgspec.structs.asdict(wanted))
    return [
        Claimed(
            delivery_id=row.delivery_id,
            attempts=row.attempts,
            failing_since=row.failing_since,
            event=Event(
                event_id=row.event_id,
                type=row.type,
                subject=row.subject,
                data=row.data,
                happened_at=row.happened_at,
            ),
        )
        for row in rows
    ]


_FINISH = text("""
    UPDATE deliveries SET state = :state, due_at = coalesce(:due_at, due_at), failing_since = :failing_since,
        done_at = CASE WHEN :state = 'pending' THEN NULL ELSE CAST(:at AS timestamptz) END,
        tries = (SELECT coalesce(jsonb_agg(t ORDER BY n), '[]'::jsonb) FROM (
            SELECT t, n FROM jsonb_array_elements(tries || CAST(:this AS jsonb)) WITH ORDINALITY AS x(t, n)
            ORDER BY n DESC LIMIT :kept) AS last)
    WHERE delivery_id = :delivery_id AND attempts = :attempts AND state = 'pending'
""")


async def finish(connection: AsyncConnection, tried: Sequence[Tried]) -> None:
    """Note what attempts came to; one whose delivery another worker took over meanwhile is not noted."""
    rows = [
        {
            "state": each.state,
            "due_at": each.due_at,
            "failing_since": (each.claimed.failing_since or each.at) if each.error else None,
            "at": each.at,
            "this": encode_json([_shown(each)]),
            "kept": _KEPT_TRIES,
            "delivery_id": each.claimed.delivery_id,
            "attempts": each.claimed.attempts,
        }
        for each in tried
    ]
    if rows:
        await connection.execute(_FINISH, rows)


def _shown(tried: Tried) -> JsonObject:
    return {
        "attempt": tried.claimed.attempts,
        "at": tried.at,
        "status": tried.status or None,
        "error": tried.error,
        "milliseconds": tried.milliseconds,
    }


async def due(connection: AsyncConnection, pair: str, now: datetime) -> list[str]:
    """The subscribers of a pair for whom something is due."""
    rows = await connection.scalars(
        select(deliveries.c.subscriber)
        .where(deliveries.c.pair == pair, deliveries.c.state == "pending", deliveries.c.due_at <= now)
        .distinct()
    )
    return sorted(rows)


# --- what people see and ask for ------------------------------------------------------------------


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int, limit: int
) -> list[JsonObject]:
    """Deliveries of a pair with their attempts, newest first; `filters` are exact: subscriber, state, type."""
    statement = select(
        *(
            deliveries.c[name]
            for name in (
                "delivery_id",
                "subscriber",
                "state",
                "attempts",
                "due_at",
                "failing_since",
                "done_at",
                "tries",
            )
        ),
        *(events.c[name] for name in ("event_id", "type", "subject", "happened_at")),
    ).join_from(deliveries, events, deliveries.c.event_seq == events.c.event_seq)
    for name, value in filters.items():
        column = events.c.type if name == "type" else deliveries.c[name]
        statement = statement.where(column == value)
    if before:
        statement = statement.where(deliveries.c.delivery_id < before)
    rows = await connection.execute(
        statement.where(deliveries.c.pair == pair).order_by(deliveries.c.delivery_id.desc()).limit(limit)
    )
    return documents(rows)


async def replay(connection: AsyncConnection, pair: str, delivery_id: int, now: datetime) -> bool:
    """Send one delivery once more; whether there is such."""
    found = await connection.scalar(
        update(deliveries)
        .where(deliveries.c.pair == pair, deliveries.c.delivery_id == delivery_id)
        .values(state="pending", due_at=now, failing_since=None, done_at=None)
        .returning(deliveries.c.delivery_id)
    )
    return found is not None


async def told_lately(
    connection: AsyncConnection, pair: str, order_reference: str, since: datetime
) -> list[str]:
    """The types of event of which the shop was told lately about one of its orders."""
    rows = await connection.scalars(
        select(events.c.type)
        .join_from(deliveries, events, deliveries.c.event_seq == events.c.event_seq)
        .where(
            deliveries.c.pair == pair,
            deliveries.c.subscriber == "shop",
            deliveries.c.done_at >= since,
            events.c.data["order_reference"].as_string() == order_reference,
        )
    )
    return list(rows)


async def counts(connection: AsyncConnection, pair: str) -> dict[str, dict[str, int]]:
    """How many deliveries of each state every subscriber has."""
    rows = await connection.execute(
        select(deliveries.c.subscriber, deliveries.c.state, func.count())
        .where(deliveries.c.pair == pair)
        .group_by(deliveries.c.subscriber, deliveries.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for subscriber, state, number in rows:
        found.setdefault(subscriber, {})[state] = number
    return found
