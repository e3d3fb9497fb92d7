"""What must hold whatever happened: the promises about money, checked from the two ledgers and our own rows.

Plain data in, a list of broken promises out, so that a test that killed real processes, a simulation and an auditor
ask the same questions. The names are those of the handbook's page Reliability. `I4`, `I5` and `I6` are about
reconciliation and `I11` about a chained audit trail; neither exists yet (`NOT_YET`). Receipts are compared one by
one with what they are for, so flows that convert a currency or gather payments into one receipt are not judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

import msgspec

from service.core.books import (
    Books,
    Broken,
    Effect,
    LedgerJournal,
    LedgerOrder,
    PaymentFacts,
    PostingFacts,
    Receipt,
    Text,
    TrailLine,
)
from service.core.card_data import find_cards
from service.core.invariant_trail import road_lines, wrong_turns
from service.core.lifecycle import IN_LEDGER, WAITING, PaymentState
from service.core.references import hex_reference, po_number

__all__ = [
    "NOT_YET",
    "Books",
    "Broken",
    "Effect",
    "LedgerJournal",
    "LedgerOrder",
    "PaymentFacts",
    "PostingFacts",
    "Receipt",
    "Text",
    "TrailLine",
    "broken_invariants",
    "differences",
]

NOT_YET: Mapping[str, str] = {
    "I4": "each settlement line is in exactly one reconciliation state: comes with reconciliation",
    "I5": "the two sides of a match balance within its tolerance: comes with reconciliation",
    "I6": "no settlement line is in two live matches: comes with reconciliation",
    "I11": "the audit trail's hash chain verifies: comes with the chain",
}

_OPEN_POSTINGS = frozenset({"prepared", "sent", "ambiguous"})
_NOTHING_POSTED = frozenset(
    {PaymentState.HELD, PaymentState.DEAD_LETTER, PaymentState.IGNORED, PaymentState.REJECTED}
)


def broken_invariants(books: Books) -> list[Broken]:
    """Every promise that does not hold, with its evidence; an empty list is what it should be."""
    return [
        Broken(name=name, claim=claim, evidence=evidence)
        for name, (claim, check) in _CHECKS.items()
        for evidence in check(books)
    ]


def differences(before: Books, after: Books) -> list[Broken]:
    """What a replay of the whole inbox into an empty database changed (I14): nothing may.

    Args:
        before: the books after the first walk, at rest.
        after: the books after the replay, at rest, with the same ledgers.
    """
    changed = [
        *_differ("AR payments", _counted(before.receipts), _counted(after.receipts)),
        *_differ("sales orders", _counted(before.orders), _counted(after.orders)),
        *_differ("payments", _ends(before), _ends(after)),
    ]
    claim = "a replay of the whole inbox into an empty database ends as the first walk did"
    return [Broken(name="I14", claim=claim, evidence=evidence) for evidence in changed]


def _counted(rows: Iterable[Receipt] | Iterable[LedgerOrder]) -> dict[str, str]:
    counts = Counter(msgspec.json.encode(row).decode() for row in rows)
    return {row: f"{count} times" for row, count in counts.items()}


def _ends(books: Books) -> dict[str, str]:
    return {each.transaction_id: each.state for each in books.payments}


def _differ(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield f"{what}: {key} was {before.get(key, 'not there')} and is {after.get(key, 'not there')}"


# --- the ledgers ----------------------------------------------------------------------------------


def _key(transaction_id: str) -> str:
    return hex_reference(transaction_id)


def _taken(books: Books) -> list[Effect]:
    return [each for each in books.effects if each.captured_minor > 0 and not each.refund]


def _one_posting(books: Books) -> Iterator[str]:
    for reference, count in Counter(each.reference for each in books.receipts).items():
        if count > 1:
            yield f"SYSPRO holds {count} AR payments {reference}"
    for po, count in Counter(each.po_number for each in books.orders).items():
        if count > 1:
            yield f"SYSPRO holds {count} live sales orders {po}"
    known = {_key(each.transaction_id) for each in books.effects if each.captured_minor > 0}
    for each in books.receipts:
        if each.reference not in known:
            yield f"AR payment {each.reference} has no captured payment at Opayo"


def _one_or_named(books: Books) -> Iterator[str]:
    if not books.at_rest:
        return
    by_key = {_key(each.transaction_id): each for each in books.payments}
    posted = {each.reference for each in books.receipts}
    for effect in _taken(books):
        problem = _place(effect, by_key.get(_key(effect.transaction_id)), posted, books)
        if problem:
            yield f"{effect.vendor_tx_code}: {problem}"
    yield from _unended(books)


def _place(effect: Effect, payment: PaymentFacts | None, posted: set[str], books: Books) -> str:
    in_ledger = _key(effect.transaction_id) in posted
    if payment is None:
        named = effect.transaction_id in books.named_messages
        return "" if named and not in_ledger else "captured, and no payment and no dead letter names it"
    state = PaymentState(payment.state)
    if in_ledger and state not in IN_LEDGER:
        return f"its AR payment is in SYSPRO, and it is {state}"
    if state in WAITING and not payment.reason.strip():
        return f"it is {state}, and nobody can read why"
    if not in_ledger and state not in WAITING | {PaymentState.REJECTED}:
        return f"it is {state}, and its AR payment is not in SYSPRO"
    return ""


def _unended(books: Books) -> Iterator[str]:
    for payment in books.payments:
        if payment.on_lane:
            yield f"{payment.vendor_tx_code} is {payment.state} and still under way"
    if books.open_messages:
        yield f"{books.open_messages} messages were never looked at"
    ended = {each.payment_id: PaymentState(each.state) for each in books.payments}
    for posting in books.postings:
        left = posting.state == "ambiguous" or ended.get(posting.payment_id) in {
            PaymentState.POSTED,
            PaymentState.CONFIRMED,
        }
        if left and posting.state in _OPEN_POSTINGS:
            yield f"{posting.kind} {posting.reference} is {posting.state} at the end"


def _to_the_penny(books: Books) -> Iterator[str]:
    if not books.at_rest:
        return
    posted = {each.reference for each in books.receipts}
    expected: Counter[str] = Counter()
    for effect in _taken(books):
        if _key(effect.transaction_id) in posted:
            expected[effect.currency] += effect.captured_minor
    found: Counter[str] = Counter()
    for receipt in books.receipts:
        found[receipt.currency] += receipt.minor
    for currency in sorted(expected.keys() | found.keys()):
        if expected[currency] != found[currency]:
            yield f"{currency}: Opayo took {expected[currency]} of what is posted, SYSPRO holds {found[currency]}"
    amounts = {_key(each.transaction_id): each for each in _taken(books)}
    for receipt in books.receipts:
        taken = amounts.get(receipt.reference)
        if taken is not None and (taken.currency, taken.captured_minor) != (receipt.currency, receipt.minor):
            yield (
                f"{taken.vendor_tx_code}: Opayo took {taken.captured_minor} {taken.currency}, "
                f"SYSPRO holds {receipt.minor} {receipt.currency}"
            )


def _refunds(books: Books) -> Iterator[str]:
    for each in books.effects:
        if not each.refund and each.refunded_minor > each.captured_minor:
            yield f"{each.vendor_tx_code}: {each.refunded_minor} refunded of {each.captured_minor} captured"


def _balanced(books: Books) -> Iterator[str]:
    for each in books.journals:
        if each.debit_minor != each.credit_minor:
            yield f"journal {each.number}: debits {each.debit_minor}, credits {each.credit_minor}"
    debits = sum(each.debit_minor for each in books.journals)
    credits_ = sum(each.credit_minor for each in books.journals)
    if debits != credits_:
        yield f"all journals: debits {debits}, credits {credits_}"


def _nothing_changed(books: Books) -> Iterator[str]:
    receipts = {each.reference for each in books.receipts}
    orders = {each.po_number for each in books.orders}
    for payment in books.payments:
        if PaymentState(payment.state) not in _NOTHING_POSTED:
            continue
        if _key(payment.transaction_id) in receipts:
            yield f"{payment.vendor_tx_code} is {payment.state}, and its AR payment is in SYSPRO"
        if payment.vendor_tx_code and po_number(payment.vendor_tx_code) in orders and books.at_rest:
            yield f"{payment.vendor_tx_code} is {payment.state}, and its sales order is in SYSPRO"
    # SYSPRO pads its numbers with zeros on one transport and not on the other.
    numbers = {each.number.lstrip("0") for each in books.orders}
    for posting in books.postings:
        known = posting.state == "confirmed" and posting.kind == "sales_order"
        if known and posting.erp_key.lstrip("0") not in numbers:
            yield f"sales order {posting.reference} is confirmed as {posting.erp_key}, which SYSPRO does not hold"


# --- our own rows ---------------------------------------------------------------------------------


def _forwards(books: Books) -> Iterator[str]:
    names = {each.payment_id: each for each in books.payments}
    ordered = sorted(books.trail, key=lambda line: (line.payment_id, line.audit_id))
    for payment_id, lines in groupby(ordered, key=lambda line: line.payment_id):
        payment = names.get(payment_id)
        if payment is None:
            continue
        steps = road_lines([(line.action, line.detail) for line in lines])
        for wrong in wrong_turns(steps, PaymentState(payment.state)):
            yield f"{payment.vendor_tx_code}: {wrong}"


def _no_cards(books: Books) -> Iterator[str]:
    for each in books.texts:
        if found := find_cards(each.text):
            yield f"{each.place} holds {len(found)} card numbers"


_SAYS_BEFORE = {
    "payment.replayed": "was",
    "payment.corrected": "corrections",
    "payment.repaired": "changes",
}


def _by_hand(books: Books) -> Iterator[str]:
    for line in books.trail:
        if not line.actor.strip():
            yield f"line {line.audit_id}, {line.action}: nobody did it"
        if line.actor == "road" or not line.action.startswith("payment."):
            continue
        if not str(line.detail.get("note", "")).strip():
            yield f"line {line.audit_id}: {line.actor} gave no reason for {line.action}"
        needs = _SAYS_BEFORE.get(line.action)
        if needs and not line.detail.get(needs):
            yield f"line {line.audit_id}: {line.action} does not say what was there before"


_CHECKS: Mapping[str, tuple[str, Callable[[Books], Iterator[str]]]] = {
    "I1": ("each effect at Opayo has at most one live posting in SYSPRO", _one_posting),
    "I2": ("at the end it has exactly one, or one named cause why not", _one_or_named),
    "I3": ("SYSPRO's receipts are what Opayo captured, to the penny", _to_the_penny),
    "I7": ("no more is refunded than was captured", _refunds),
    "I8": ("a payment's state only moves along the allowed graph", _forwards),
    "I9": ("debits are credits, in each journal and in total", _balanced),
    "I10": ("what was refused, held or ignored changed nothing in SYSPRO", _nothing_changed),
    "I12": ("no card number is in any table or log", _no_cards),
    "I13": ("every change by hand has an actor, a reason, and what was before", _by_hand),
}
