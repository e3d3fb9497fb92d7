"""Charges of subscriptions: one for each due date, taken in hand by one worker at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.subscriptions import ChargeState
from service.store.rows import JsonObject, document, documents
from service.store.subscriptions import OPEN, Subscription, from_row, shown
from service.store.tables_subscriptions import subscription_charges as charges
from service.store.tables_subscriptions import subscriptions


class Charge(Struct, kw_only=True):
    """A charge of one due date.

    Attributes:
        attempt: the one whose outcome is open, or that decided.
        declines: how often this card was declined for it.
        next_attempt_at: or the end of the lease of the worker that is at it.
        attempts: by vendor transaction code, what each attempt came to.
    """

    charge_id: int = 0
    pair: str
    subscription_id: int
    number: int
    due_on: date
    amount_minor: int
    currency: str
    state: ChargeState = "due"
    attempt: int = 1
    declines: int = 0
    next_attempt_at: datetime | None = None
    transaction_id: str = ""
    bank_code: str = ""
    reason: str = ""
    attempts: dict[str, object] = {}


def _charge(row: JsonObject) -> Charge:
    return msgspec.convert(row, Charge)


def _values(charge: Charge) -> JsonObject:
    values: JsonObject = msgspec.to_builtins(charge, builtin_types=(datetime, date))
    values.pop("charge_id")
    return values


async def add(connection: AsyncConnection, new: Sequence[Charge]) -> None:
    """Keep charges; a due date that has one already keeps it."""
    for charge in new:
        await connection.execute(
            insert(charges)
            .values(**_values(charge))
            .on_conflict_do_nothing(index_elements=["subscription_id", "due_on"])
        )


async def save(connection: AsyncConnection, charge: Charge) -> None:
    """Keep what became of a charge."""
    await connection.execute(
        update(charges)
        .where(charges.c.charge_id == charge.charge_id)
        .values(**_values(charge), changed_at=func.now())
    )


async def take(
    connection: AsyncConnection, pair: str, now: datetime, lease_until: datetime, limit: int
) -> list[Charge]:
    """Take open charges whose attempt is due; until the lease ends nobody else takes them."""
    chosen = (
        select(charges.c.charge_id)
        .where(charges.c.pair == pair, charges.c.state.in_(OPEN), charges.c.next_attempt_at <= now)
        .order_by(charges.c.next_attempt_at, charges.c.charge_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = await connection.execute(
        update(charges)
        .where(charges.c.charge_id.in_(chosen.scalar_subquery()))
        .values(next_attempt_at=lease_until)
        .returning(*charges.c)
    )
    return [_charge(row) for row in documents(rows)]


async def one(connection: AsyncConnection, charge_id: int) -> Charge:
    """A charge, locked for the time of the transaction."""
    row = document(
        await connection.execute(select(charges).where(charges.c.charge_id == charge_id).with_for_update())
    )
    assert row is not None
    return _charge(row)


async def open_of(connection: AsyncConnection, subscription_id: int) -> Charge | None:
    """The charge whose outcome is open, locked."""
    return await _last(connection, subscription_id, OPEN)


async def failed_of(connection: AsyncConnection, subscription_id: int) -> Charge | None:
    """The newest charge that failed, locked."""
    return await _last(connection, subscription_id, ("failed",))


async def _last(
    connection: AsyncConnection, subscription_id: int, states: Sequence[ChargeState]
) -> Charge | None:
    row = document(
        await connection.execute(
            select(charges)
            .where(charges.c.subscription_id == subscription_id, charges.c.state.in_(states))
            .order_by(charges.c.number.desc())
            .limit(1)
            .with_for_update()
        )
    )
    return None if row is None else _charge(row)


async def listed(connection: AsyncConnection, pair: str, subscription_id: int) -> list[JsonObject]:
    """The charges of a subscription, newest first."""
    return documents(
        await connection.execute(
            select(charges)
            .where(charges.c.pair == pair, charges.c.subscription_id == subscription_id)
            .order_by(charges.c.number.desc())
        )
    )


async def named(
    connection: AsyncConnection, pair: str, reference: str, due_on: date
) -> tuple[Subscription, Charge] | None:
    """The subscription and charge that a vendor transaction code names; `None` when there is none."""
    row = document(
        await connection.execute(
            select(charges)
            .join(subscriptions, subscriptions.c.subscription_id == charges.c.subscription_id)
            .where(charges.c.pair == pair, subscriptions.c.pair == pair)
            .where(subscriptions.c.reference == reference, charges.c.due_on == due_on)
        )
    )
    if row is None:
        return None
    found = _charge(row)
    held = await shown(connection, pair, found.subscription_id)
    assert held is not None
    return from_row(held), found
