"""Chargebacks: however notices come, the ledger ends as if they had come in order, and the money agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage, ChargebackStep
from integration.canonical.money import Money
from service.core.chargeback_position import in_order, position
from service.core.chargeback_rules import (
    STAGES,
    ChargebackRules,
    load_rules,
)
from service.core.chargebacks import Decision, DisputedPayment, contradicts, decide

SHIPPED = (Path(__file__).parents[2] / "data" / "templates" / "chargeback_rules.yaml").read_text("utf-8")
RULES = load_rules(SHIPPED)
DAY = date(2025, 6, 2)

TIDY: tuple[ChargebackStage, ...] = (
    "retrieval_request",
    "first_chargeback",
    "representment",
    "second_chargeback",
    "arbitration",
)


def notice(stage: ChargebackStage, minor: int = 10_000, day: int = 0, **more: Any) -> ChargebackNotice:
    return ChargebackNotice(
        chargeback_ref="CB-1",
        stage=stage,
        amount=Money(minor, "GBP"),
        received_on=DAY + timedelta(days=day),
        **more,
    )


def payment(captured: int = 10_000, posted: int | None = None, refunded: int = 0) -> DisputedPayment:
    return DisputedPayment(
        captured=Money(captured, "GBP"),
        posted=Money(captured if posted is None else posted, "GBP" if posted is None else "EUR"),
        refunded=Money(refunded, "GBP"),
        customer="0000001",
    )


def book(ledger: Counter[str], step: ChargebackStep) -> None:
    """What SYSPRO's accounts do with the documents of a step, by its mappings."""
    if step.money is not None:
        signed = -step.money.minor if step.direction == "W" else step.money.minor
        ledger["clearing"] += signed
        ledger["fee" if step.part == "fee" else "suspense"] -= signed
    for entry in step.entries:
        ledger[entry.purpose] += entry.amount.minor


def told(
    notices: Sequence[ChargebackNotice], rules: ChargebackRules, about: DisputedPayment | None = None
) -> Counter[str]:
    """The accounts after notices came in this order; a stage that was told before changes nothing."""
    ledger: Counter[str] = Counter()
    before: list[ChargebackNotice] = []
    for each in notices:
        if any(known.stage == each.stage for known in before):
            continue
        for part in decide(before, each, about or payment(), rules).parts:
            book(ledger, part.step)
        before.append(each)
    assert sum(ledger.values()) == 0
    return Counter({name: minor for name, minor in ledger.items() if minor})


def ruled(pattern: str, representment: str) -> ChargebackRules:
    return load_rules(SHIPPED, {"pattern": pattern, "stages": {"representment": {"money": representment}}})


every_rule = st.builds(
    ruled, st.sampled_from(["cash_book", "journal"]), st.sampled_from(["unchanged", "returned"])
)


@st.composite
def a_case(draw: st.DrawFn) -> list[ChargebackNotice]:
    """Some stages of a case on rising days, with amounts of their own."""
    stages = draw(st.lists(st.sampled_from(STAGES), unique=True, min_size=1, max_size=7))
    fee = st.none() | st.integers(1, 3_000).map(lambda minor: Money(minor, "GBP"))
    return [
        notice(stage, draw(st.integers(1, 12_000)), draw(st.integers(0, 30)), fee=draw(fee))
        for stage in stages
    ]


@given(a_case(), every_rule, st.randoms(use_true_random=False), st.integers(1, 30_000))
def test_doubled_and_reordered_notices_end_in_the_ledger_of_the_tidy_sequence(
    case: list[ChargebackNotice], rules: ChargebackRules, chance: Any, posted: int
) -> None:
    about = payment(12_000, posted)
    shuffled = [*case, *case]
    chance.shuffle(shuffled)

    assert told(shuffled, rules, about) == told(in_order(case), rules, about)


@given(
    st.lists(st.sampled_from(TIDY), unique=True),
    st.sampled_from(["reversed", "accepted"]),
    every_rule,
    st.integers(1, 12_000),
    st.integers(1, 30_000),
    st.integers(0, 3_000),
)
def test_a_closed_case_costs_the_disputed_amount_or_nothing_and_the_fees(
    stages: list[ChargebackStage],
    end: Literal["reversed", "accepted"],
    rules: ChargebackRules,
    disputed: int,
    posted: int,
    fee: int,
) -> None:
    about = payment(12_000, posted)
    case = [
        notice(stage, disputed, day) for day, stage in enumerate([*sorted(stages, key=STAGES.index), end])
    ]
    case[0] = replace(case[0], fee=Money(fee, "GBP"))
    rate = Fraction(posted, 12_000)

    ledger = told(case, rules, about)

    lost = round(disputed * rate) if end == "accepted" else 0
    charged = round(fee * rate)
    assert ledger == Counter(
        {
            name: minor
            for name, minor in {"clearing": -lost - charged, "loss": lost, "fee": charged}.items()
            if minor
        }
    )


@pytest.mark.parametrize("pattern", ["cash_book", "journal"])
def test_each_stage_of_a_lost_case_moves_what_its_rule_says(pattern: str) -> None:
    rules = ruled(pattern, "returned")
    case = [notice(stage, day=day) for day, stage in enumerate((*TIDY, "accepted"))]

    after = [told(case[: count + 1], rules) for count in range(len(case))]

    in_dispute = Counter(clearing=-10_000, suspense=10_000)
    assert after == [
        Counter(),
        in_dispute,
        Counter(),
        in_dispute,
        in_dispute,
        Counter(clearing=-10_000, loss=10_000),
    ]


