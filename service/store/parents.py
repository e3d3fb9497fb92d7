"""Payments that a refund or repeat may have been made of, where nobody says of which."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.payment import GatewayTransaction
from service.store.tables import payments

_PARENTS = ("payment", "deferred", "repeat", "authorise", "manual")
_FURTHEST = timedelta(days=400)


class Candidate(Struct, frozen=True):
    """A payment, and when it was made."""

    transaction_id: str
    created_at: datetime


async def candidates(
    connection: AsyncConnection, pair: str, child: GatewayTransaction, now: datetime, limit: int
) -> list[Candidate]:
    """Payments of the child's currency and card, for a refund of at least its amount; the newest first."""
    statement = select(payments.c.transaction_id, payments.c.created_at).where(
        payments.c.pair == pair,
        payments.c.kind.in_(_PARENTS),
        payments.c.currency == child.amount.currency,
        payments.c.transaction_id != child.transaction_id,
        payments.c.created_at > now - _FURTHEST,
    )
    if child.kind == "refund":
        statement = statement.where(payments.c.amount_minor >= child.amount.minor)
    if child.card.last_four:
        statement = statement.where(payments.c.gateway["card"]["last_four"].astext == child.card.last_four)
    rows = await connection.execute(statement.order_by(payments.c.payment_id.desc()).limit(limit))
    return [Candidate(row[0], row[1]) for row in rows]
