"""Post: the ERP documents of each payment, exactly once.

1. plan      what documents does the payment become? Stored as `prepared`.
2. look      is any of them in the ERP already? Found ones are adopted: an earlier attempt may have worked and
             its answer been lost, or our database be older than SYSPRO's.
3. announce  what will be sent is marked `sent`, and committed, before the first byte leaves.
4. send      each document once; a lost answer leaves it `ambiguous`, and only step 2 of a later walk decides.

SYSPRO has no idempotency key, so exactly-once rests on looking, never on hope.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import cast

import msgspec

from integration.errors import (
    AlreadyPosted,
    CustomerOnHold,
    IntegrationError,
    OutcomeUnknown,
    Rejected,
    Transient,
)
from integration.last_word import asked_last
from service.core.late_binding import insist_bound
from service.core.lifecycle import PaymentState, PostingState, replay
from service.core.posting import POSITIONS, PlannedPosting, plan
from service.core.source_document import Json
from service.flow.aggregate import carried, following
from service.flow.facts import plan_input
from service.flow.look_back import become, bound, look, settle
from service.flow.recovery import as_document
from service.flow.references import refuse_used_references, without_others
from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip
from service.store.payments import Payment, Posting

JsonObject = dict[str, object]

# How long after its announcement a document may still be sent. A process that slept longer than that may have
# been taken over, and its successor be looking: half of the time for which a successor looks.
_ANNOUNCED_SECONDS = 30.0


async def post(trips: Sequence[Trip], stage: Stage) -> None:
    """Post the documents of each payment."""
    own = await following(trips, stage, PaymentState.POSTED)
    await each(own, stage, _plan)
    await refuse_used_references(own, stage)
    await look(_planned(own), stage)
    going = _planned(own)
    for trip in going:
        for posting in _open(trip):
            become(posting, PostingState.SENT)
            posting.sent_at = stage.clock()
    await stage.save(going)
    announced = stage.monotonic()

    async def send(trip: Trip, at: Stage) -> None:
        await _send(trip, at, announced)

    await each(going, stage, send)


def _planned(trips: Sequence[Trip]) -> list[Trip]:
    return [trip for trip in trips if trip.moving and not trip.passed_node and trip.payment.postings]


def _open(trip: Trip) -> list[Posting]:
    return [posting for posting in trip.payment.postings if posting.state == PostingState.PREPARED]


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
            become(posting, PostingState.PREPARED)
        if posting.state == PostingState.PREPARED:
            posting.document = msgspec.to_builtins(planned.document)
            # A corrected mapping may name the document otherwise; it is looked for by the name it will have.
            posting.reference, posting.idempotency_key = planned.reference, planned.idempotency_key
            if planned.parked:
                become(posting, PostingState.PARKED)
                posting.error = {"code": CustomerOnHold.code, "title": planned.parked}


def _prepared(payment: Payment, planned: PlannedPosting) -> Posting:
    posting = Posting(
        pair=payment.pair,
        payment_id=payment.payment_id,
        sequence=POSITIONS[planned.kind],
        kind=planned.kind,
        reference=planned.reference,
        idempotency_key=planned.idempotency_key,
        document={},
    )
    payment.postings = [*payment.postings, posting]
    return posting


# --- send -----------------------------------------------------------------------------------------


async def _send(trip: Trip, stage: Stage, announced: float) -> None:
    """Send what was announced, in order; what was not reached is taken back."""
    for posting in trip.payment.postings:
        if posting.state != PostingState.SENT:
            continue
        try:
            awake = partial(_insist_awake, posting, stage, announced)
            awake()
            with asked_last(awake):
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


def _insist_awake(posting: Posting, stage: Stage, announced: float) -> None:
    # A machine that was suspended may have stopped one clock and not the other.
    asleep = (stage.clock() - (posting.sent_at or stage.clock())).total_seconds()
    if max(stage.monotonic() - announced, asleep) > _ANNOUNCED_SECONDS / math.sqrt(stage.pace):
        title = f"{posting.reference} was announced too long ago to be sent safely"
        raise Transient(title, code="road.overslept")


async def _send_one(trip: Trip, posting: Posting, stage: Stage) -> None:
    document = bound(trip, posting)
    if document is None:
        insist_bound(cast(dict[str, Json], posting.document), posting.reference)
    assert document is not None
    try:
        receipt = await stage.session.post(document, posting.idempotency_key)
    except AlreadyPosted:
        # SYSPRO's own guard saw our reference: read what is there and take it, if it is ours.
        found = await without_others(await stage.session.find([document]), stage)
        stored = found.get(posting.reference, ())
        settle(trip, posting, document, stored, stage)
        if posting.state != PostingState.CONFIRMED:
            raise
        return
    become(posting, PostingState.CONFIRMED)
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
        become(posting, PostingState.AMBIGUOUS)
        posting.look_ups = 0
    elif isinstance(error, Rejected):
        become(posting, PostingState.REFUSED)
    else:
        become(posting, PostingState.PREPARED)


def _take_back(trip: Trip) -> None:
    for posting in trip.payment.postings:
        if posting.state == PostingState.SENT:
            become(posting, PostingState.PREPARED)
            posting.sent_at = None
