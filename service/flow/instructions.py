"""Release, abort, void and cancel: written down before they are sent, settled by what the transaction then is.

An instruction has no code of its own at Opayo, so its intent's is made from the transaction's id: one transaction is
released, aborted, voided or cancelled once. How much of a hold was released is known from the intent alone.
"""

from __future__ import annotations

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from integration.errors import IntegrationError, InvalidPayment, OutcomeUnknown, Rejected
from integration.ports import Instruction
from service.flow.intents import Till, refuse, tell_the_road
from service.store import registrations
from service.store.registrations import GatewayRequest

JsonObject = dict[str, object]

KINDS = frozenset({"release", "abort", "void", "cancel"})
_DONE = {"release": "captured", "abort": "aborted", "void": "voided", "cancel": "cancelled"}


async def instruct(till: Till, instruction: Instruction) -> None:
    """Release, abort, void or cancel, once; the road learns of it through our own inbox.

    Raises:
        InvalidPayment: a release of more than is held, or of nothing.
        Rejected: it was released before, for another amount.
        IntegrationError: as `Gateway.instruct`; repeating an instruction is safe.
    """
    if instruction.kind == "release":
        await _insist_held(till, instruction)
    intent = _intent(till, instruction)
    if await _is_settled(till, intent):
        return
    try:
        await till.gateway.instruct(instruction)
    except OutcomeUnknown as error:
        if not await _is_done(till, intent):
            await refuse(till, intent, intent.kind, error)
            raise
    except IntegrationError as error:
        await refuse(till, intent, intent.kind, error)
        raise
    await _settle(till, intent)


async def settle(till: Till, known: JsonObject) -> bool:
    """Settle an instruction whose outcome nobody knows by what its transaction is now; whether it was done."""
    intent = GatewayRequest(
        pair=till.pair,
        vendor_tx_code=str(known["vendor_tx_code"]),
        kind=str(known["kind"]),
        amount_minor=int(str(known["amount_minor"])),
        currency=str(known["currency"]),
        related_transaction_id=str(known["related_transaction_id"]),
    )
    if await _is_done(till, intent):
        await _settle(till, intent)
        return True
    never = Rejected(f"The {intent.kind} never arrived at Opayo", code="opayo.never-arrived")
    await refuse(till, intent, intent.kind, never)
    return False


def _intent(till: Till, instruction: Instruction) -> GatewayRequest:
    amount = instruction.amount
    return GatewayRequest(
        pair=till.pair,
        vendor_tx_code=f"{instruction.transaction_id.replace('-', '')}-{instruction.kind}",
        kind=instruction.kind,
        amount_minor=amount.minor if amount is not None else 0,
        currency=amount.currency if amount is not None else "",
        related_transaction_id=instruction.transaction_id,
    )


async def _insist_held(till: Till, instruction: Instruction) -> None:
    held = (await till.gateway.transaction(instruction.transaction_id)).amount
    wanted = instruction.amount or held
    if wanted.currency != held.currency or not 0 < wanted.minor <= held.minor:
        raise InvalidPayment(
            f"{wanted} cannot be released: {held} is held",
            code="opayo.release-exceeds",
            hint="Release at most what is held; the rest of the hold is dropped.",
            evidence={"held_minor": held.minor, "wanted_minor": wanted.minor, "currency": held.currency},
        )


async def _is_settled(till: Till, intent: GatewayRequest) -> bool:
    """Write the intent; whether an earlier call has done the same already.

    Raises:
        Rejected: an earlier one released another amount, or may have.
    """
    async with till.engine.begin() as connection:
        if await registrations.reserve(connection, intent, {"mark": intent.kind}):
            return False
        known = await registrations.one(connection, intent.pair, intent.vendor_tx_code)
        assert known is not None
        before = int(str(known["amount_minor"]))
        if known["state"] != "refused" and before != intent.amount_minor:
            released = Money(before, intent.currency)
            raise Rejected(
                f"A release of {released} was asked for before, and a hold is released once",
                code="opayo.released-before",
                hint="Refund what is too much, or take a new payment for what is too little.",
                evidence={"released_minor": before, "wanted_minor": intent.amount_minor},
            )
        if known["state"] == "answered":
            return True
        await registrations.renew(connection, intent)
    return False


async def _is_done(till: Till, intent: GatewayRequest) -> bool:
    return (await till.gateway.transaction(intent.related_transaction_id)).state == _DONE[intent.kind]


async def _settle(till: Till, intent: GatewayRequest) -> None:
    transaction_id = intent.related_transaction_id
    async with till.engine.connect() as connection:
        code = await registrations.code_of(connection, till.pair, transaction_id)
    if not code:
        found: GatewayTransaction = await till.gateway.transaction(transaction_id)
        code = found.vendor_tx_code
    async with till.engine.begin() as connection:
        answer: JsonObject = {"mark": intent.kind, "state": _DONE[intent.kind]}
        await registrations.settle(connection, intent, "answered", answer)
        if intent.kind == "void":
            await registrations.void(connection, till.pair, transaction_id)
        if code:
            await tell_the_road(connection, till.pair, transaction_id, code, intent.kind)
