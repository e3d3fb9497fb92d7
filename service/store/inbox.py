"""The inbox: every message is stored once, as it came, before anything is done with it.

Deliveries that arrive together are written together: one statement, one transaction, one round trip to the disk.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.store import bell
from service.store.rows import JsonObject, documents
from service.store.tables import inbox


class Delivery(Struct, frozen=True, kw_only=True):
    """A verified message, cards masked, as it will be stored."""

    pair: str
    source: str
    event_id: str
    kind: str
    transaction_id: str
    vendor_tx_code: str
    body: bytes
    occurred_at: datetime | None = None


class Accepted(Struct, frozen=True):
    """What became of a delivery: `new` is false for one that we had already."""

    inbox_id: int
    new: bool


class InboxEvent(Struct, kw_only=True):
    """A message on its way through `ingest`."""

    inbox_id: int
    pair: str
    source: str
    event_id: str
    kind: str
    transaction_id: str
    vendor_tx_code: str
    state: str
    deliveries: int
    attempts: int
    received_at: datetime
    due_at: datetime
    occurred_at: datetime | None = None
    done_at: datetime | None = None
    error: JsonObject | None = None


_COLUMNS = [inbox.c[name] for name in InboxEvent.__struct_fields__]


# One statement, so one round trip and one commit. The announcement (see `bell`) comes before everything else, since
# both inserts read `announced`. A bell that waits is looked for among rows as they are by then, not as they were
# when the statement began: that is how PostgreSQL settles ON CONFLICT, and why one statement is enough.
_STORE = text("""
    WITH announced AS MATERIALIZED (
        SELECT count(pg_advisory_xact_lock_shared(hashtextextended(lane, 0)))
        FROM unnest(CAST(:lanes AS text[])) AS lane
    ), stored AS (
        INSERT INTO inbox
            (pair, source, event_id, kind, transaction_id, vendor_tx_code, body, occurred_at, deliveries)
        SELECT delivery.* FROM announced, unnest(
            CAST(:pair AS text[]), CAST(:source AS text[]), CAST(:event_id AS text[]), CAST(:kind AS text[]),
            CAST(:transaction_id AS text[]), CAST(:vendor_tx_code AS text[]), CAST(:body AS bytea[]),
            CAST(:occurred_at AS timestamptz[]), CAST(:deliveries AS int[])
        ) AS delivery
        ON CONFLICT (pair, source, event_id) DO UPDATE SET deliveries = inbox.deliveries + excluded.deliveries
        RETURNING pair, source, event_id, inbox_id, xmax = 0
    ), rung AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
        SELECT lane, :task, 0, lane, lane, jsonb_build_object('lane', lane)
        FROM announced, unnest(CAST(:lanes AS text[])) AS lane
        ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
    )
    SELECT * FROM stored
