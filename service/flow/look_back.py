"""Look back: is a document in SYSPRO already? Found ones are adopted; what is proved absent may be sent.

Documents are looked for by our own references, in the order in which they are posted: one that needs the key of an
earlier document is bound to it first, and was never sent before that was known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import cast

import msgspec

from integration.canonical.documents import ErpDocument, Receipt, Stored
from integration.errors import IntegrationError, Rejected
from service.core.late_binding import bind, unbound
from service.core.lifecycle import PostingState, move
from service.core.posting import POSITIONS
from service.core.retries import LookAgain, after_look_up
from service.core.source_document import Json
from service.core.tie_out import Finding, compare
from service.flow.facts import document_of
from service.flow.recovery import failed
from service.flow.references import without_others
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store.payments import Payment, Posting

JsonObject = dict[str, object]

# A document found under our reference is ours if these agree; whatever else differs, `confirm` reports.
_IDENTITY = frozenset(
    {
        "Customer",
        "PaymentValue",
        "InvoiceValue",
        "TransactionType",
        "TransactionValue",
        "DepositOrWithdrawal",
        "MiscellaneousReceiptValue",
    }
)


def become(posting: Posting, to: PostingState) -> None:
    """Move a posting; an illegal move is a defect."""
    posting.state = str(move(PostingState(posting.state), to))


def _receipts(payment: Payment) -> dict[str, Receipt]:
    """What SYSPRO answered to the documents of a payment so far, by kind."""
    return {
        posting.kind: msgspec.convert(posting.receipt, Receipt)
        for posting in payment.postings
        if posting.state == PostingState.CONFIRMED and posting.receipt
    }


def bound(trip: Trip, posting: Posting) -> ErpDocument | None:
    """The document of a posting, with what earlier ones told; `None` while one of them has not told it."""
    document = cast(dict[str, Json], posting.document)
    if unbound(document):
        document = bind(document, _receipts(trip.payment))
        if unbound(document):
            return None
        posting.document = cast(JsonObject, document)
    return document_of(posting)


async def look(trips: Sequence[Trip], stage: Stage) -> None:
    """Find what is in the ERP already: one query per kind of document for the whole batch."""
    wanted = [
        (trip, posting)
        for trip in trips
        for posting in trip.payment.postings
        if posting.state in (PostingState.PREPARED, PostingState.SENT, PostingState.AMBIGUOUS)
    ]
    # In the order of posting: a document may be found only by what an earlier one's receipt tells.
    wanted.sort(key=lambda pair: POSITIONS[pair[1].kind])
    for _, group in groupby(wanted, key=lambda pair: pair[1].kind):
        await _look_for(list(group), stage)


async def _look_for(pairs: Sequence[tuple[Trip, Posting]], stage: Stage) -> None:
    """Find documents of one kind; one that still waits for an earlier document's key was never sent."""
    asked: list[tuple[Trip, Posting, ErpDocument]] = []
    for trip, posting in pairs:
        document = bound(trip, posting) if trip.moving else None
        if document is not None:
            asked.append((trip, posting, document))
        elif trip.moving and posting.state != PostingState.PREPARED:
            _not_found(trip, posting, stage)
    if not asked:
        return
    try:
        found = await stage.session.find([document for _, _, document in asked])
    except IntegrationError as error:
        for trip in dict.fromkeys(trip for trip, _, _ in asked):
            failed(trip, error, stage)
        return
    ours = await without_others(found, stage)
    for trip, posting, document in asked:
        if trip.moving:
            settle(trip, posting, document, ours.get(posting.reference, ()), stage)


def settle(
    trip: Trip, posting: Posting, document: ErpDocument, stored: Sequence[Stored], stage: Stage
) -> None:
    """Take what was found under our reference as posted, if it is ours; or decide what its absence means."""
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
        become(posting, PostingState.AMBIGUOUS)
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
    become(posting, PostingState.PREPARED)
    posting.look_ups = 0
    trip.note("posting.proved_absent", kind=posting.kind, reference=posting.reference)


def _adopt(trip: Trip, posting: Posting, stored: Stored, stage: Stage) -> None:
    receipt = msgspec.structs.replace(stored.receipt, adopted=True)
    become(posting, PostingState.CONFIRMED)
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
