"""The rows of the gateway's lists that sweeps saw: each once, whether anybody else had told of it, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import recordset
from service.store.rows import JsonObject, documents
from service.store.tables import inbox, payments
from service.store.tables_sweeps import sweep_runs, swept_rows


class SweptRow(Struct, frozen=True, kw_only=True):
    """A row of a list, as it is kept; see the table for its members."""

    pair: str
    transaction_id: str
    vendor_tx_code: str
    kind: str
    succeeded: bool
    amount_minor: int | None
    currency: str
    started_at: datetime | None
    started_text: str
    run_id: int
    run_kind: str
    alone: bool
    seen_at: datetime
    state: str
    look_at: datetime | None


class Look(Struct, kw_only=True):
    """A transaction whose fate is open, as it was last seen."""

    transaction_id: str
    vendor_tx_code: str
    kind: str
    state: str
    settlement_batch: str
    started_at: datetime | None
    seen_at: datetime
    looks: int
    look_at: datetime | None


_LOOK = [swept_rows.c[name] for name in Look.__struct_fields__]
_ROW_COLUMNS = SweptRow.__struct_fields__
_ALONE = (
    "row_id", "transaction_id", "vendor_tx_code", "kind", "amount_minor", "currency", "started_at", "run_id", "seen_at",
)  # fmt: skip
# A row that failed when it was seen first may have succeeded since.
_ON_CONFLICT = """ON CONFLICT (pair, transaction_id) DO UPDATE SET succeeded = true, alone = excluded.alone,
    run_id = excluded.run_id, run_kind = excluded.run_kind, seen_at = excluded.seen_at, state = excluded.state,
    look_at = excluded.look_at WHERE NOT swept_rows.succeeded AND excluded.succeeded"""


async def told_of(connection: AsyncConnection, pair: str, ids: Sequence[str]) -> set[str]:
    """Those of some transactions that we know of: as a payment, or by a message that waits."""
    wanted = func.any(text("CAST(:ids AS text[])"))
    known = select(payments.c.transaction_id).where(
        payments.c.pair == pair, payments.c.transaction_id == wanted
    )
    waiting = select(inbox.c.transaction_id).where(
        inbox.c.pair == pair, inbox.c.state == "received", inbox.c.transaction_id == wanted
    )
    return set(await connection.scalars(known.union(waiting), {"ids": list(ids)}))


async def seen(connection: AsyncConnection, pair: str, ids: Sequence[str]) -> set[str]:
    """Those of some transactions that a run has seen to succeed."""
    wanted = func.any(text("CAST(:ids AS text[])"))
    found = select(swept_rows.c.transaction_id).where(
        swept_rows.c.pair == pair, swept_rows.c.succeeded, swept_rows.c.transaction_id == wanted
    )
    return set(await connection.scalars(found, {"ids": list(ids)}))


async def add_rows(connection: AsyncConnection, rows: Sequence[SweptRow]) -> set[str]:
    """Keep rows that no run had seen, or had seen to fail and that succeeded now; gives their ids."""
    if not rows:
        return set()
    ordered = sorted({row.transaction_id: row for row in rows}.values(), key=lambda row: row.transaction_id)
    statement = recordset.insertion(swept_rows, _ROW_COLUMNS, "transaction_id", _ON_CONFLICT)
    return {str(row[0]) for row in await recordset.run(connection, statement, ordered)}


async def share(connection: AsyncConnection, pair: str, since: datetime) -> tuple[int, int]:
    """Transactions that regular turns saw since a time, and how many of them nobody else had told us of.

    The very first turn is left out: nobody could have told us before.
    """
    first = select(func.min(sweep_runs.c.run_id)).where(sweep_runs.c.pair == pair).scalar_subquery()
    row = (
        await connection.execute(
            select(func.count(), func.count().filter(swept_rows.c.alone)).where(
                swept_rows.c.pair == pair,
                swept_rows.c.succeeded,
                swept_rows.c.seen_at >= since,
                swept_rows.c.run_kind != "backfill",
                swept_rows.c.run_id > first,
            )
        )
    ).one()
    return int(row[0]), int(row[1])


async def alone(connection: AsyncConnection, pair: str, *, before: int, limit: int) -> list[JsonObject]:
    """Transactions that only a sweep found, newest first, with what became of them."""
    joined = swept_rows.outerjoin(
        payments,
        (payments.c.pair == swept_rows.c.pair) & (payments.c.transaction_id == swept_rows.c.transaction_id),
    )
    shown = [swept_rows.c[name] for name in _ALONE]
    statement = (
        select(*shown, payments.c.payment_id, payments.c.state.label("payment_state"))
        .select_from(joined)
        .where(swept_rows.c.pair == pair, swept_rows.c.alone)
    )
    if before:
        statement = statement.where(swept_rows.c.row_id < before)
    return documents(await connection.execute(statement.order_by(swept_rows.c.row_id.desc()).limit(limit)))


# --- open transactions ----------------------------------------------------------------------------


async def to_look_at(connection: AsyncConnection, pair: str, now: datetime, limit: int) -> list[Look]:
    """Open transactions that are due to be read again, the longest waiting first."""
    statement = (
        select(*_LOOK)
        .where(swept_rows.c.pair == pair, swept_rows.c.look_at <= now)
        .order_by(swept_rows.c.look_at)
        .limit(limit)
    )
    return [msgspec.convert(row, Look) for row in documents(await connection.execute(statement))]


async def gateway_states(connection: AsyncConnection, pair: str, ids: Sequence[str]) -> dict[str, str]:
    """What the payments of some transactions hold for their state at the gateway."""
    rows = await connection.execute(
        select(payments.c.transaction_id, payments.c.gateway["state"].astext).where(
            payments.c.pair == pair, payments.c.transaction_id == func.any(text("CAST(:ids AS text[])"))
        ),
        {"ids": list(ids)},
    )
    return {row[0]: row[1] or "" for row in rows}


async def save_looks(connection: AsyncConnection, pair: str, looks: Sequence[Look], now: datetime) -> None:
    """Write down what was seen of open transactions, and when to look again."""
    names = ("state", "settlement_batch", "looks", "look_at", "looked_at")
    statement = recordset.change(swept_rows, ("pair", "transaction_id"), names)
    ordered = sorted(looks, key=lambda look: look.transaction_id)
    rows = [{**msgspec.structs.asdict(look), "pair": pair, "looked_at": now} for look in ordered]
    await recordset.run(connection, statement, rows)


async def look_now(connection: AsyncConnection, pair: str, now: datetime) -> int:
    """Make every open transaction due; returns how many there are."""
    found = await connection.execute(
        update(swept_rows).where(swept_rows.c.pair == pair, swept_rows.c.look_at > now).values(look_at=now)
    )
    return int(found.rowcount)
