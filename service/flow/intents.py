"""The memory of a request to the gateway: its intent, written before it is sent, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from integration.errors import (
    IntegrationError,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Transient,
    VendorTxCodeUsed,
)
from integration.ports import Challenge, Gateway
from service.flow.recovery import as_document
from service.store import inbox, registrations
from service.store.inbox import Delivery
from service.store.registrations import GatewayRequest

JsonObject = dict[str, object]
T = TypeVar("T")

# Money may move, or has moved: these are posted, or wait for their capture.
TAKEN = frozenset({"captured", "held", "authenticated"})
_REFUSED = frozenset({"declined", "rejected", "failed", "cancelled", "aborted", "expired"})


@dataclass(frozen=True, kw_only=True)
class Till:
    """Where requests are made: one pair's gateway.

    Attributes:
        pauses: seconds before each look-up after a lost answer.
        patience: after so long, what Opayo does not know has never arrived there.
    """

    engine: AsyncEngine
    gateway: Gateway
    pair: str
    pauses: tuple[float, ...]
    patience: timedelta = timedelta(minutes=10)


async def outcome(
    till: Till, intent: GatewayRequest, known: JsonObject
) -> GatewayTransaction | Challenge | None:
    """What became of a request that was made before; looked up at Opayo where we do not know.

    Raises:
        Rejected: it was refused, or never arrived.
    """
    answer = known["answer"]
    assert isinstance(answer, dict)
    if known["state"] == "refused":
        raise Rejected(
            str(answer.get("title") or f"Opayo refused {intent.vendor_tx_code}"),
            code=str(answer.get("code") or "opayo.refused"),
            hint="Make a new request with a new vendor transaction code.",
        )
    if known["state"] == "answered" and known["transaction_id"]:
        found = await till.gateway.transaction(str(known["transaction_id"]))
        if found.state in TAKEN:
            # A challenge may have ended without our hearing of it; a second message about one state is the first.
            async with till.engine.begin() as connection:
                await tell_the_road(
                    connection, till.pair, found.transaction_id, intent.vendor_tx_code, found.state
                )
        return msgspec.structs.replace(found, vendor_tx_code=intent.vendor_tx_code)
    found_again = await till.gateway.find(intent.vendor_tx_code)
    if found_again is not None:
        await _settled(till, intent, str(answer.get("mark", "")), found_again)
        return found_again
    # Of the last attempt: a reopened request has begun again.
    created = known["changed_at"]
    assert isinstance(created, datetime)
    if datetime.now(UTC) - created < till.patience:
        return None
    never = Rejected(
        f"{intent.vendor_tx_code} never arrived at Opayo",
        code="opayo.never-arrived",
        hint="Make a new request with a new vendor transaction code.",
    )
    await refuse(till, intent, str(answer.get("mark", "")), never)
    raise never


async def known_request(connection: AsyncConnection, intent: GatewayRequest, mark: str) -> JsonObject | None:
    """The row of an earlier call with the same content, if there is one."""
    known = await registrations.one(connection, intent.pair, intent.vendor_tx_code)
    answer = known["answer"] if known else {}
    if known is not None and (not isinstance(answer, dict) or answer.get("mark") != mark):
        raise VendorTxCodeUsed(
            f"The vendor transaction code {intent.vendor_tx_code} was used before",
            hint="Use a new code; a code is used once, for ever.",
        )
    return known


async def claim(connection: AsyncConnection, intent: GatewayRequest, mark: str) -> JsonObject | None:
    """Write the intent; or the row of an earlier call with the same content, whose outcome counts."""
    if await registrations.reserve(connection, intent, {"mark": mark}):
        return None
    known = await known_request(connection, intent, mark)
    return None if await registrations.reopen(connection, intent) else known


async def sent(
    till: Till, intent: GatewayRequest, mark: str, send: Callable[[], Awaitable[T]]
) -> GatewayTransaction | Challenge | None:
    """Send a request whose intent is written, and settle it by the answer; `None` while nobody knows."""
    try:
        answer = await send()
    except OutcomeUnknown:
        async with till.engine.begin() as connection:
            await registrations.settle(connection, intent, "unknown", {"mark": mark})
        return await _search(till, intent, mark)
    except VendorTxCodeUsed as error:
        found = await till.gateway.find(intent.vendor_tx_code)
        if found is None or found.amount != Money(intent.amount_minor, intent.currency):
            await refuse(till, intent, mark, error)
            raise
        await _settled(till, intent, mark, found)
        return found
    except IntegrationError as error:
        await refuse(till, intent, mark, error)
        raise
    assert isinstance(answer, GatewayTransaction | Challenge)
    await _settled(till, intent, mark, answer)
    return answer


async def _search(till: Till, intent: GatewayRequest, mark: str) -> GatewayTransaction | None:
    for pause in till.pauses:
        await asyncio.sleep(pause)
        try:
            found = await till.gateway.find(intent.vendor_tx_code)
        except Transient:
            continue
        if found is not None:
            await _settled(till, intent, mark, found)
            return found
    return None


async def _settled(
    till: Till, intent: GatewayRequest, mark: str, found: GatewayTransaction | Challenge
) -> None:
    """Write down the answer, and put a payment into our own inbox with it: it is posted without a webhook."""
    state = "challenge" if isinstance(found, Challenge) else found.state
    answer: JsonObject = {"mark": mark, "state": state, "status": found.status}
    # A refund that did not happen must not count against the payment.
    refused = intent.kind == "refund" and state in _REFUSED
    async with till.engine.begin() as connection:
        await registrations.settle(
            connection, intent, "refused" if refused else "answered", answer, found.transaction_id
        )
        if state in TAKEN:
            await tell_the_road(connection, till.pair, found.transaction_id, intent.vendor_tx_code, state)


async def refuse(till: Till, intent: GatewayRequest, mark: str, error: IntegrationError) -> None:
    """Write down that a request failed, and whether it may be sent again under its code."""
    document = as_document(error)
    unsent = isinstance(error, Transient | Misconfigured) and not isinstance(error, OutcomeUnknown)
    state = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
    answer: JsonObject = {
        "mark": mark,
        "unsent": unsent,
        "code": document["code"],
        "title": document["title"],
    }
    async with till.engine.begin() as connection:
        await registrations.settle(connection, intent, state, answer)


async def tell_the_road(
    connection: AsyncConnection, pair: str, transaction_id: str, code: str, what: str
) -> None:
    """Put a hint into our own inbox: what we did at the gateway needs no webhook to be posted."""
    event = Delivery(
        pair=pair,
        source="api",
        event_id=f"{transaction_id}/{what}",
        kind=f"transaction.{what}",
        transaction_id=transaction_id,
        vendor_tx_code=code,
        body=b"{}",
    )
    await inbox.store(connection, [event])


def intent_of(till: Till, kind: str, code: str, amount: Money, related: str = "") -> GatewayRequest:
    """The intent of a request."""
    return GatewayRequest(
        pair=till.pair,
        vendor_tx_code=code,
        kind=kind,
        amount_minor=amount.minor,
        currency=amount.currency,
        related_transaction_id=related,
    )
