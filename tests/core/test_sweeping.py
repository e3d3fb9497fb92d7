"""Windows cover every instant, over both changes of the clocks, and end before what is not there yet."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.sweeping import (
    LAG,
    SweepSettings,
    Watched,
    Window,
    closed_end,
    halved,
    is_history,
    next_look,
    nightly_due,
    outside_repeated_hour,
    overlap_before,
    state_of_row,
    sweep_windows,
    webhook_is_broken,
    windows,
)

LONDON = ZoneInfo("Europe/London")
AUTUMN = datetime(2026, 10, 25, 1, tzinfo=UTC)
SPRING = datetime(2027, 3, 28, 1, tzinfo=UTC)
RULES = SweepSettings()

anywhere = st.integers(1_672_531_200, 1_830_297_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
near_a_change = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from([AUTUMN, SPRING]),
    st.integers(-3 * 86_400, 3 * 86_400),
)
moments = anywhere | near_a_change
spans = st.builds(lambda hours: timedelta(hours=hours), st.integers(1, 24 * 70))
days = st.integers(1, 26)


def written(moment: datetime) -> datetime:
    """As Opayo writes it: the wall clock's time, without a zone."""
    return moment.astimezone(LONDON).replace(tzinfo=None)


def reads(text: datetime, fold: int) -> datetime:
    """What an Opayo that takes the first or the second of two like times makes of it."""
    return text.replace(tzinfo=LONDON, fold=fold).astimezone(UTC)


def lists(window: Window, started: datetime) -> list[bool]:
    """Whether each Opayo that may be out there lists a row: by its moment, read either way, or by the wall clock."""
    first, last, row = written(window.start), written(window.end), started.replace(microsecond=0)
    by_moment = [reads(first, fold) <= row <= reads(last, fold) for fold in (0, 1)]
    return [*by_moment, first <= written(row) <= last]


@given(moments, spans, days, st.floats(0, 1))
def test_every_instant_of_a_range_is_listed_whatever_opayo_makes_of_a_repeated_hour(
    start: datetime, span: timedelta, most: int, where: float
) -> None:
    end = outside_repeated_hour(start + span)
    found = windows(start, end, most)
    instant = start + (end - start) * where
    if start < end:
        for each in zip(*(lists(window, instant) for window in found), strict=True):
            assert any(each)
    else:
        assert found == ()


@given(near_a_change, st.integers(2, 60), st.floats(0, 1))
def test_turns_that_follow_each_other_leave_no_gap(start: datetime, hours: int, where: float) -> None:
    first = sweep_windows(start, None, timedelta(hours=1))
    later = sweep_windows(start + timedelta(hours=hours), first[-1].end, timedelta(hours=1))
    instant = first[0].start + (later[-1].end - first[0].start) * where
    assert all(any(each) for each in zip(*(lists(w, instant) for w in (*first, *later)), strict=True))


@given(moments, spans, days)
def test_no_window_is_longer_than_a_month_as_opayo_counts_it(
    start: datetime, span: timedelta, most: int
) -> None:
    for window in windows(start, outside_repeated_hour(start + span), most):
        first, last = written(window.start), written(window.end)
        year, month = first.year + first.month // 12, first.month % 12 + 1
        day = min(first.day, calendar.monthrange(year, month)[1])
        assert first < last <= first.replace(year=year, month=month, day=day)


@given(moments, spans, days)
def test_windows_overlap_by_two_hours_and_by_25_where_the_clocks_change(
    start: datetime, span: timedelta, most: int
) -> None:
    found = windows(start, outside_repeated_hour(start + span), most)
    for before, after in pairwise(found):
        overlap = before.end - after.start
        near = any(abs(before.end - change) < timedelta(hours=24) for change in (AUTUMN, SPRING))
        assert overlap >= timedelta(hours=25 if near else 2)


@given(moments)
def test_a_window_ends_at_least_a_quarter_of_an_hour_ago_and_never_in_the_repeated_hour(
    now: datetime,
) -> None:
    end = closed_end(now)
    assert now - LAG - timedelta(hours=2, seconds=1) <= end <= now - LAG
    assert reads(written(end), 0) == reads(written(end), 1) == end


@given(near_a_change, st.integers(0, 999_999))
def test_the_repeated_hour_is_left_to_the_next_turn(now: datetime, micro: int) -> None:
    moved = outside_repeated_hour(now.replace(microsecond=micro))
    inside = AUTUMN - timedelta(hours=1) <= now < AUTUMN + timedelta(hours=1)
    assert moved == (AUTUMN - timedelta(hours=1, seconds=1) if inside else now.replace(microsecond=0))


