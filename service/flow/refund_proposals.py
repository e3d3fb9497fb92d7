"""Refund proposals: asked for above the pair's limit, or by a credit note in the ERP; decided, sent, and followed.

The one who asks cannot approve. What is approved is sent under a code that the proposal has had from its beginning,
so that sending it twice is sending it once.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from integration.canonical.money import Money
from integration.errors import IntegrationError, NotFound, Rejected
from integration.ports import RelatedRequest
from service.flow import requests
from service.flow.intents import Till
from service.flow.recovery import as_document
from service.store import alerts, audit, refund_proposals
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.refund_proposals import Proposal

JsonObject = dict[str, object]
log = structlog.get_logger()


class Decider(Struct, frozen=True, kw_only=True):
    """Who decides about a proposal: a person behind an API key."""

    name: str
    key_id: int
    note: str = ""


def code_for(pair: str, source: str) -> str:
    """The vendor transaction code of a proposal's refund: made from its source, so the same for ever."""
    return f"RP-{hashlib.sha256(f'{pair}|{source}'.encode()).hexdigest()[:24].upper()}"


async def propose(engine: AsyncEngine, proposal: Proposal, *, by_itself: bool = False) -> JsonObject:
    """Write a proposal down and tell people of it; one of the same source is the same proposal.

    Args:
        by_itself: the pair lets proposals as small as this one go without a person.

    Raises:
        Rejected: the source was used for another refund.
    """
    async with engine.begin() as connection:
        proposal_id = await refund_proposals.add(connection, proposal)
        if proposal_id is not None:
            await audit.write(connection, [_line(proposal, "refund.proposed", proposal.proposed_by)])
        if proposal_id is not None and by_itself:
            await refund_proposals.become(
                connection, proposal.pair, proposal_id, "approved", decided_by="the pair's settings"
            )
        elif proposal_id is not None:
            await alerts.raise_all(connection, [_waits(proposal)])
        known = await refund_proposals.of_source(connection, proposal.pair, proposal.source)
    same = known is not None and (
        known["amount_minor"] == proposal.amount.minor
        and known["related_transaction_id"] == proposal.related_transaction_id
    )
    if known is None or not same:
        raise Rejected(
            f"The code {proposal.vendor_tx_code} was used for another refund",
            code="opayo.vendor-tx-code-used",
            hint="Use a new code; a code is used once, for ever.",
        )
    return known


async def approve(till: Till, proposal_id: int, decider: Decider) -> JsonObject:
    """Approve a proposal and send its refund.

    Raises:
        NotFound: there is no such proposal.
        Rejected: it was decided before, or by the one who asks; or Opayo refuses the refund.
        IntegrationError: as `requests.refund`; what was approved is sent again by itself.
    """
    async with till.engine.begin() as connection:
        known = await refund_proposals.one(connection, till.pair, proposal_id)
        known = _insist_open(known, proposal_id)
        if decider.key_id == known["proposer_key"] or decider.name == known["proposed_by"]:
            raise Rejected(
                f"{decider.name} asked for this refund and cannot approve it",
                code="refund.same-person",
                hint="Let a second person approve it with a key of their own.",
            )
        await _decide(connection, till, decider, known, "approved")
    return await send(till, {**known, "state": "approved"})


async def _decide(
    connection: AsyncConnection, till: Till, decider: Decider, known: JsonObject, to: str
) -> None:
    proposal_id = int(str(known["proposal_id"]))
    await refund_proposals.become(connection, till.pair, proposal_id, to, decided_by=decider.name)
    detail: JsonObject = {"proposal_id": proposal_id, "note": decider.note}
    line = Line(pair=till.pair, actor=decider.name, action=f"refund.{to}", detail=detail)
    await audit.write(connection, [line])


async def refuse(till: Till, proposal_id: int, decider: Decider) -> JsonObject:
    """Refuse a proposal: no money goes back for it.

    Raises:
        NotFound: there is no such proposal.
        Rejected: it was decided before.
    """
    async with till.engine.begin() as connection:
        known = await refund_proposals.one(connection, till.pair, proposal_id)
        known = _insist_open(known, proposal_id)
        await _decide(connection, till, decider, known, "refused")
    return {**known, "state": "refused", "decided_by": decider.name}


def _insist_open(known: JsonObject | None, proposal_id: int) -> JsonObject:
    if known is None:
        raise NotFound(f"There is no refund proposal {proposal_id}", code="refund.unknown-proposal")
    if known["state"] != "proposed":
        raise Rejected(
            f"Refund proposal {proposal_id} is {known['state']} already",
            code="refund.decided",
            hint="A proposal is decided once.",
        )
    return known


async def send(till: Till, known: JsonObject) -> JsonObject:
    """Send the refund of an approved proposal; while nobody knows its outcome it stays approved.

    Raises:
        IntegrationError: as `requests.refund`.
    """
    proposal_id = int(str(known["proposal_id"]))
    request = RelatedRequest(
        kind="refund",
        vendor_tx_code=str(known["vendor_tx_code"]),
        related_transaction_id=str(known["related_transaction_id"]),
        amount=Money(int(str(known["amount_minor"])), str(known["currency"])),
        description=str(known["reason"])[:100] or "Refund",
    )
    try:
        found = await requests.refund(till, request, f"proposal/{proposal_id}")
    except Rejected as error:
        async with till.engine.begin() as connection:
            await refund_proposals.become(
                connection, till.pair, proposal_id, "refused", error=as_document(error)
            )
        raise
    if found is None:
        return known
    async with till.engine.begin() as connection:
        await refund_proposals.become(
            connection, till.pair, proposal_id, "sent", transaction_id=found.transaction_id
        )
    return {**known, "state": "sent", "transaction_id": found.transaction_id}


async def go_on(till: Till, before: datetime) -> JsonObject:
    """Send what was approved and not heard of since `before`, and note what is in the ledger by now."""
    outcome = {"sent": 0, "failed": 0, "done": 0}
    async with till.engine.begin() as connection:
        outcome["done"] = await refund_proposals.finish_posted(connection, till.pair)
        waiting = await refund_proposals.approved(connection, till.pair, before)
    for known in waiting:
        try:
            told = await send(till, known)
        except IntegrationError as error:
            outcome["failed"] += 1
            log.warning(
                "refund.not_sent", pair=till.pair, proposal=known["proposal_id"], code=error.error_code
            )
        else:
            outcome["sent"] += told["state"] == "sent"
    return dict(outcome)


def _waits(proposal: Proposal) -> Alert:
    return Alert(
        pair=proposal.pair,
        code="refund.proposed",
        subject=f"refund {proposal.vendor_tx_code}",
        title=f"A refund of {proposal.amount} waits for approval: {proposal.reason or proposal.source}",
        severity="info",
    )


def _line(proposal: Proposal, action: str, actor: str) -> Line:
    return Line(
        pair=proposal.pair,
        actor=actor,
        action=action,
        detail={
            "source": proposal.source,
            "transaction_id": proposal.related_transaction_id,
            "amount_minor": proposal.amount.minor,
            "currency": proposal.amount.currency,
        },
    )