def test_a_case_told_only_by_its_end_is_written_off_at_once() -> None:
    [part] = decide([], notice("accepted"), payment(), RULES).parts

    assert part.step.posts == "both"
    assert (part.step.direction, part.step.money) == ("W", Money(10_000, "GBP"))
    assert [(each.purpose, each.amount.minor) for each in part.step.entries] == [
        ("suspense", -10_000),
        ("loss", 10_000),
    ]


def test_what_does_not_come_back_of_a_won_case_is_lost() -> None:
    assert told([notice("first_chargeback"), notice("reversed", 6_000, 9)], RULES) == Counter(
        clearing=-4_000, loss=4_000
    )


def test_a_partial_return_that_is_taken_again_is_not_taken_twice() -> None:
    rules = ruled("cash_book", "returned")
    case = [
        notice("first_chargeback"),
        notice("representment", 6_000, 1),
        notice("second_chargeback", 6_000, 2),
    ]

    assert told(case, rules) == Counter(clearing=-10_000, suspense=10_000)


def test_a_second_chargeback_after_a_win_opens_the_case_again() -> None:
    case = [notice("first_chargeback"), notice("reversed", day=5), notice("second_chargeback", day=9)]

    assert position(case, RULES).state == "open"
    assert told(case, RULES) == Counter(clearing=-10_000, suspense=10_000)


def test_a_stage_that_moves_nothing_posts_nothing() -> None:
    for stage in ("retrieval_request", "representment", "arbitration"):
        [part] = decide([notice("first_chargeback")], notice(stage, day=1), payment(), RULES).parts
        assert part.step.posts == ""
        assert part.amount == Money(10_000, "GBP")


def test_a_fee_is_the_one_told_else_the_one_of_the_rules() -> None:
    rules = load_rules(SHIPPED, {"stages": {"first_chargeback": {"fee": {"GBP": 1_500}}}})

    ruled_fee = decide([], notice("first_chargeback"), payment(), rules).parts[1]
    told_fee = decide([], notice("first_chargeback", fee=Money(2_000, "GBP")), payment(), rules).parts[1]

    assert (ruled_fee.step.part, ruled_fee.amount) == ("fee", Money(1_500, "GBP"))
    assert told_fee.amount == Money(2_000, "GBP")
    assert told_fee.transaction_id == ruled_fee.transaction_id


def test_a_fee_in_the_acquirers_own_currency_keeps_it() -> None:
    euros = Money(2_000, "EUR")

    assert decide([], notice("first_chargeback", fee=euros), payment(), RULES).parts[1].amount == euros


def test_no_two_documents_of_a_case_share_a_reference() -> None:
    rules = load_rules(SHIPPED, {"lost": "debit_note"})
    references = [
        reference
        for stage in STAGES
        for part in decide([], notice(stage, fee=Money(1, "GBP")), payment(), rules).parts
        for reference in (part.step.reference, part.step.journal_reference)
    ]

    assert len(set(references)) == len(references)
    assert max(map(len, references)) <= 30


def test_a_lost_case_bills_the_customer_again_where_the_rules_say_so() -> None:
    rules = load_rules(SHIPPED, {"lost": "debit_note"})
    first, accepted = notice("first_chargeback"), notice("accepted", day=3)

    note = decide([first], accepted, payment(), rules).parts[-1]
    back = decide([first, accepted], notice("reversed", day=9), payment(), rules).parts[-1]

    assert (note.step.note_type, note.amount, note.step.customer) == ("D", Money(10_000, "GBP"), "0000001")
    assert (back.step.note_type, back.amount) == ("C", Money(10_000, "GBP"))
    assert [part.step.part for part in decide([first], accepted, None, rules).parts] == ["stage"]


# --- what a person has to see -----------------------------------------------------------------------


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_money_that_would_go_back_twice_is_held(disputed: int, refunded: int) -> None:
    decision = decide([], notice("first_chargeback", disputed), payment(refunded=refunded), RULES)

    twice = disputed + refunded > 10_000
    assert codes(decision) == (["chargeback.paid-back-twice"] if twice else [])
    assert all(bool(part.step.hold) == twice for part in decision.parts)


def test_a_stage_that_takes_nothing_is_not_held_for_a_refund() -> None:
    assert codes(decide([], notice("retrieval_request"), payment(refunded=10_000), RULES)) == []


@pytest.mark.parametrize(
    ("about", "code"),
    [
        (None, "chargeback.payment-unknown"),
        (payment(9_999), "chargeback.exceeds-payment"),
        (replace(payment(), taken_elsewhere=1), "chargeback.exceeds-payment"),
        (replace(payment(), in_ledger=False), "chargeback.payment-not-posted"),
        (
            replace(payment(), captured=Money(10_000, "EUR"), posted=Money(9_000, "GBP")),
            "chargeback.currency-differs",
        ),
    ],
)
def test_a_chargeback_that_fits_no_payment_is_held(about: DisputedPayment | None, code: str) -> None:
    decision = decide([], notice("first_chargeback", vendor_tx_code="SO-1"), about, RULES)

    assert codes(decision) == [code]
    assert decision.parts[0].step.hold


def test_a_repetition_is_no_contradiction_and_another_amount_is() -> None:
    known = notice("first_chargeback", transaction_id="A", vendor_tx_code="SO-1")

    assert contradicts(known, replace(known, vendor_tx_code="", reason_text="more words")) == ""
    assert "110.00 GBP" in contradicts(known, replace(known, amount=Money(11_000, "GBP")))
    assert "SO-2" in contradicts(known, replace(known, vendor_tx_code="SO-2"))
    assert "transaction id" in contradicts(known, replace(known, transaction_id="B"))
