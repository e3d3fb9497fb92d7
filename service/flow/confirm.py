"""Confirm: did SYSPRO store what we sent? Read back, one query per kind for the whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from integration.canonical.documents import Stored
from integration.errors import Unreachable
from service.core.lifecycle import PaymentState, PostingState
from service.core.tie_out import Finding, compare
from service.flow.aggregate import following
from service.flow.facts import document_of
from service.flow.recovery import failed
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store.dead_letters import DeadLetter

_READ_BACKS = 3


async def confirm(trips: Sequence[Trip], stage: Stage) -> None:
    """Compare what is stored with what was sent; differences become findings, or an exception."""
    own = await following(trips, stage, PaymentState.CONFIRMED)
    found: dict[tuple[str, str], tuple[Stored, ...]] = {}
    for kind in sorted({posting.kind for trip in own for posting in trip.payment.postings}):
        documents = [
            document_of(posting)
            for trip in own
            for posting in trip.payment.postings
            if posting.kind == kind and posting.state == PostingState.CONFIRMED
        ]
        if documents:
            for reference, stored in (await stage.session.find(documents)).items():
                found[kind, reference] = stored
    for trip in own:
        _one(trip, found, stage)


def _one(trip: Trip, found: Mapping[tuple[str, str], tuple[Stored, ...]], stage: Stage) -> None:
    payment = trip.payment
    findings: list[Finding] = []
    for posting in payment.postings:
        if posting.state != PostingState.CONFIRMED:
            continue
        stored = found.get((posting.kind, posting.reference), ())
        if not stored and payment.attempts < _READ_BACKS:
            failed(
                trip,
                Unreachable(f"SYSPRO does not show {posting.reference} yet", code="syspro.not-visible-yet"),
                stage,
            )
            return
        if len(stored) != 1:
            findings.append(
                Finding(
                    element="document",
                    sent=posting.reference,
                    stored=f"{len(stored)} found",
                    severity="money",
                )
            )
            continue
        findings += compare(document_of(posting), stored[0].document)
    trip.find("confirm", {"findings": [msgspec.to_builtins(finding) for finding in findings]})
    serious = [finding for finding in findings if finding.severity == "money"]
    parked = [posting for posting in payment.postings if posting.state == PostingState.PARKED]
    if serious or parked:
        _exception(trip, serious, stage)
        return
    trip.passed(PaymentState.CONFIRMED, findings=len(findings))


def _exception(trip: Trip, serious: Sequence[Finding], stage: Stage) -> None:
    """The money is in the ledger, and a person has something to do."""
    payment = trip.payment
    if serious:
        first = serious[0]
        title = f"SYSPRO stored {first.element} as {first.stored!r} where {first.sent!r} was sent"
        code = "syspro.stored-differently"
        hint = "Compare the document in SYSPRO with the payment and correct it there."
    else:
        title = (
            f"The order of {payment.vendor_tx_code} waits: customer {payment.customer} is on hold in SYSPRO"
        )
        code = "syspro.customer-on-hold"
        hint = "The money is posted. Release the customer in SYSPRO, then replay the payment from `post`."
    document: dict[str, object] = {
        "code": code,
        "title": title,
        "hint": hint,
        "retried": False,
        "evidence": {},
    }
    payment.error = document
    trip.letters.append(
        DeadLetter(
            pair=payment.pair, payment_id=payment.payment_id, step="confirm", code=code, error=document
        )
    )
    trip.alert(code, title)
    trip.ended(PaymentState.EXCEPTION, stage.clock(), error=document)
