"""Repair: before a payment becomes a dead letter, is there something that would put it right?

A person's rules come first, then the classes of repair. What the pair allows and nothing is lost by applies itself:
the payment walks again, once for each class. Everything else is written beside the dead letter, for a person.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from integration.errors import IntegrationError
from service.core.flows import FlowDocument
from service.core.lifecycle import PaymentState
from service.core.lifecycle import replay as sent_back
from service.core.repairs import NotRepairable, Proposal, mode_of
from service.flow.amend import amend, insist_unposted
from service.flow.recovery import NOT_THE_PAYMENTS
from service.flow.repair_finding import Found, proposals
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import bell, repairs
from service.store.payments import Payment
from service.store.repairs import NewRepair

JsonObject = dict[str, object]
log = structlog.get_logger()


async def repair(trips: Sequence[Trip], stage: Stage) -> None:
    """Repair payments that are about to become dead letters; one that cannot be stays as it is."""
    for trip in trips:
        try:
            await _one(trip, stage)
        except NOT_THE_PAYMENTS:
            raise
        except IntegrationError as error:
            # SYSPRO could not be asked for a spelling: the dead letter stands, and its page offers the fields.
            log.warning("repair.not_looked_for", payment=trip.payment.payment_id, code=error.error_code)
        except Exception:
            # A repair that fails leaves the dead letter that there would have been.
            log.exception("repair.failed", payment=trip.payment.payment_id)


async def _one(trip: Trip, stage: Stage) -> None:
    payment = trip.payment
    # What is gathered into one posting is not this payment's alone.
    if payment.error is None or "aggregate" in payment.findings:
        return
    found = await proposals(trip, stage)
    if not found:
        return
    async with stage.reads.connect() as connection:
        tried = {
            _name(str(row["repair"]), str(row["rule"]))
            for row in await repairs.decided(connection, payment.payment_id)
        }
    for each in found:
        proposal = _possible(payment, each.proposal)
        mode = mode_of(stage.pair.repairs, each.proposal.repair)
        # Periods only move forward, so a second closed one ends by itself.
        again = _name(each.proposal.repair, each.rule) in tried and each.proposal.repair != "closed-period"
        if proposal is None or mode == "off" or again:
            continue
        if mode == "apply" and proposal.certain:
            await _apply(trip, stage, each, proposal)
            return
        _propose(trip, each, proposal)


def _name(repair: str, rule: str) -> str:
    return f"{repair}/{rule}"


def _possible(payment: Payment, proposal: Proposal) -> Proposal | None:
    """The proposal as it can be made: what is in the ledger is not changed, and the payment goes on from there."""
    try:
        insist_unposted(payment, proposal.changes)
    except NotRepairable:
        return None
    if payment.state != PaymentState.EXCEPTION or not proposal.from_start:
        return proposal
    in_documents = all(each.path.startswith("mapped.") for each in proposal.changes)
    return msgspec.structs.replace(proposal, from_start=False) if in_documents else None


def _propose(trip: Trip, each: Found, proposal: Proposal) -> None:
    trip.repairs.append(_row(trip, each, proposal, "proposed"))
    trip.note("payment.repair_proposed", **told(proposal), rule=each.rule)


async def _apply(trip: Trip, stage: Stage, each: Found, proposal: Proposal) -> None:
    payment = trip.payment
    row = _row(trip, each, proposal, "applied")
    async with stage.reads.connect() as connection:
        flow = await stage.library.flow(connection, payment.pair, payment.flow, payment.flow_version)
    amend(payment, proposal.changes)
    trip.letters = []
    trip.repairs = [row]
    trip.note("payment.repaired", **told(proposal), rule=each.rule, error=row.error)
    set_back(payment, flow, from_start=proposal.from_start)
    payment.lane = bell.screening(payment.pair) if proposal.from_start else stage.lane.lane
    payment.due_at = stage.clock()


def set_back(payment: Payment, flow: FlowDocument, *, from_start: bool) -> None:
    """Put a payment where it walks again: at validation, or at the step that failed."""
    target = PaymentState.RECEIVED if from_start else PaymentState.CLEARED
    payment.state = str(sent_back(PaymentState(payment.state), target))
    if from_start:
        payment.node = beginning(flow, payment.node)
    payment.attempts, payment.failing_since, payment.error, payment.final_at = 0, None, None, None


def beginning(flow: FlowDocument, otherwise: str) -> str:
    """The node of a flow at which a payment is validated."""
    return next((node.id for node in flow.nodes if node.step == "validate"), otherwise)


def told(proposal: Proposal) -> JsonObject:
    """A proposal as the audit trail carries it, with before and after."""
    return {
        "repair": proposal.repair,
        "changes": msgspec.to_builtins(proposal.changes),
        "reason": proposal.reason,
    }


def _row(trip: Trip, each: Found, proposal: Proposal, state: str) -> NewRepair:
    payment = trip.payment
    error = payment.error or {}
    return NewRepair(
        pair=payment.pair,
        payment_id=payment.payment_id,
        repair=proposal.repair,
        step=trip.node.step,
        code=str(error.get("code", "")),
        changes=msgspec.to_builtins(proposal.changes),
        reason=proposal.reason,
        state=state,
        from_start=proposal.from_start,
        error=error,
        rule=each.rule,
        rule_version=each.version,
        decided_by="road" if state == "applied" else "",
    )
