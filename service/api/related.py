"""The v3 routes about an earlier transaction: refund it, repeat it, authorise it, instruct it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from integration.canonical.money import Money
from integration.ports import Instruction, RelatedRequest
from service.api.access import needs
from service.api.counter import Counter
from service.api.outcomes import GO_ON, Outcome, answer, mark
from service.api.parameters import JsonObject
from service.api.v3 import (
    ChallengeShown,
    Code,
    Currency,
    InstructionShown,
    NewInstruction,
    NewRefund,
    StillUnknown,
    money,
    plain_id,
)
from service.flow import instructions, requests
from service.flow.refund_proposals import propose
from service.store import registrations
from service.store.refund_proposals import Proposal

_Amount = Annotated[int, msgspec.Meta(ge=1, le=10**12, description="Minor units of the currency.")]
_MERCHANT: JsonObject = {"cofUsage": "Subsequent", "initiatedType": "MIT", "mitType": "Unscheduled"}


class NewRepeat(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Money taken again with the card of an earlier payment, which was made to be repeated (`credentialType` first).

    Attributes:
        credential_type: passed on to Opayo as it is; by default an unscheduled charge by the merchant.
    """

    amount: _Amount
    currency: Currency
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    vendor_tx_code: Code | None = None
    credential_type: JsonObject | None = None


class NewAuthorisation(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Money taken of an authenticated transaction, in its currency."""

    amount: _Amount
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    vendor_tx_code: Code | None = None


class WaitsForApproval(Struct, frozen=True, kw_only=True, rename="camel"):
    """The refund is above what one person may give back: a second one approves it."""

    proposal_id: int
    vendor_tx_code: str
    state: str
    approve: str


_REFUNDED = {
    202: ResponseSpec(
        ChallengeShown | StillUnknown | WaitsForApproval,  # type: ignore[arg-type]  # a union is described well
        description="A second person approves it first; or the answer was lost: ask at `poll`",
        generate_examples=False,
    )
}


@post(
    "/transactions/{transaction_id:str}/refunds",
    guards=[needs("operator")],
    responses=_REFUNDED,
    summary="Refund a payment",
)
async def new_refund(
    transaction_id: FromPath[str], data: JSONBody[NewRefund], counter: NamedDependency[Counter]
) -> Response[Outcome | WaitsForApproval]:
    """Give money back, at most what was captured and is not refunded yet, however many ask at once.

    Above the pair's limit for one person, all refunds of the payment together, it becomes a proposal (202).
    """
    related = plain_id(transaction_id)
    currency = data.currency or (await counter.till.gateway.transaction(related)).amount.currency
    request = RelatedRequest(
        kind="refund",
        vendor_tx_code=counter.code(data.vendor_tx_code),
        related_transaction_id=related,
        amount=money(data.amount, currency),
        description=data.description,
    )
    if await _needs_two(counter, request):
        return await _proposed(counter, request)
    found = await requests.refund(counter.till, request, mark(data, related))
    told = answer(found, request.vendor_tx_code)
    return Response(told.content, status_code=told.status_code, headers=told.headers)


async def _needs_two(counter: Counter, request: RelatedRequest) -> bool:
    settings, _ = await counter.context.connections(counter.till.pair)
    limit = settings.refunds.two_persons_above
    if limit is None:
        return False
    async with counter.context.engine.begin() as connection:
        if await registrations.one(connection, counter.till.pair, request.vendor_tx_code) is not None:
            return False  # it was sent before: what became of it is the answer
        spent = await registrations.refunded_minor(
            connection, counter.till.pair, request.related_transaction_id
        )
    return spent + request.amount.minor > limit


async def _proposed(counter: Counter, request: RelatedRequest) -> Response[Outcome | WaitsForApproval]:
    await requests.insist_refundable(counter.till, request)
    pair = counter.till.pair
    proposal = Proposal(
        pair=pair,
        source=f"request/{request.vendor_tx_code}",
        related_transaction_id=request.related_transaction_id,
        vendor_tx_code=request.vendor_tx_code,
        amount=request.amount,
        proposed_by=counter.caller.name,
        proposer_key=counter.caller.key_id,
        reason=request.description,
    )
    known = await propose(counter.context.engine, proposal)
    number = int(str(known["proposal_id"]))
    waits = WaitsForApproval(
        proposal_id=number,
        vendor_tx_code=request.vendor_tx_code,
        state=str(known["state"]),
        approve=f"/api/v1/pairs/{pair}/refund-proposals/{number}/approve",
    )
    return Response(waits, status_code=202)


@post(
    "/transactions/{transaction_id:str}/repeats",
    guards=[needs("operator")],
    responses=GO_ON,
    summary="Repeat a payment",
)
async def new_repeat(
    transaction_id: FromPath[str], data: JSONBody[NewRepeat], counter: NamedDependency[Counter]
) -> Response[Outcome]:
    """Take money again with the card of an earlier payment; a decline is an answer, not an error."""
    related = plain_id(transaction_id)
    request = RelatedRequest(
        kind="repeat",
        vendor_tx_code=counter.code(data.vendor_tx_code),
        related_transaction_id=related,
        amount=money(data.amount, data.currency),
        description=data.description,
        extra={"credentialType": data.credential_type or _MERCHANT},
    )
    found = await requests.repeat(counter.till, request, mark(data, related))
    return answer(found, request.vendor_tx_code)


@post(
    "/transactions/{transaction_id:str}/authorisations",
    guards=[needs("operator")],
    responses=GO_ON,
    summary="Authorise an authenticated transaction",
)
async def new_authorisation(
    transaction_id: FromPath[str], data: JSONBody[NewAuthorisation], counter: NamedDependency[Counter]
) -> Response[Outcome]:
    """Take money of an authenticated transaction, in parts if need be: at most 115 % of its amount in all."""
    related = plain_id(transaction_id)
    currency = (await counter.till.gateway.transaction(related)).amount.currency
    request = RelatedRequest(
        kind="authorise",
        vendor_tx_code=counter.code(data.vendor_tx_code),
        related_transaction_id=related,
        amount=Money(data.amount, currency),
        description=data.description,
    )
    found = await requests.authorise(counter.till, request, mark(data, related))
    return answer(found, request.vendor_tx_code)


@post(
    "/transactions/{transaction_id:str}/instructions",
    guards=[needs("operator")],
    summary="Instruct a transaction",
)
async def new_instruction(
    transaction_id: FromPath[str], data: JSONBody[NewInstruction], counter: NamedDependency[Counter]
) -> InstructionShown:
    """Release a hold once, whole or in part, or abort it; void a payment of today; cancel an authenticated one."""
    known_id = plain_id(transaction_id)
    amount = None
    if data.instruction_type == "release":
        held = (await counter.till.gateway.transaction(known_id)).amount
        amount = money(data.amount if data.amount is not None else held.minor, data.currency or held.currency)
    instruction = Instruction(kind=data.instruction_type, transaction_id=known_id, amount=amount)
    await instructions.instruct(counter.till, instruction)
    return InstructionShown(transaction_id=known_id, instruction_type=data.instruction_type)


HANDLERS = [new_refund, new_repeat, new_authorisation, new_instruction]
