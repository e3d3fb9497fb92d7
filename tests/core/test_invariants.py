"""The invariants notice every way in which the books can fail to agree, and are silent when they do."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.invariants import (
    Books,
    Effect,
    LedgerJournal,
    LedgerOrder,
    PaymentFacts,
    PostingFacts,
    Receipt,
    Text,
    TrailLine,
    broken_invariants,
    differences,
)
from service.core.lifecycle import MOVES, PaymentState

ID = "0F9A6C2E-3B41-4D0A-9C77-5E1B2A3C4D5E"
REFERENCE = ID.replace("-", "")[:30]
CODE = "SO-1"


def line(number: int, action: str, actor: str = "road", **detail: object) -> TrailLine:
    return TrailLine(audit_id=number, payment_id=1, actor=actor, action=action, detail=detail)


ROAD = tuple(
    line(number, f"payment.{state}")
    for number, state in enumerate(("received", "validated", "mapped", "cleared", "posted", "confirmed"))
)
GOOD = Books(
    effects=(Effect(transaction_id=ID, vendor_tx_code=CODE, currency="GBP", captured_minor=1000),),
    receipts=(Receipt(reference=REFERENCE, currency="GBP", minor=1000),),
    orders=(LedgerOrder(number="000000000100673", po_number=CODE),),
    journals=(LedgerJournal(number="1", debit_minor=1000, credit_minor=1000),),
    payments=(
        PaymentFacts(
            payment_id=1, transaction_id=ID, vendor_tx_code=CODE, state="confirmed", amount_minor=1000, currency="GBP"
        ),
    ),
    postings=(
        PostingFacts(payment_id=1, kind="sales_order", reference=CODE, state="confirmed", erp_key="100673"),
        PostingFacts(payment_id=1, kind="ar_payment", reference=REFERENCE, state="confirmed"),
    ),
    trail=ROAD,
    texts=(Text(place="table inbox", text='{"card":"************0006"}'),),
)  # fmt: skip


def but(**changes: object) -> Books:
    return msgspec.structs.replace(GOOD, **changes)


def payment(**changes: object) -> tuple[PaymentFacts, ...]:
    return (msgspec.structs.replace(GOOD.payments[0], **changes),)


def stopped(state: str, reason: str = "") -> Books:
    trail = ROAD[: {"held": 3, "dead_letter": 2}[state]]
    told = (*trail, line(9, f"payment.{state}"))
    return but(receipts=(), orders=(), payments=payment(state=state, reason=reason), postings=(), trail=told)


def names(books: Books) -> set[str]:
    return {each.name for each in broken_invariants(books)}


def test_good_books_break_nothing() -> None:
    assert broken_invariants(GOOD) == []


@pytest.mark.parametrize(
    ("name", "books"),
    [
        ("I1", but(receipts=(*GOOD.receipts, *GOOD.receipts))),
        ("I1", but(orders=(*GOOD.orders, LedgerOrder(number="100674", po_number=CODE)))),
        ("I1", but(effects=())),
        ("I2", but(payments=(), trail=())),
        ("I2", but(receipts=())),
        ("I2", but(payments=payment(on_lane=True))),
        ("I2", but(open_messages=1)),
        ("I2", but(postings=(msgspec.structs.replace(GOOD.postings[1], state="ambiguous"),))),
        ("I2", stopped("dead_letter")),
        ("I3", but(receipts=(Receipt(reference=REFERENCE, currency="GBP", minor=999),))),
        ("I3", but(receipts=(Receipt(reference=REFERENCE, currency="EUR", minor=1000),))),
        ("I7", but(effects=(msgspec.structs.replace(GOOD.effects[0], refunded_minor=1001),))),
        ("I8", but(trail=(ROAD[0], *ROAD[2:]))),
        ("I8", but(trail=(*ROAD, line(9, "payment.mapped")))),
        ("I8", but(trail=ROAD[:-1])),
        ("I9", but(journals=(LedgerJournal(number="1", debit_minor=1000, credit_minor=999),))),
        ("I10", but(payments=payment(state="dead_letter", reason="x"))),
        ("I10", but(orders=())),
        ("I12", but(texts=(Text(place="log serve", text="paid with 4929000000006."),))),
        ("I13", but(trail=(*ROAD, line(9, "payment.noted", actor="")))),
        ("I13", but(trail=(*ROAD, line(9, "payment.rejected", actor="ann")))),
    ],
)
def test_what_is_wrong_is_named(name: str, books: Books) -> None:
    assert name in names(books)


def test_a_payment_that_waits_for_a_person_with_a_reason_is_not_lost() -> None:
    assert names(stopped("dead_letter", "SYSPRO does not know the customer")) == set()
    assert names(stopped("held", "The amount is unusual")) == set()


def test_a_message_in_dead_letters_names_a_payment_that_never_came_to_be() -> None:
    books = but(receipts=(), orders=(), payments=(), postings=(), trail=())
    assert names(books) == {"I2"}
    assert names(msgspec.structs.replace(books, named_messages=frozenset({ID}))) == set()


def test_under_way_nothing_has_to_have_ended() -> None:
    books = but(
        receipts=(), orders=(), payments=payment(state="mapped", on_lane=True), postings=(), trail=ROAD[:3]
    )
    assert "I2" in names(books)
    assert names(msgspec.structs.replace(books, at_rest=False)) == set()


def test_a_person_may_send_a_payment_back_and_an_event_may_not() -> None:
    dead = [*ROAD[:2], line(6, "payment.dead_letter")]
    again = [line(8, "payment.mapped"), line(9, "payment.cleared"), *ROAD[4:]]
    replayed = line(7, "payment.replayed", actor="ann", was="dead_letter", note="corrected")
    renumbered = [
        msgspec.structs.replace(each, audit_id=at) for at, each in enumerate([*dead, replayed, *again])
    ]
    unasked = [msgspec.structs.replace(each, audit_id=at) for at, each in enumerate([*dead, *again])]
    assert names(but(trail=tuple(renumbered))) == set()
    assert names(but(trail=tuple(unasked))) == {"I8"}


def test_a_replay_that_ends_alike_differs_in_nothing_and_any_other_is_told() -> None:
    assert differences(GOOD, GOOD) == []
    assert [each.name for each in differences(GOOD, but(receipts=(*GOOD.receipts, *GOOD.receipts)))] == [
        "I14"
    ]
    assert [each.name for each in differences(GOOD, but(payments=payment(state="exception")))] == ["I14"]


@given(st.lists(st.sampled_from(list(PaymentState)), max_size=6))
def test_a_trail_is_lawful_exactly_when_each_of_its_moves_is_in_the_table(walk: list[PaymentState]) -> None:
    states = [PaymentState.RECEIVED, *walk]
    lawful = all(after in MOVES[before] for before, after in pairwise(states))
    repeats = any(before == after for before, after in pairwise(states))
    trail = tuple(line(number, f"payment.{state}") for number, state in enumerate(states))
    told = "I8" in names(but(trail=trail, payments=payment(state=str(states[-1]))))
    assert repeats or told != lawful
