"""Dead letters: what cannot move until a person has looked, with its cause and the next move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from service.store.rows import JsonObject, document, documents
from service.store.tables import dead_letters, inbox, payments, postings


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


class Filters(Struct, frozen=True, kw_only=True):
    """Which open dead letters are meant; what is left out does not matter.

    Attributes:
        opened_from, opened_before: when they were opened, the first time included.
    """

    code: str = ""
    step: str = ""
    currency: str = ""
    kind: str = ""
    flow: str = ""
    customer: str = ""
    opened_from: datetime | None = None
    opened_before: datetime | None = None


_OF_THE_LETTER = ("code", "step")
_OF_THE_PAYMENT = ("currency", "kind", "flow", "customer")


def _chosen(pair: str, filters: Filters) -> list[ColumnElement[bool]]:
    where = [dead_letters.c.pair == pair, dead_letters.c.closed_at.is_(None)]
    where += [dead_letters.c[name] == value for name in _OF_THE_LETTER if (value := getattr(filters, name))]
    where += [payments.c[name] == value for name in _OF_THE_PAYMENT if (value := getattr(filters, name))]
    if filters.opened_from is not None:
        where.append(dead_letters.c.opened_at >= filters.opened_from)
    if filters.opened_before is not None:
        where.append(dead_letters.c.opened_at < filters.opened_before)
    return where


_WITH_PAYMENT = dead_letters.outerjoin(payments, payments.c.payment_id == dead_letters.c.payment_id)
# A document whose answer was lost: only a look-up may decide what becomes of it.
_AMBIGUOUS = (
    exists()
    .where(postings.c.payment_id == payments.c.payment_id, postings.c.state.in_(("sent", "ambiguous")))
    .label("ambiguous")
)


def _open(pair: str, filters: Filters | None = None) -> Select[tuple[object, ...]]:
    return (
        select(
            dead_letters.c.dead_letter_id, dead_letters.c.payment_id, dead_letters.c.inbox_id,
            dead_letters.c.step, dead_letters.c.code, dead_letters.c.error, dead_letters.c.opened_at,
            payments.c.vendor_tx_code, payments.c.transaction_id, payments.c.amount_minor,
            payments.c.currency, payments.c.state, _AMBIGUOUS,
        )
        .select_from(_WITH_PAYMENT)
        .where(*_chosen(pair, filters or Filters()))
    )  # fmt: skip


async def listed(
    connection: AsyncConnection, pair: str, filters: Filters, *, before: int = 0, limit: int = 100
) -> list[JsonObject]:
    """Open dead letters of a pair, newest first."""
    statement = _open(pair, filters)
    if before:
        statement = statement.where(dead_letters.c.dead_letter_id < before)
    rows = await connection.execute(statement.order_by(dead_letters.c.dead_letter_id.desc()).limit(limit))
    return documents(rows)


async def one(connection: AsyncConnection, pair: str, dead_letter_id: int) -> JsonObject | None:
    """One open dead letter, or `None`."""
    return document(
        await connection.execute(_open(pair).where(dead_letters.c.dead_letter_id == dead_letter_id))
    )


async def matching(connection: AsyncConnection, pair: str, filters: Filters) -> int:
    """How many open dead letters of a pair there are."""
    statement = select(func.count()).select_from(_WITH_PAYMENT).where(*_chosen(pair, filters))
    return int(await connection.scalar(statement) or 0)


async def grouped(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """Open dead letters by cause: code, step and currency, how many, their value, since when; the gravest first."""
    rows = await connection.execute(
        select(
            dead_letters.c.code,
            dead_letters.c.step,
            payments.c.currency,
            func.count().label("letters"),
            func.coalesce(func.sum(payments.c.amount_minor), 0).label("minor"),
            func.min(dead_letters.c.opened_at).label("oldest_at"),
            func.max(dead_letters.c.opened_at).label("newest_at"),
            func.max(dead_letters.c.dead_letter_id).label("example"),
        )
        .select_from(_WITH_PAYMENT)
        .where(*_chosen(pair, Filters()))
        .group_by(dead_letters.c.code, dead_letters.c.step, payments.c.currency)
        .order_by(func.count().desc(), dead_letters.c.code, dead_letters.c.step)
    )
    return [{**row, "minor": int(str(row["minor"]))} for row in documents(rows)]


async def close_superseded(
    connection: AsyncConnection, pair: str, transaction_ids: Sequence[str] | None = None
) -> int:
    """Close dead letters that nobody need look at: the payment moved on, or a later message made it a payment.

    Args:
        transaction_ids: only those about these transactions; `None` for all of the pair.

    Returns:
        How many were closed.
    """
    waits = payments.c.state.in_(("dead_letter", "exception"))
    moved_on = exists().where(payments.c.payment_id == dead_letters.c.payment_id, ~waits)
    arrived = exists().where(
        inbox.c.inbox_id == dead_letters.c.inbox_id,
        inbox.c.transaction_id != "",
        payments.c.pair == inbox.c.pair,
        payments.c.transaction_id == inbox.c.transaction_id,
        payments.c.changed_at >= dead_letters.c.opened_at,
    )
    where = [dead_letters.c.pair == pair, dead_letters.c.closed_at.is_(None), or_(moved_on, arrived)]
    if transaction_ids is not None:
        of_payments = select(payments.c.payment_id).where(
            payments.c.pair == pair, payments.c.transaction_id.in_(transaction_ids)
        )
        of_messages = select(inbox.c.inbox_id).where(
            inbox.c.pair == pair, inbox.c.transaction_id.in_(transaction_ids)
        )
        where.append(
            or_(dead_letters.c.payment_id.in_(of_payments), dead_letters.c.inbox_id.in_(of_messages))
        )
    result = await connection.execute(
        update(dead_letters)
        .where(*where)
        .values(closed_at=func.now(), closed_by="road", resolution="superseded by a later state")
    )
    return int(result.rowcount)


async def by_code(connection: AsyncConnection, pair: str) -> dict[str, int]:
    """Open dead letters of a pair by cause."""
    rows = await connection.execute(
        select(dead_letters.c.code, func.count())
        .where(dead_letters.c.pair == pair, dead_letters.c.closed_at.is_(None))
        .group_by(dead_letters.c.code)
    )
    return {row[0]: row[1] for row in rows}
