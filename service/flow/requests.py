"""Requests to the gateway that our own API makes: written down before they are sent, settled by their answer.

A vendor transaction code is used once, for ever, and its row is the memory of the request. When an answer is lost,
the code is looked up at Opayo before anything else; a repeated call with the same content gets what became of the
first. What was refused without being sent may be sent again under its code.
"""

from __future__ import annotations

import msgspec

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
    Instruction,
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
from service.store import registrations
from service.store.vault import Vault

_DONE = {"release": "captured", "abort": "aborted", "void": "voided", "cancel": "cancelled"}


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
    original = await till.gateway.transaction(request.related_transaction_id)
    if original.amount.currency != request.amount.currency:
        raise InvalidPayment(
            f"The payment is in {original.amount.currency}, so its refund cannot be in {request.amount.currency}",
            code="opayo.currency",
        )
    intent = intent_of(till, "refund", request.vendor_tx_code, request.amount, original.transaction_id)
    async with till.engine.begin() as connection:
        # The lock lasts until the intent is written: the next one counts it.
        spent = await registrations.refunded_minor(connection, till.pair, original.transaction_id)
        known = await known_request(connection, intent, mark)
        if known is None or known["state"] == "refused":
            _insist(original, spent, request.amount.minor)
        known = await claim(connection, intent, mark)
    if known is not None:
        told = await outcome(till, intent, known)
        assert not isinstance(told, Challenge)
        return told
    answer = await sent(till, intent, mark, lambda: till.gateway.relate(request))
    assert not isinstance(answer, Challenge)
    return answer


def _insist(original: GatewayTransaction, spent: int, wanted: int) -> None:
    captured = original.captured.minor
    if spent + wanted > captured:
        raise RefundExceedsPayment(
            f"{wanted} cannot be refunded: {captured} was captured, and {spent} of it is refunded or on its way",
            evidence={"captured_minor": captured, "refunded_minor": spent, "wanted_minor": wanted},
        )


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


async def instruct(till: Till, instruction: Instruction) -> None:
    """Release, abort, void or cancel; the road learns of it through our own inbox.

    Raises:
        IntegrationError: as `Gateway.instruct`; repeating an instruction is safe.
    """
    try:
        await till.gateway.instruct(instruction)
    except OutcomeUnknown:
        if (await till.gateway.transaction(instruction.transaction_id)).state != _DONE[instruction.kind]:
            raise
    async with till.engine.connect() as connection:
        code = await registrations.code_of(connection, till.pair, instruction.transaction_id)
    if not code:
        code = (await till.gateway.transaction(instruction.transaction_id)).vendor_tx_code
    if code:
        async with till.engine.begin() as connection:
            await tell_the_road(connection, till.pair, instruction.transaction_id, code, instruction.kind)


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
