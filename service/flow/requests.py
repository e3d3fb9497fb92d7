"""Requests to the gateway that our own API makes: written down before they are sent, settled by their answer.

A vendor transaction code is used once, for ever, and its row is the memory of the request. When an answer is lost,
the code is looked up at Opayo before anything else; a repeated call with the same content gets what became of the
first. What was refused without being sent may be sent again under its code.
"""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from integration.errors import (
    IntegrationError,
    InvalidPayment,
    OutcomeUnknown,
    RefundExceedsPayment,
)
from integration.ports import (
    Challenge,
    HostedPayment,
    PaymentRequest,
    Registration,
    RelatedRequest,
)
from service.flow.intents import (
    TAKEN,
    Till,
    claim,
    intent_of,
    known_request,
    outcome,
    refuse,
    sent,
    tell_the_road,
)
from service.store import chargebacks, registrations
from service.store.registrations import GatewayRequest
from service.store.vault import Vault

JsonObject = dict[str, object]

# Opayo's limit for what is taken of an authenticated transaction, in all.
_AUTHORISE_PERCENT = 115


async def pay(till: Till, request: PaymentRequest, mark: str) -> GatewayTransaction | Challenge | None:
    """Take or authorise a payment, once.

    Args:
        mark: tells a repeated call from another request with the same code.

    Returns:
        The transaction (a decline is one), the bank's challenge, or `None` while the outcome is not known.

    Raises:
        VendorTxCodeUsed: another request has the code.
        IntegrationError: as `Gateway.pay`; nothing was taken.
    """
    intent = intent_of(till, request.kind, request.vendor_tx_code, request.amount)
    async with till.engine.begin() as connection:
        known = await claim(connection, intent, mark)
    if known is not None:
        return await outcome(till, intent, known)
    return await sent(till, intent, mark, lambda: till.gateway.pay(request))


async def refund(till: Till, request: RelatedRequest, mark: str) -> GatewayTransaction | None:
    """Give money back, once, and never more than was taken, however many ask at the same time.

    Raises:
        RefundExceedsPayment: more than what remains of the payment.
        VendorTxCodeUsed: another request has the code.
        IntegrationError: as `Gateway.relate`; nothing was given back.
    """
    original = await _original(till, request)
    intent = intent_of(till, "refund", request.vendor_tx_code, request.amount, original.transaction_id)
    async with till.engine.begin() as connection:
        # The lock lasts until the intent is written: the next one counts it.
        captured, spent = await _standing(connection, till, original)
        known = await known_request(connection, intent, mark)
        if known is None or known["state"] == "refused":
            taken = await chargebacks.taken_minor(connection, till.pair, original.transaction_id)
            _insist(captured, spent, request.amount.minor, taken)
        known = await claim(connection, intent, mark)
    return await _related(till, request, mark, (intent, known))


async def insist_refundable(till: Till, request: RelatedRequest) -> None:
    """Refuse a refund that could not be sent as things stand, before anybody is asked to approve it.

    Raises:
        RefundExceedsPayment: more than what remains of the payment.
        InvalidPayment: another currency than the payment's.
    """
    original = await _original(till, request)
    async with till.engine.begin() as connection:
        captured, spent = await _standing(connection, till, original)
        taken = await chargebacks.taken_minor(connection, till.pair, original.transaction_id)
    _insist(captured, spent, request.amount.minor, taken)


async def _original(till: Till, request: RelatedRequest) -> GatewayTransaction:
    original = await till.gateway.transaction(request.related_transaction_id)
    if original.amount.currency != request.amount.currency:
        raise InvalidPayment(
            f"The payment is in {original.amount.currency}, so its refund cannot be in {request.amount.currency}",
            code="opayo.currency",
        )
    return original


async def _standing(connection: AsyncConnection, till: Till, original: GatewayTransaction) -> tuple[int, int]:
    """What was captured and what of it is refunded or on its way, behind a lock that lasts the transaction."""
    spent = await registrations.refunded_minor(connection, till.pair, original.transaction_id)
    released = await registrations.released_minor(connection, till.pair, original.transaction_id)
    # Opayo tells of a hold that was released in part its whole amount.
    captured = original.captured.minor
    return (captured if released is None else min(captured, released)), spent


def _insist(captured: int, spent: int, wanted: int, taken: int) -> None:
    if taken and spent + taken + wanted > captured:
        raise RefundExceedsPayment(
            f"{wanted} cannot be refunded: of {captured} captured, {spent} is refunded and {taken} charged back",
            code="refund.charged-back",
            hint="The cardholder's bank has taken the money back. Contest the chargeback; once it is won, refund.",
            evidence={"captured_minor": captured, "refunded_minor": spent, "charged_back_minor": taken},
        )
    if spent + wanted > captured:
        raise RefundExceedsPayment(
            f"{wanted} cannot be refunded: {captured} was captured, and {spent} of it is refunded or on its way",
            evidence={"captured_minor": captured, "refunded_minor": spent, "wanted_minor": wanted},
        )


