"""Dead letters: what cannot move until a person has looked, with its cause and the next move."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from service.store.rows import JsonObject, document, documents
from service.store.tables import dead_letters, payments


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A new dead letter: of a payment, or of a message that never became one."""

    pair: str
    step: str
    code: str
    error: JsonObject
    payment_id: int | None = None
    inbox_id: int | None = None


async def open_all(connection: AsyncConnection, new: Sequence[DeadLetter]) -> None:
    """Open dead letters; a payment that has one keeps it, with the newest cause."""
    for each in new:
        values = {"step": each.step, "code": each.code, "error": each.error}
        statement = insert(dead_letters).values(
            pair=each.pair, payment_id=each.payment_id, inbox_id=each.inbox_id, **values
        )
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["payment_id"],
                index_where=dead_letters.c.closed_at.is_(None) & dead_letters.c.payment_id.is_not(None),
                set_=values,
            )
        )


async def close(connection: AsyncConnection, pair: str, payment_id: int, actor: str, resolution: str) -> None:
    """Close a payment's dead letter, if it has one."""
    await connection.execute(
        update(dead_letters)
        .where(
            dead_letters.c.pair == pair,
            dead_letters.c.payment_id == payment_id,
            dead_letters.c.closed_at.is_(None),
        )
        .values(closed_at=func.now(), closed_by=actor, resolution=resolution)
    )


async def close_message(
    connection: AsyncConnection, pair: str, inbox_id: int, actor: str, resolution: str
) -> None:
    """Close a message's dead letter, if it has one."""
    await connection.execute(
        update(dead_letters)
        .where(
            dead_letters.c.pair == pair,
            dead_letters.c.inbox_id == inbox_id,
            dead_letters.c.closed_at.is_(None),
        )
        .values(closed_at=func.now(), closed_by=actor, resolution=resolution)
    )


def _open(pair: str) -> Select[tuple[object, ...]]:
    return (
        select(
            dead_letters.c.dead_letter_id, dead_letters.c.payment_id, dead_letters.c.inbox_id,
            dead_letters.c.step, dead_letters.c.code, dead_letters.c.error, dead_letters.c.opened_at,
            payments.c.vendor_tx_code, payments.c.transaction_id, payments.c.amount_minor,
            payments.c.currency, payments.c.state,
        )
        .select_from(dead_letters.outerjoin(payments, payments.c.payment_id == dead_letters.c.payment_id))
        .where(dead_letters.c.pair == pair, dead_letters.c.closed_at.is_(None))
    )  # fmt: skip


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int = 0, limit: int = 100
) -> list[JsonObject]:
    """Open dead letters of a pair, newest first; `filters` are exact values of `code` and `step`."""
    statement = _open(pair)
    for name, value in filters.items():
        statement = statement.where(dead_letters.c[name] == value)
    if before:
        statement = statement.where(dead_letters.c.dead_letter_id < before)
    rows = await connection.execute(statement.order_by(dead_letters.c.dead_letter_id.desc()).limit(limit))
    return documents(rows)


async def one(connection: AsyncConnection, pair: str, dead_letter_id: int) -> JsonObject | None:
    """One open dead letter, or `None`."""
    return document(
        await connection.execute(_open(pair).where(dead_letters.c.dead_letter_id == dead_letter_id))
    )


async def matching(connection: AsyncConnection, pair: str, filters: dict[str, str]) -> int:
    """How many open dead letters of a pair have these exact values of `code` and `step`."""
    statement = select(func.count()).where(dead_letters.c.pair == pair, dead_letters.c.closed_at.is_(None))
    for name, value in filters.items():
        statement = statement.where(dead_letters.c[name] == value)
    return int(await connection.scalar(statement) or 0)


async def by_code(connection: AsyncConnection, pair: str) -> dict[str, int]:
    """Open dead letters of a pair by cause."""
    rows = await connection.execute(
        select(dead_letters.c.code, func.count())
        .where(dead_letters.c.pair == pair, dead_letters.c.closed_at.is_(None))
        .group_by(dead_letters.c.code)
    )
    return {row[0]: row[1] for row in rows}
