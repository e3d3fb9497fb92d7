"""The plan that a repeat payment is a charge of, from our own rows."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.circumstances import SubscriptionFacts
from service.core.subscriptions import facts, read_code
from service.store import charges


async def subscription_facts(
    connection: AsyncConnection, pair: str, vendor_tx_code: str
) -> SubscriptionFacts | None:
    """The subscription that a charge belongs to, by its vendor transaction code; `None` for other repeats."""
    key = read_code(vendor_tx_code)
    found = key and await charges.named(connection, pair, key.reference, key.due_on)
    if not found:
        return None
    subscription, charge = found
    return facts(subscription.terms, subscription.reference, subscription.customer, charge.number)
