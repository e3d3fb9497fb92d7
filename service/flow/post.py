"""Post: the ERP documents of each payment, exactly once.

1. plan      what documents does the payment become? Stored as `prepared`.
2. look      is any of them in the ERP already? Found ones are adopted: an earlier attempt may have worked and
             its answer been lost, or our database be older than SYSPRO's.
3. announce  what will be sent is marked `sent`, and committed, before the first byte leaves.
4. send      each document once; a lost answer leaves it `ambiguous`, and only step 2 of a later walk decides.

SYSPRO has no idempotency key, so exactly-once rests on looking, never on hope.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby

import msgspec

from integration.canonical.documents import ErpDocument, Stored
from integration.errors import (
    AlreadyPosted,
    CustomerOnHold,
    IntegrationError,
    OutcomeUnknown,
    Rejected,
    Transient,
)
from service.core.lifecycle import PaymentState, PostingState, move, replay
from service.core.posting import PlannedPosting, plan
from service.core.retries import LookAgain, after_look_up
from service.core.tie_out import Finding, compare
from service.flow.aggregate import carried, following
from service.flow.facts import document_of, plan_input
from service.flow.recovery import as_document, failed
from service.flow.references import refuse_used_references, without_others
from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip
from service.store.payments import Payment, Posting

JsonObject = dict[str, object]

# A document found under our reference is ours if these agree; whatever else differs, `confirm` reports.
_IDENTITY = frozenset({"Customer", "PaymentValue", "InvoiceValue", "TransactionType"})

# How long after its announcement a document may still be sent. A process that slept longer than that may have
# been taken over, and its successor be looking: half of the time for which a successor looks.
_ANNOUNCED_SECONDS = 30.0


async def post(trips: Sequence[Trip], stage: Stage) -> None:
    """Post the documents of each payment."""
    own = await following(trips, stage, PaymentState.POSTED)
    await each(own, stage, _plan)
    await refuse_used_references(own, stage)
    await _look(_planned(own), stage)
    going = _planned(own)
    for trip in going:
        for posting in _open(trip):
            _become(posting, PostingState.SENT)
            posting.sent_at = stage.clock()
    await stage.save(going)
    announced = time.monotonic()

    async def send(trip: Trip, at: Stage) -> None:
        await _send(trip, at, announced)

    await each(going, stage, send)


def _planned(trips: Sequence[Trip]) -> list[Trip]:
    return [trip for trip in trips if trip.moving and not trip.passed_node and trip.payment.postings]


def _open(trip: Trip) -> list[Posting]:
    return [posting for posting in trip.payment.postings if posting.state == PostingState.PREPARED]


def _become(posting: Posting, to: PostingState) -> None:
    posting.state = str(move(PostingState(posting.state), to))


async def _plan(trip: Trip, stage: Stage) -> None:
    payment = trip.payment
    for posting in payment.postings:
        if posting.state == PostingState.REFUSED:
            # A person corrected the cause and sent the payment round again: the document is planned anew.
            posting.state = str(replay(PostingState.REFUSED, PostingState.PREPARED))
            posting.error = None
    known = {posting.kind: posting for posting in payment.postings}
    for planned in plan(plan_input(trip, carried(payment))):
        posting = known.get(planned.kind) or _prepared(payment, planned)
        if posting.state == PostingState.PARKED and not planned.parked:
            _become(posting, PostingState.PREPARED)
        if posting.state == PostingState.PREPARED:
            posting.document = msgspec.to_builtins(planned.document)
            # A corrected mapping may name the document otherwise; it is looked for by the name it will have.
            posting.reference, posting.idempotency_key = planned.reference, planned.idempotency_key
            if planned.parked:
                _become(posting, PostingState.PARKED)
                posting.error = {"code": CustomerOnHold.code, "title": planned.parked}


def _prepared(payment: Payment, planned: PlannedPosting) -> Posting:
    posting = Posting(
        pair=payment.pair,
        payment_id=payment.payment_id,
        sequence=planned.position,
        kind=planned.kind,
        reference=planned.reference,
        idempotency_key=planned.idempotency_key,
        document={},
    )
    payment.postings = [*payment.postings, posting]
    return posting


# --- look -----------------------------------------------------------------------------------------


async def _look(trips: Sequence[Trip], stage: Stage) -> None:
    """Find what is in the ERP already: one query per kind of document for the whole batch."""
    wanted = [
        (trip, posting)
        for trip in trips
        for posting in trip.payment.postings
        if posting.state in (PostingState.PREPARED, PostingState.SENT, PostingState.AMBIGUOUS)
    ]
    wanted.sort(key=lambda pair: pair[1].kind)
    for _, group in groupby(wanted, key=lambda pair: pair[1].kind):
        pairs = list(group)
        documents = [document_of(posting) for _, posting in pairs]
        try:
            found = await stage.session.find(documents)
        except IntegrationError as error:
            for trip in dict.fromkeys(trip for trip, _ in pairs):
                failed(trip, error, stage)
            continue
        ours = await without_others(found, stage)
        for (trip, posting), document in zip(pairs, documents, strict=True):
            if trip.moving:
                _found(trip, posting, document, ours.get(posting.reference, ()), stage)


def _found(
    trip: Trip, posting: Posting, document: ErpDocument, stored: Sequence[Stored], stage: Stage
) -> None:
    if len(stored) > 1:
        trip.alert(
            "syspro.posted-twice",
            f"SYSPRO holds {len(stored)} documents under our reference {posting.reference}",
            severity="critical",
        )
        failed(trip, _twice(posting, stored), stage)
        return
    if stored:
        differs = [each for each in compare(document, stored[0].document) if each.element in _IDENTITY]
        if differs:
            failed(trip, _taken(posting, stored[0], differs[0]), stage)
            return
        _adopt(trip, posting, stored[0], stage)
        return
    if posting.state == PostingState.PREPARED:
        return
    _not_found(trip, posting, stage)


def _not_found(trip: Trip, posting: Posting, stage: Stage) -> None:
    """An announced document is not there (yet): a posting may still be running inside SYSPRO."""
    if posting.state == PostingState.SENT:
        _become(posting, PostingState.AMBIGUOUS)
    posting.look_ups += 1
    decision = after_look_up(
        found=False,
        look_ups=posting.look_ups,
        since_sent=stage.clock() - (posting.sent_at or stage.clock()),
        pace=stage.pace,
    )
    if isinstance(decision, LookAgain):
        trip.waits(stage.clock() + decision.wait)
        trip.note("posting.looked_for", reference=posting.reference, look_ups=posting.look_ups)
        return
    _become(posting, PostingState.PREPARED)
    posting.look_ups = 0
    trip.note("posting.proved_absent", kind=posting.kind, reference=posting.reference)


def _adopt(trip: Trip, posting: Posting, stored: Stored, stage: Stage) -> None:
    receipt = msgspec.structs.replace(stored.receipt, adopted=True)
    _become(posting, PostingState.CONFIRMED)
    posting.erp_key = receipt.key
    posting.receipt = msgspec.to_builtins(receipt)
    posting.confirmed_at = stage.clock()
    posting.error = None
    trip.note("posting.adopted", kind=posting.kind, reference=posting.reference, key=receipt.key)


def _twice(posting: Posting, stored: Sequence[Stored]) -> IntegrationError:
    keys = ", ".join(each_one.receipt.key for each_one in stored)
    return Rejected(
        f"SYSPRO holds reference {posting.reference} more than once: {keys}",
        code="syspro.posted-twice",
        hint="Reverse all but one of the documents in SYSPRO, then replay the payment from `post`.",
        evidence={"reference": posting.reference, "keys": keys},
    )


def _taken(posting: Posting, stored: Stored, differs: Finding) -> IntegrationError:
    return Rejected(
        f"SYSPRO holds our reference {posting.reference} for something else: {differs.element} is "
        f"{differs.stored}, ours is {differs.sent}",
        code="syspro.reference-taken",
        hint="Compare the document in SYSPRO with the payment; correct one of them, then replay from `post`.",
        evidence={"reference": posting.reference, "key": stored.receipt.key},
    )


# --- send -----------------------------------------------------------------------------------------


async def _send(trip: Trip, stage: Stage, announced: float) -> None:
    """Send what was announced, in order; what was not reached is taken back."""
    for posting in trip.payment.postings:
        if posting.state != PostingState.SENT:
            continue
        try:
            if time.monotonic() - announced > _ANNOUNCED_SECONDS / stage.pace**0.5:
                raise Transient(
                    f"{posting.reference} was announced too long ago to be sent safely",
                    code="road.overslept",
                )
            await _send_one(trip, posting, stage)
        except Exception as error:
            _refused(posting, error)
            _take_back(trip)
            raise
    parked = [posting for posting in trip.payment.postings if posting.state == PostingState.PARKED]
    keys = {posting.kind: posting.erp_key for posting in trip.payment.postings}
    trip.passed(PaymentState.POSTED, documents=keys)
    if parked:
        trip.find("post", {"parked": [str((posting.error or {}).get("title", "")) for posting in parked]})


async def _send_one(trip: Trip, posting: Posting, stage: Stage) -> None:
    document = document_of(posting)
    try:
        receipt = await stage.session.post(document, posting.idempotency_key)
    except AlreadyPosted:
        # SYSPRO's own guard saw our reference: read what is there and take it, if it is ours.
        found = await without_others(await stage.session.find([document]), stage)
        stored = found.get(posting.reference, ())
        _found(trip, posting, document, stored, stage)
        if posting.state != PostingState.CONFIRMED:
            raise
        return
    _become(posting, PostingState.CONFIRMED)
    posting.erp_key = receipt.key
    posting.receipt = msgspec.to_builtins(receipt)
    posting.confirmed_at = stage.clock()
    trip.note("posting.confirmed", kind=posting.kind, reference=posting.reference, key=receipt.key)


def _refused(posting: Posting, error: Exception) -> None:
    """What a failed call leaves of the posting: only a definite answer proves that nothing was changed."""
    posting.error = as_document(error)
    if posting.state != PostingState.SENT:
        return
    if isinstance(error, OutcomeUnknown) or not isinstance(error, IntegrationError):
        _become(posting, PostingState.AMBIGUOUS)
        posting.look_ups = 0
    elif isinstance(error, Rejected):
        _become(posting, PostingState.REFUSED)
    else:
        _become(posting, PostingState.PREPARED)


def _take_back(trip: Trip) -> None:
    for posting in trip.payment.postings:
        if posting.state == PostingState.SENT:
            _become(posting, PostingState.PREPARED)
            posting.sent_at = None
