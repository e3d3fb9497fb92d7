"""What a transaction is about: the payment a refund gives back, and how much of a hold was released.

Opayo's REST answer tells neither. We know it ourselves of what our own API asked for; a signed event may tell it;
Reporting tells the related transaction, and nobody tells the amount of a release that was made elsewhere.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
from msgspec import Struct

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from service.flow.stage import Stage
from service.store import inbox, parents, registrations
from service.store.inbox import InboxEvent

_MOST_ASKED = 20
_A_DAY = timedelta(days=1)
_RELATED = frozenset({"refund", "repeat", "authorise"})


class _Event(Struct, rename="camel"):
    reference_transaction_id: str | None = None


async def completed(transaction: GatewayTransaction, event: InboxEvent, stage: Stage) -> GatewayTransaction:
    """The transaction with what it is about, and with the amount that was really taken.

    Raises:
        IntegrationError: Reporting had to be asked, and could not.
    """
    if transaction.kind == "refund" and transaction.created_at is None:
        # Its documents are of a day, by which some of them are looked for.
        transaction = msgspec.structs.replace(transaction, created_at=event.received_at)
    if transaction.kind in _RELATED and not transaction.related_transaction_id:
        related = await _related(transaction, event, stage)
        return msgspec.structs.replace(transaction, related_transaction_id=related or None)
    if transaction.kind == "deferred" and transaction.state == "captured":
        async with stage.reads.connect() as connection:
            released = await registrations.released_minor(
                connection, stage.lane.pair, transaction.transaction_id
            )
        if released is not None:
            return msgspec.structs.replace(transaction, amount=Money(released, transaction.amount.currency))
    return transaction


async def _related(transaction: GatewayTransaction, event: InboxEvent, stage: Stage) -> str:
    async with stage.reads.connect() as connection:
        known = await registrations.related_of(connection, stage.lane.pair, transaction.transaction_id)
        body = b"" if known else await inbox.body(connection, event.inbox_id)
    if known or (known := _told(body)):
        return known
    code = transaction.vendor_tx_code or event.vendor_tx_code
    found = await stage.gateway.find(code) if code else None
    if found is not None and found.related_transaction_id:
        return found.related_transaction_id
    return await _parent(found or transaction, stage)


async def _parent(child: GatewayTransaction, stage: Stage) -> str:
    """The payment that lists the child among what was made of it; Opayo's own answer may not name it."""
    async with stage.reads.connect() as connection:
        likely = await parents.candidates(connection, stage.lane.pair, child, stage.clock(), _MOST_ASKED)
    for each in likely:
        made = await stage.gateway.related(each.transaction_id, each.created_at - _A_DAY)
        if any(row.transaction_id == child.transaction_id for row in made):
            return each.transaction_id
    return ""


def _told(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body, type=_Event).reference_transaction_id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return (told or "").strip("{} ").upper()
