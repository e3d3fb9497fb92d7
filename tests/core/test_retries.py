"""Backoff and patience: when to try again, and when to stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.retries import (
    Adopt,
    Failure,
    GiveUp,
    LookAgain,
    Retry,
    SendAgain,
    after_look_up,
    next_attempt,
)

NOW = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)


def failure(attempts: int = 1, *, jitter: float = 1, pace: int = 1, **more: object) -> Failure:
    members = {"first_failed_at": NOW, "now": NOW, "retry_after": None} | more
    return Failure(attempts=attempts, jitter=jitter, pace=pace, **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (11, 2048), (12, 3600), (10_000, 3600)]
)
def test_waits_double_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert next_attempt(failure(attempts)) == Retry(NOW + timedelta(seconds=seconds))


def test_the_jitter_shortens_a_wait_and_the_pace_divides_it() -> None:
    assert next_attempt(failure(5, jitter=0.5)) == Retry(NOW + timedelta(seconds=16))
    assert next_attempt(failure(5, pace=16)) == Retry(NOW + timedelta(seconds=2))
    assert next_attempt(failure(5, jitter=0)) == Retry(NOW)


def test_a_wait_that_was_asked_for_is_kept() -> None:
    assert next_attempt(failure(jitter=0, retry_after=90)) == Retry(NOW + timedelta(seconds=90))
    assert next_attempt(failure(10, retry_after=1)) == Retry(NOW + timedelta(seconds=1024))


def test_the_last_attempt_is_made_at_the_limit_of_seven_days() -> None:
    almost = NOW + timedelta(days=7) - timedelta(seconds=1)

    assert next_attempt(failure(200, now=almost, retry_after=86_400)) == Retry(NOW + timedelta(days=7))
    given_up = next_attempt(failure(201, now=NOW + timedelta(days=7)))
    assert given_up == GiveUp("it failed 201 times since 2025-06-02T09:30:00+00:00")
    assert isinstance(next_attempt(failure(9, pace=60, now=NOW + timedelta(hours=3))), GiveUp)


@given(
    st.integers(1, 500), st.floats(0, 1), st.integers(1, 100), st.timedeltas(timedelta(0), timedelta(days=8))
)
def test_an_attempt_is_never_due_in_the_past_or_after_the_limit(
    attempts: int, jitter: float, pace: int, elapsed: timedelta
) -> None:
    decision = next_attempt(failure(attempts, jitter=jitter, pace=pace, now=NOW + elapsed))

    if isinstance(decision, Retry):
        assert NOW + elapsed <= decision.due_at <= NOW + timedelta(days=7) // pace
    else:
        assert elapsed >= timedelta(days=7) // pace


@pytest.mark.parametrize(
    "wrong",
    [failure(0), failure(jitter=-0.1), failure(jitter=1.1), failure(pace=0)],
    ids=str,
)
def test_a_senseless_failure_is_a_defect_of_the_caller(wrong: Failure) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        next_attempt(wrong)


def test_what_is_found_is_adopted_at_once() -> None:
    assert after_look_up(found=True, look_ups=1, since_sent=timedelta(seconds=1)) == Adopt()


def test_a_document_is_sent_again_only_after_three_searches_over_a_minute() -> None:
    def ask(look_ups: int, seconds: int, pace: int = 1) -> Adopt | LookAgain | SendAgain:
        return after_look_up(found=False, look_ups=look_ups, since_sent=timedelta(seconds=seconds), pace=pace)

    assert ask(0, 0) == LookAgain(timedelta(seconds=5))
    assert ask(1, 5) == LookAgain(timedelta(seconds=20))
    assert ask(2, 25) == LookAgain(timedelta(seconds=35))
    assert ask(3, 60) == SendAgain()
    assert ask(3, 59) == LookAgain(timedelta(seconds=1))
    assert ask(1, 600) == LookAgain(timedelta(0))
    assert ask(3, 1, pace=60) == SendAgain()


@given(st.integers(0, 10), st.timedeltas(timedelta(0), timedelta(minutes=5)), st.integers(1, 60))
def test_nothing_is_sent_again_too_early(look_ups: int, since_sent: timedelta, pace: int) -> None:
    decision = after_look_up(found=False, look_ups=look_ups, since_sent=since_sent, pace=pace)

    patient = look_ups >= 3 and since_sent >= timedelta(seconds=60) // pace
    assert isinstance(decision, SendAgain) == patient


@pytest.mark.parametrize(("look_ups", "pace"), [(-1, 1), (1, 0)])
def test_a_senseless_search_is_a_defect_of_the_caller(look_ups: int, pace: int) -> None:
    with pytest.raises(ValueError, match="or more"):
        after_look_up(found=False, look_ups=look_ups, since_sent=timedelta(0), pace=pace)
