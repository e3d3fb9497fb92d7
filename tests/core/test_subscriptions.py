"""The calendar of subscriptions: no date twice, none skipped, month ends that stay, and hours that clocks leave out."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money
from service.core.subscriptions import (
    ChargeKey,
    Hours,
    Terms,
    after,
    changed,
    charge_code,
    credential_type,
    due_at,
    due_on,
    facts,
    faults,
    moment,
    open_due,
    pass_over,
    read_code,
)

LONDON = Hours(zone="Europe/London", hour=6)
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland", "UTC"]


def terms(start: date = date(2027, 1, 31), **changes: Any) -> Terms:
    made = Terms(
        plan="p", amount=Money(1_200, "GBP"), tax_minor=200, description="Box", interval="month", start=start
    )
    return changed(made, **changes)


any_terms = st.builds(
    lambda start, interval, every, month_end, catch_up, charges: terms(
        start, interval=interval, every=every, month_end=month_end, catch_up=catch_up, charges=charges
    ),
    st.dates(date(2000, 1, 1), date(2060, 12, 31)),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 13),
    st.sampled_from(["same-day", "last-day"]),
    st.sampled_from(["once", "each"]),
    st.none() | st.integers(1, 60),
)
any_hours = st.builds(Hours, zone=st.sampled_from(ZONES), hour=st.integers(0, 23))


@given(any_terms, any_hours)
def test_due_dates_only_grow_and_so_do_their_moments(given_terms: Terms, hours: Hours) -> None:
    days = [day for number in range(1, 40) if (day := due_on(given_terms, number)) is not None]
    assert days == sorted(set(days))
    moments = [due_at(given_terms, number, hours) for number in range(1, len(days) + 1)]
    assert all(one < other for one, other in pairwise(moments) if one and other)


@given(any_terms)
def test_a_month_end_stays_where_it_is(given_terms: Terms) -> None:
    monthly = changed(given_terms, interval="month", charges=None)
    for number in range(1, 50):
        day = due_on(monthly, number)
        assert day is not None
        last = monthrange(day.year, day.month)[1]
        wanted = last if monthly.month_end == "last-day" else min(monthly.start.day, last)
        assert day.day == wanted
        months = (day.year - monthly.start.year) * 12 + day.month - monthly.start.month
        assert months == (number - 1) * monthly.every


@given(any_terms, any_hours, st.lists(st.integers(0, 90), min_size=1, max_size=40))
def test_every_due_date_is_decided_once_whenever_the_service_looks(
    given_terms: Terms, hours: Hours, gaps: list[int]
) -> None:
    now = moment(given_terms.start, hours) - timedelta(days=1)
    number, decided, charged = 1, list[int](), list[int]()
    for gap in gaps:
        now += timedelta(days=gap)
        while True:
            opening = open_due(given_terms, number, hours, now)
            decided += [*opening.passed, *([opening.charge] if opening.charge else [])]
            charged += [opening.charge] if opening.charge else []
            number = opening.next_number
            if opening.charge is None:
                break
        assert opening.next_due_at is None or opening.next_due_at > now
    due = [n for n in range(1, number + 1) if (at := due_at(given_terms, n, hours)) is not None and at <= now]
    assert decided == due
    if given_terms.catch_up == "each":
        assert charged == due
    else:
        assert not due or charged[-1] == due[-1]


@given(any_terms, any_hours, st.integers(0, 400))
def test_after_a_standstill_there_is_one_charge_and_never_a_stack(
    given_terms: Terms, hours: Hours, days: int
) -> None:
    once = changed(given_terms, catch_up="once")
    first = due_at(once, 1, hours)
    assert first is not None
    now = first + timedelta(days=days)
    opening = open_due(once, 1, hours, now)
    assert opening.charge is not None
    assert opening.passed == tuple(range(1, opening.charge))
    again = open_due(once, opening.next_number, hours, now)
    assert (again.charge, again.passed) == (None, ())


def test_the_thirty_first_comes_back_after_a_short_month_and_a_leap_year() -> None:
    assert [str(due_on(terms(date(2027, 12, 31)), number)) for number in range(1, 6)] == [
        "2027-12-31",
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
    ]


def test_a_leap_day_is_kept_on_the_last_of_february() -> None:
    yearly = terms(date(2028, 2, 29), interval="year")
    assert [str(due_on(yearly, number)) for number in (1, 2, 5)] == ["2028-02-29", "2029-02-28", "2032-02-29"]


@pytest.mark.parametrize(
    ("day", "zone", "hour", "utc"),
    [
        (date(2027, 3, 28), "Europe/London", 1, "01:00"),  # left out by the clocks: the hour after
        (date(2027, 3, 29), "Europe/London", 1, "00:00"),
        (date(2027, 10, 31), "Europe/London", 1, "00:00"),  # comes twice: the first one
        (date(2027, 11, 1), "Europe/London", 1, "01:00"),
    ],
)
def test_an_hour_is_the_pairs_own_also_when_clocks_change(day: date, zone: str, hour: int, utc: str) -> None:
    assert f"{moment(day, Hours(zone=zone, hour=hour)):%H:%M}" == utc


def test_the_end_is_the_last_possible_day_and_the_count_the_last_charge() -> None:
    until = terms(date(2027, 1, 1), end=date(2027, 3, 1))
    assert [due_on(until, number) is None for number in (1, 2, 3, 4)] == [False, False, False, True]
    assert due_on(terms(charges=2), 3) is None
    assert due_at(terms(charges=2), 3, LONDON) is None
    assert due_on(terms(date(9999, 12, 1)), 2) is None
    with pytest.raises(ValueError, match="counted from 1"):
        due_on(terms(), 0)


def test_a_pause_lets_its_dates_go_by() -> None:
    over = pass_over(terms(), 2, LONDON, datetime(2027, 4, 15, tzinfo=UTC))
    assert (over.charge, over.passed, over.next_number) == (None, (2, 3), 4)
    assert over.next_due_at == moment(date(2027, 4, 30), LONDON)


@given(st.from_regex(r"[0-9A-Z]{10}", fullmatch=True), st.dates(), st.integers(1, 999))
def test_a_code_tells_its_charge_and_attempt_and_no_two_are_alike(
    reference: str, day: date, attempt: int
) -> None:
    key = ChargeKey(reference, day.replace(year=max(day.year, 1000)), attempt)
    assert read_code(charge_code(key)) == key
    assert len(charge_code(key)) <= 30


@pytest.mark.parametrize(
    "code", ["", "SO-1", "S-ABCDEFGHIJ-20270231-1", "S-ABCDEFGHIJ-20270131-", "S-abc-20270131-1"]
)
def test_other_codes_are_no_charges(code: str) -> None:
    assert read_code(code) is None


def test_a_charge_is_a_recurring_use_and_after_insufficient_funds_a_resubmission() -> None:
    assert credential_type(terms(interval="week", every=2, end=date(2028, 1, 1)), date(2027, 1, 31), "") == {
        "cofUsage": "Subsequent",
        "initiatedType": "MIT",
        "mitType": "Recurring",
        "recurringExpiry": "20280101",
        "recurringFrequency": "14",
    }
    endless = credential_type(terms(interval="year", every=40), date(2027, 1, 31), "05")
    assert (endless["recurringExpiry"], endless["recurringFrequency"]) == ("20371231", "9999")
    assert credential_type(terms(), date(2027, 1, 31), "51")["mitType"] == "Resubmission"


def test_a_charge_pays_for_the_time_to_the_next_one() -> None:
    told = facts(terms(charges=1), "REF", "0000001", 1)
    assert (told.period_from, told.period_to) == (date(2027, 1, 31), date(2027, 2, 27))
    assert (told.net, told.tax, told.sequence) == (Money(1_000, "GBP"), Money(200, "GBP"), 1)
    assert facts(terms(date(9999, 12, 31)), "REF", "0000001", 1).period_to is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": Money(0, "GBP")}, "positive"),
        ({"tax_minor": 1_201}, "part of the amount"),
        ({"every": 0}, "intervals"),
        ({"charges": 0}, "at least one"),
        ({"end": date(2027, 1, 30)}, "before the first"),
    ],
)
def test_terms_that_cannot_be_charged_are_named(changes: dict[str, Any], sentence: str) -> None:
    assert faults(terms()) == []
    assert sentence in " ".join(faults(terms(**changes)))


def test_what_ended_stays_ended_and_what_was_cancelled_cancelled() -> None:
    actions: list[Any] = ["pause", "resume", "cancel", "skip", "card", "retry", "suspend", "end"]
    assert {after(state, action) for state in ("cancelled", "ended") for action in actions} == {None}
    assert after("suspended", "resume") is None
    assert after("suspended", "card") == "active"


def test_an_endless_standstill_is_looked_at_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.core.subscriptions.MOST_AT_ONCE", 3)
    daily = terms(date(2027, 1, 1), interval="day")
    now = datetime(2027, 1, 10, 12, tzinfo=UTC)
    assert open_due(daily, 1, LONDON, now).charge == 3
    assert pass_over(daily, 1, LONDON, now).next_number == 4
