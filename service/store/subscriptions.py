"""Plans and subscriptions: kept, taken in hand by one worker at a time, and shown."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.subscriptions import ChargeState, SubscriptionState, Terms
from service.store.rows import JsonObject, document, documents
from service.store.tables_subscriptions import subscription_charges as charges
from service.store.tables_subscriptions import subscription_plans as plans
from service.store.tables_subscriptions import subscriptions

OPEN: tuple[ChargeState, ...] = ("due", "dunning")


class Subscription(Struct, kw_only=True):
    """A subscription; `subscription_id` is 0 before it is kept. `next_due_at` is `None` after its last charge."""

    subscription_id: int = 0
    pair: str
    reference: str
    plan: str
    customer: str
    token_id: int
    base_transaction_id: str
    terms: Terms
    state: SubscriptionState = "active"
    reason: str = ""
    next_number: int = 1
    next_due_at: datetime | None = None


def from_row(row: JsonObject) -> Subscription:
    """A subscription from its row."""
    return msgspec.convert(row, Subscription)


# --- plans ----------------------------------------------------------------------------------------


async def save_plan(connection: AsyncConnection, pair: str, plan: str, values: JsonObject) -> None:
    """Make a plan, or change it for subscriptions to come."""
    await connection.execute(
        insert(plans)
        .values(pair=pair, plan=plan, **values)
        .on_conflict_do_update(index_elements=["pair", "plan"], set_={**values, "changed_at": func.now()})
    )


async def plan_of(connection: AsyncConnection, pair: str, plan: str) -> JsonObject | None:
    """A plan, or `None`."""
    return document(await connection.execute(select(plans).where(plans.c.pair == pair, plans.c.plan == plan)))


async def listed_plans(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """The plans of a pair by name."""
    return documents(
        await connection.execute(select(plans).where(plans.c.pair == pair).order_by(plans.c.plan))
    )


# --- subscriptions --------------------------------------------------------------------------------


def _values(subscription: Subscription) -> JsonObject:
    values: JsonObject = msgspec.to_builtins(subscription, builtin_types=(datetime,))
    values.pop("subscription_id")
    return values


async def add(connection: AsyncConnection, subscription: Subscription) -> int:
    """Keep a new subscription; returns its id."""
    made = await connection.scalar(
        insert(subscriptions).values(**_values(subscription)).returning(subscriptions.c.subscription_id)
    )
    subscription.subscription_id = int(made or 0)
    return subscription.subscription_id


async def save(connection: AsyncConnection, subscription: Subscription) -> None:
    """Keep what became of a subscription."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscription_id == subscription.subscription_id)
        .values(**_values(subscription), changed_at=func.now())
    )


async def one(connection: AsyncConnection, pair: str, subscription_id: int) -> Subscription | None:
    """A subscription, locked for the time of the transaction; `None` when there is none."""
    row = document(
        await connection.execute(
            select(subscriptions)
            .where(subscriptions.c.pair == pair, subscriptions.c.subscription_id == subscription_id)
            .with_for_update()
        )
    )
    return None if row is None else from_row(row)


async def shown(connection: AsyncConnection, pair: str, subscription_id: int) -> JsonObject | None:
    """A subscription as the API shows it."""
    return document(
        await connection.execute(
            select(subscriptions).where(
                subscriptions.c.pair == pair, subscriptions.c.subscription_id == subscription_id
            )
        )
    )


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], before: int, limit: int
) -> list[JsonObject]:
    """Subscriptions of a pair, newest first; filters by `state`, `customer` and `plan`."""
    statement = select(subscriptions).where(subscriptions.c.pair == pair)
    for name, value in filters.items():
        statement = statement.where(subscriptions.c[name] == value)
    if before:
        statement = statement.where(subscriptions.c.subscription_id < before)
    return documents(
        await connection.execute(statement.order_by(subscriptions.c.subscription_id.desc()).limit(limit))
    )


def _has_open() -> ColumnElement[bool]:
    return exists().where(
        charges.c.subscription_id == subscriptions.c.subscription_id, charges.c.state.in_(OPEN)
    )


async def due(connection: AsyncConnection, pair: str, now: datetime, limit: int) -> list[Subscription]:
    """Active subscriptions with a due date up to now and no open charge; each is one worker's until it commits."""
    rows = await connection.execute(
        select(subscriptions)
        .where(subscriptions.c.pair == pair, subscriptions.c.state == "active", ~_has_open())
        .where(subscriptions.c.next_due_at <= now)
        .order_by(subscriptions.c.next_due_at, subscriptions.c.subscription_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [from_row(row) for row in documents(rows)]


async def with_card(connection: AsyncConnection, pair: str, token_id: int) -> list[Subscription]:
    """The live subscriptions that a card pays for."""
    rows = await connection.execute(
        select(subscriptions).where(
            subscriptions.c.pair == pair,
            subscriptions.c.token_id == token_id,
            subscriptions.c.state.in_(("active", "paused", "suspended")),
        )
    )
    return [from_row(row) for row in documents(rows)]


async def end_finished(connection: AsyncConnection, pair: str) -> list[str]:
    """End active subscriptions that have neither a due date nor an open charge left; returns their references."""
    rows = await connection.scalars(
        update(subscriptions)
        .where(subscriptions.c.pair == pair, subscriptions.c.state == "active", ~_has_open())
        .where(subscriptions.c.next_due_at.is_(None))
        .values(state="ended", changed_at=func.now())
        .returning(subscriptions.c.reference)
    )
    return list(rows)
