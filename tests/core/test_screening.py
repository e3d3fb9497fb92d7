"""Screening: what a careful clerk would stop, and a memory that can always be rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Misconfigured
from service.core.screening import Cleared, Facts, Held, Rules, ScreeningRule, decide, load_rules
from service.core.screening_memory import (
    MOST_PER_CUSTOMER,
    WINDOW,
    Candidate,
    Memory,
    ScreeningEvent,
    uk_hour,
)

SHIPPED = load_rules((Path(__file__).parents[2] / "data" / "templates" / "screening_rules.yaml").read_bytes())
NOON = datetime(2025, 6, 2, 11, tzinfo=UTC)
ORDINARY = Facts(amount_minor=2_500, currency="GBP", first_payment=False, customer_age_days=400)


def event(
    minutes: int = 0, event_id: str = "a", *, minor: int = 1_000, customer: str = "C", card: str = "Visa 1"
) -> ScreeningEvent:
    return ScreeningEvent(
        at=NOON + timedelta(minutes=minutes),
        event_id=event_id,
        customer=customer,
        amount_minor=minor,
        currency="GBP",
        card=card,
    )


def remembered(events: Sequence[ScreeningEvent]) -> Memory:
    memory = Memory()
    for one in events:
        memory.observe(one)
    return memory


def facts_of(memory: Memory, one: ScreeningEvent, **more: object) -> Facts:
    return memory.facts_for(Candidate(event=one, **more))  # type: ignore[arg-type]


events = st.lists(
    st.builds(
        event,
        st.integers(0, 200_000),
        st.text("abcdef", min_size=1, max_size=3),
        minor=st.integers(1, 10**6),
        customer=st.sampled_from(["C", "D"]),
        card=st.sampled_from(["", "Visa 1", "Visa 2"]),
    ),
    max_size=12,
    unique_by=lambda one: (one.at, one.event_id),
)


@given(events)
def test_the_same_events_give_the_same_memory(log: list[ScreeningEvent]) -> None:
    assert remembered(log) == remembered(log)


@given(events, st.randoms(use_true_random=False), st.integers(0, 12))
def test_late_and_doubled_events_change_nothing(
    log: list[ScreeningEvent], random: object, doubled: int
) -> None:
    arrived = [*log, *log[:doubled]]
    random.shuffle(arrived)  # type: ignore[attr-defined]
    in_order = sorted(log, key=lambda one: (one.at, one.event_id))

    assert remembered(arrived) == remembered(in_order)


@given(events, st.integers(0, 200_000))
def test_facts_look_strictly_into_the_past(log: list[ScreeningEvent], minutes: int) -> None:
    candidate = event(minutes, "m", minor=700)
    # What comes within the window: an older payment may be forgotten once a much newer one is known.
    near = [one for one in log if abs(one.at - candidate.at) < WINDOW // 2]
    before = [one for one in near if (one.at, one.event_id) < (candidate.at, candidate.event_id)]

    assert facts_of(remembered(near), candidate) == facts_of(remembered(before), candidate)


def test_an_event_of_the_same_moment_is_past_when_its_id_is_smaller() -> None:
    memory = remembered([event(0, "a"), event(0, "c")])

    assert facts_of(memory, event(0, "b")).payments_last_hour == 1


def test_facts_count_what_the_customer_did_before() -> None:
    log = [
        event(-26 * 60, "old", minor=3_000, card="Visa 9"),
        event(-120, "early", card="Visa 2"),
        event(-30, "late", card=""),
        event(-1, "other", customer="D"),
        event(5, "future"),
    ]

    facts = facts_of(remembered(log), event(0, "now", minor=5_000, card="Visa 1"), shipping_differs=True)

    assert facts == Facts(
        amount_minor=5_000,
        currency="GBP",
        hour=12,
        customer_age_days=1,
        payments_last_hour=1,
        payments_last_day=2,
        amount_last_day_minor=2_000,
        distinct_cards_last_day=2,
        first_payment=False,
        shipping_differs=True,
        times_usual_amount_percent=300,
    )


def test_an_unknown_customer_is_new_unless_the_erp_knows_better() -> None:
    memory = Memory()

    assert facts_of(memory, event()).first_payment
    assert facts_of(memory, event()).customer_age_days == 0
    assert facts_of(memory, event(), customer_since=NOON - timedelta(days=30)).customer_age_days == 30
    assert facts_of(remembered([event(10, "later")]), event()).first_payment


def test_only_the_window_is_remembered_and_the_age_outlives_it() -> None:
    memory = remembered([event(0, "first"), event(100 * 24 * 60, "second")])
    facts = facts_of(memory, event(100 * 24 * 60 + 1, "third"))

    assert facts.customer_age_days == 100
    assert facts.payments_last_day == 1
    alone = facts_of(memory, event(10, "between"))
    assert (alone.payments_last_hour, alone.first_payment) == (0, False)


def test_a_busy_customer_does_not_fill_the_memory() -> None:
    log = [event(minute, f"{minute:04}") for minute in range(MOST_PER_CUSTOMER + 5)]

    memory = remembered(log)

    assert facts_of(memory, event(MOST_PER_CUSTOMER + 5, "x")).payments_last_day == MOST_PER_CUSTOMER
    assert memory == remembered([*log, log[0]])


def test_a_memory_is_no_other_thing() -> None:
    assert Memory() != "memory"
    assert Memory() == Memory()


@given(st.timedeltas(timedelta(days=-365 * 29), timedelta(days=365 * 12)).map(lambda past: NOON + past))
def test_the_uk_hour_is_that_of_the_clocks_in_london(at: datetime) -> None:
    assert uk_hour(at) == at.astimezone(ZoneInfo("Europe/London")).hour


def test_an_ordinary_payment_is_cleared() -> None:
    assert decide(ORDINARY, SHIPPED) == Cleared()


@pytest.mark.parametrize(
    ("rule", "facts", "said"),
    [
        ("fraud-screen", Facts(amount_minor=1, currency="GBP", fraud_action="REJECT"), "says REJECT"),
        ("large-first-payment", Facts(amount_minor=500_000, currency="GBP"), "5,000.00 GBP"),
        (
            "unlike-this-customer",
            Facts(amount_minor=60_000, currency="GBP", first_payment=False, times_usual_amount_percent=1_200),
            "1200 %",
        ),
        (
            "many-payments",
            Facts(amount_minor=1, currency="GBP", payments_last_hour=5, payments_last_day=6),
            "5 times",
        ),
        ("many-cards", Facts(amount_minor=1, currency="GBP", distinct_cards_last_day=4), "4 different"),
        (
            "nothing-matches",
            Facts(amount_minor=1, currency="GBP", cv2_result="NotMatched", avs_result="NotMatched"),
            "Neither",
        ),
        (
            "not-authenticated",
            Facts(amount_minor=10_000, currency="GBP", three_d_secure="NotAuthenticated"),
            "100.00 GBP",
        ),
        (
            "night-and-elsewhere",
            Facts(amount_minor=25_000, currency="GBP", hour=3, shipping_differs=True),
            "3 o'clock",
        ),
    ],
)
def test_each_shipped_rule_holds_with_the_facts_in_its_reason(rule: str, facts: Facts, said: str) -> None:
    held = decide(facts, SHIPPED)

    assert isinstance(held, Held)
    assert [reason.rule for reason in held.reasons] == [rule]
    assert said in held.reasons[0].sentence


def test_every_rule_that_objects_gives_its_reason() -> None:
    held = decide(Facts(amount_minor=500_000, currency="GBP", fraud_action="HOLD"), SHIPPED)

    assert isinstance(held, Held)
    assert [reason.rule for reason in held.reasons] == ["fraud-screen", "large-first-payment"]


def test_a_rule_that_cannot_be_decided_holds_the_payment() -> None:
    too_much = Rules([ScreeningRule(name="odd", condition="amount_minor / hour > 1", reason="Odd.")])

    held = decide(Facts(amount_minor=1, currency="GBP", hour=0), too_much)

    assert isinstance(held, Held)
    assert "a person decides" in held.reasons[0].sentence


@pytest.mark.parametrize(
    "text",
    [
        "rules: [",
        "rules: [{name: a, condition: 'true', reason: x, action: shoot}]",
        "rules: [{name: '', condition: 'true', reason: x}]",
        "rules: [{name: a, condition: 'true', reason: x}, {name: a, condition: 'true', reason: x}]",
        "rules: [{name: a, condition: 'true', reason: 'It is {colour}.'}]",
        "rules: [{name: a, condition: 'colour == 1', reason: x}]",
    ],
)
def test_rules_that_could_not_work_are_refused_when_they_are_loaded(text: str) -> None:
    with pytest.raises(Misconfigured, match="screening rules cannot be used"):
        load_rules(text)