async def repeat(till: Till, request: RelatedRequest, mark: str) -> GatewayTransaction | None:
    """Take money again with the card of an earlier payment, once; a decline is a transaction.

    Raises:
        VendorTxCodeUsed: another request has the code.
        IntegrationError: as `Gateway.relate`; nothing was taken.
    """
    related = request.related_transaction_id
    intent = intent_of(till, "repeat", request.vendor_tx_code, request.amount, related)
    async with till.engine.begin() as connection:
        known = await claim(connection, intent, mark)
    return await _related(till, request, mark, (intent, known))


async def authorise(till: Till, request: RelatedRequest, mark: str) -> GatewayTransaction | None:
    """Take money of an authenticated transaction, once; all of it at most 115 % of what was authenticated.

    Raises:
        InvalidPayment: another currency, or more than Opayo allows in all.
        VendorTxCodeUsed: another request has the code.
        IntegrationError: as `Gateway.relate`; nothing was taken.
    """
    original = await till.gateway.transaction(request.related_transaction_id)
    intent = intent_of(till, "authorise", request.vendor_tx_code, request.amount, original.transaction_id)
    async with till.engine.begin() as connection:
        spent = await registrations.authorised_minor(connection, till.pair, original.transaction_id)
        known = await known_request(connection, intent, mark)
        if known is None or known["state"] == "refused":
            _insist_authorised(original, spent, request.amount)
        known = await claim(connection, intent, mark)
    return await _related(till, request, mark, (intent, known))


def _insist_authorised(original: GatewayTransaction, spent: int, wanted: Money) -> None:
    limit = original.amount.minor * _AUTHORISE_PERCENT // 100
    if wanted.currency != original.amount.currency or spent + wanted.minor > limit:
        raise InvalidPayment(
            f"{wanted} cannot be authorised: {original.amount} was authenticated, {spent} minor units are taken "
            f"or on their way, and Opayo allows {_AUTHORISE_PERCENT} % in all",
            code="opayo.authorise-exceeds",
            evidence={"authenticated_minor": original.amount.minor, "authorised_minor": spent},
        )


async def _related(
    till: Till, request: RelatedRequest, mark: str, claimed: tuple[GatewayRequest, JsonObject | None]
) -> GatewayTransaction | None:
    intent, known = claimed
    answer = (
        await sent(till, intent, mark, lambda: till.gateway.relate(request))
        if known is None
        else await outcome(till, intent, known)
    )
    assert not isinstance(answer, Challenge)
    return answer


async def register(till: Till, vault: Vault, payment: HostedPayment, mark: str) -> Registration:
    """Register a payment on Opayo's page; its security key is sealed before anybody is sent there.

    Raises:
        VendorTxCodeUsed: another request has the code.
        IntegrationError: as `Gateway.register`; asking again with the same content is safe.
    """
    intent = intent_of(till, payment.kind, payment.vendor_tx_code, payment.amount)
    async with till.engine.begin() as connection:
        known = await claim(connection, intent, mark)
    try:
        try:
            made = await till.gateway.register(payment)
        except OutcomeUnknown:
            # While it is open, the same data gives the same registration.
            made = await till.gateway.register(payment)
    except IntegrationError as error:
        if known is None:
            await refuse(till, intent, mark, error)
        raise
    async with till.engine.begin() as connection:
        await registrations.settle(
            connection, intent, "answered", {"mark": mark, "state": "registered"}, made.transaction_id
        )
        await registrations.seal_key(connection, vault, intent, made.security_key)
    return made


async def finish_challenge(till: Till, transaction_id: str, cres: str) -> GatewayTransaction:
    """Finish a 3-D Secure challenge with the bank's answer.

    Raises:
        IntegrationError: as `Gateway.answer_challenge`.
    """
    try:
        found = await till.gateway.answer_challenge(transaction_id, cres)
    except OutcomeUnknown:
        found = await till.gateway.transaction(transaction_id)
        if found.state in ("pending", "unknown"):
            raise
    async with till.engine.begin() as connection:
        code = found.vendor_tx_code or await registrations.code_of(
            connection, till.pair, found.transaction_id
        )
        found = msgspec.structs.replace(found, vendor_tx_code=code)
        if code and found.state in TAKEN:
            await tell_the_road(connection, till.pair, found.transaction_id, code, found.state)
    return found