def test_a_turn_that_was_missed_is_made_up_for() -> None:
    now = datetime(2026, 6, 10, 12, tzinfo=UTC)
    usual = sweep_windows(now, now - timedelta(minutes=30), timedelta(hours=48))
    assert usual == (Window(start=now - LAG - timedelta(hours=48), end=now - LAG),)
    after_ten_days = sweep_windows(now, now - timedelta(days=10), timedelta(hours=48))
    assert after_ten_days[0].start == now - timedelta(days=10, hours=2)
    assert after_ten_days[-1].end == now - LAG


def test_a_window_with_too_many_rows_is_halved_until_it_is_a_minute_short() -> None:
    start = datetime(2026, 6, 10, tzinfo=UTC)
    window: Window | None = Window(start=start, end=start + timedelta(days=7))
    times = 0
    while window is not None and (halves := halved(window)) is not None:
        assert (halves[0].start, halves[1].end) == (window.start, window.end)
        assert halves[0].end == halves[1].start
        window, times = halves[0], times + 1
    assert 10 < times < 15


def test_overlaps_are_longer_on_the_day_before_a_change_and_on_the_day_after() -> None:
    for change in (AUTUMN, SPRING):
        for hours in (-24, 0, 24):
            assert overlap_before(change + timedelta(hours=hours)) == timedelta(hours=25)
        assert overlap_before(change + timedelta(hours=27)) == timedelta(hours=2)


MORNING = datetime(2026, 6, 10, 1, 30, tzinfo=UTC)  # half past two in the United Kingdom's summer


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        (MORNING, None, True),
        (MORNING - timedelta(seconds=1), None, False),
        (MORNING + timedelta(hours=3), MORNING, False),
        (MORNING + timedelta(hours=3), MORNING - timedelta(seconds=1), True),
    ],
)
def test_the_nightly_turn_is_due_once_a_uk_night(now: datetime, last: datetime | None, due: bool) -> None:
    assert nightly_due(now, last, 2) is due


def look(state: str, age: timedelta, *, settled: bool = False) -> timedelta | None:
    now = MORNING + timedelta(hours=8)
    found = next_look(Watched(state=state, settled=settled, started_at=now - age), now, RULES)
    return None if found is None else found - now


def test_money_that_is_promised_is_looked_at_often_while_young_and_daily_later() -> None:
    for state in ("held", "authenticated", "pending", "unknown", ""):
        assert look(state, timedelta(minutes=20)) == timedelta(minutes=15)
        assert look(state, timedelta(hours=8)) == timedelta(hours=1)
        assert look(state, timedelta(days=40)) == timedelta(days=1)
        assert look(state, timedelta(days=121)) is None


def test_money_that_was_taken_is_looked_at_after_each_midnight_until_it_is_in_a_batch() -> None:
    assert look("captured", timedelta(hours=1)) == timedelta(hours=16)
    assert look("captured", timedelta(days=27)) == timedelta(hours=16)
    assert look("captured", timedelta(days=29)) is None


def test_settled_money_is_looked_at_thrice_more_since_a_bank_may_refuse_it() -> None:
    ages = [timedelta(days=day) for day in (1, 3, 8, 15)]
    assert [look("captured", age, settled=True) for age in ages] == [
        timedelta(days=1),
        timedelta(days=4),
        timedelta(days=6),
        None,
    ]


@pytest.mark.parametrize("state", ["voided", "aborted", "declined", "failed", "settlement-failed", "expired"])
def test_what_nothing_can_become_of_is_looked_at_no_more(state: str) -> None:
    assert look(state, timedelta(hours=1)) is None


def test_a_list_tells_money_that_was_surely_taken_by_its_kind() -> None:
    assert [state_of_row(kind) for kind in ("payment", "refund", "authorise", "manual")] == ["captured"] * 4
    assert [state_of_row(kind) for kind in ("deferred", "authenticate", "repeat", "unknown")] == [""] * 4


@given(moments, st.sampled_from(["record", "post"]))
def test_what_started_before_go_live_is_history_whatever_is_asked_for(started: datetime, mode: str) -> None:
    rules = msgspec.structs.replace(RULES, go_live=AUTUMN)
    assert is_history(started, mode, rules) is (mode == "record" or started < AUTUMN)
    assert is_history(started, mode, RULES) is (mode == "record")
    assert is_history(None, mode, rules) is (mode == "record")


@pytest.mark.parametrize(
    ("new", "alone", "broken"),
    [(1000, 50, False), (1000, 51, True), (4, 4, False), (5, 5, True), (0, 0, False)],
)
def test_a_webhook_is_broken_when_too_many_are_found_by_the_sweep_alone(
    new: int, alone: int, broken: bool
) -> None:
    assert webhook_is_broken(new, alone, RULES) is broken


@pytest.mark.parametrize(
    "changes",
    [
        {"window_days": 27},
        {"window_days": 0},
        {"go_live": AUTUMN.replace(tzinfo=None)},
        {"calls_per_minute": 0},
        {"look_back_hours": 0},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"at least|is 1 to|time zone"):
        msgspec.structs.replace(RULES, **changes)