""")


async def store(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> list[Accepted]:
    """Store deliveries, counting those we had; rings the screening lanes of their pairs.

    Returns:
        One answer per delivery, in order.
    """
    keys = [(each.pair, each.source, each.event_id) for each in deliveries]
    # One event may be in the list twice; PostgreSQL touches a row once per statement. Sorted: no two such statements
    # wait for each other.
    unique = sorted(dict(zip(keys, deliveries, strict=True)).items())
    times = Counter(keys)
    columns: dict[str, list[object]] = {
        name: [getattr(each, name) for _, each in unique] for name in Delivery.__struct_fields__
    }
    lanes = sorted({bell.screening(each.pair) for each in deliveries})
    rows = await connection.execute(
        _STORE,
        {**columns, "deliveries": [times[key] for key, _ in unique], "lanes": lanes, "task": bell.TASK},
    )
    found = {(row[0], row[1], row[2]): Accepted(row[3], row[4]) for row in rows}
    first: set[tuple[str, str, str]] = set()
    answers = []
    for key in keys:
        answers.append(Accepted(found[key].inbox_id, found[key].new and key not in first))
        first.add(key)
    return answers


class Batcher:
    """Writes deliveries that arrive within a few milliseconds of each other, or during a write, in one statement."""

    def __init__(self, engine: AsyncEngine, linger_seconds: float = 0.004, most: int = 200) -> None:
        # The statement is its own transaction: no BEGIN and COMMIT, each a journey of its own.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._linger = linger_seconds
        self._most = most
        self._waiting: list[tuple[Delivery, asyncio.Future[Accepted]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def store(self, delivery: Delivery) -> Accepted:
        """Store one delivery; returns when it is on the disk.

        Raises:
            Exception: whatever the database raised; the sender is told to come again.
        """
        answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        await asyncio.sleep(self._linger)
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._write_one(batch)

    async def _write_one(self, batch: Sequence[tuple[Delivery, asyncio.Future[Accepted]]]) -> None:
        waiting = [future for _, future in batch]
        try:
            async with self._engine.connect() as connection:
                answers = await store(connection, [delivery for delivery, _ in batch])
        except Exception as error:  # noqa: BLE001 - every waiting request gets to see it
            if len(batch) > 1:
                # What one delivery cannot be stored for must not hurt the others.
                for each in batch:
                    await self._write_one([each])
                return
            for future in waiting:
                _tell(future, error)
            return
        for future, answer in zip(waiting, answers, strict=True):
            _tell(future, answer)


def _tell(future: asyncio.Future[Accepted], outcome: Accepted | Exception) -> None:
    # A sender that hung up meanwhile has cancelled its future.
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


async def due(connection: AsyncConnection, pair: str, now: datetime, limit: int) -> list[InboxEvent]:
    """Messages of a pair that are due, oldest first."""
    rows = await connection.execute(
        select(*_COLUMNS)
        .where(inbox.c.pair == pair, inbox.c.state == "received", inbox.c.due_at <= now)
        .order_by(inbox.c.inbox_id)
        .limit(limit)
    )
    return [InboxEvent(**row) for row in rows.mappings()]


async def body(connection: AsyncConnection, inbox_id: int) -> bytes:
    """A message as it came, cards masked; empty when there is none of that id."""
    found: bytes | None = await connection.scalar(select(inbox.c.body).where(inbox.c.inbox_id == inbox_id))
    return found or b""


async def save(connection: AsyncConnection, events: Sequence[InboxEvent]) -> None:
    """Write back what ingest decided of each message."""
    if not events:
        return
    await connection.execute(
        update(inbox)
        .where(inbox.c.inbox_id == bindparam("at_inbox_id"))
        .values(
            state=bindparam("to_state"),
            attempts=bindparam("to_attempts"),
            due_at=bindparam("to_due_at"),
            done_at=bindparam("to_done_at"),
            error=bindparam("to_error", type_=inbox.c.error.type),
        ),
        [
            {
                "at_inbox_id": each.inbox_id,
                "to_state": each.state,
                "to_attempts": each.attempts,
                "to_due_at": each.due_at,
                "to_done_at": each.done_at,
                "to_error": each.error,
            }
            for each in events
        ],
    )


async def again(connection: AsyncConnection, pair: str, inbox_id: int, now: datetime) -> bool:
    """Make a message due again that ended in dead letters; whether there was one. The caller rings."""
    found = await connection.scalar(
        update(inbox)
        .where(inbox.c.pair == pair, inbox.c.inbox_id == inbox_id, inbox.c.state == "dead_letter")
        .values(state="received", due_at=now, done_at=None, attempts=0, error=None)
        .returning(inbox.c.inbox_id)
    )
    return found is not None


async def listed(
    connection: AsyncConnection, pair: str, *, state: str | None, after: int, limit: int
) -> list[JsonObject]:
    """Messages as the API lists them, newest first, without their bodies."""
    statement = select(*_COLUMNS).where(inbox.c.pair == pair)
    if state:
        statement = statement.where(inbox.c.state == state)
    if after:
        statement = statement.where(inbox.c.inbox_id < after)
    rows = await connection.execute(statement.order_by(inbox.c.inbox_id.desc()).limit(limit))
    return documents(rows)


async def counts(connection: AsyncConnection, pair: str) -> dict[str, int]:
    """Messages not yet done, and deliveries beyond the first."""
    row = (
        await connection.execute(
            select(
                func.count().filter(inbox.c.state == "received"),
                func.count().filter(inbox.c.state == "dead_letter"),
                func.coalesce(func.sum(inbox.c.deliveries - 1), text("0")),
            ).where(inbox.c.pair == pair)
        )
    ).one()
    return {"open": row[0], "dead_letter": row[1], "duplicates": int(row[2])}
