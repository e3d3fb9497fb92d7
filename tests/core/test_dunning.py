"""Dunning: never again on a hard decline, and on others only as often and as soon as the schedule says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.dunning import (
    MOST_TRIES,
    Decline,
    RetryOn,
    StopTrying,
    SubscriptionSettings,
    after_decline,
    expires_on,
    verdict,
    warns,
)
from service.core.notices import fill

NOW = datetime(2027, 3, 27, 6, 0, 5, tzinfo=UTC)
ZONE = "Europe/London"
SOFT = Decline(status_code="2000", bank_code="51", category="02")

declines = st.builds(
    Decline,
    status_code=st.sampled_from(["2000", "2001", "2022", "5013", ""]),
    bank_code=st.sampled_from(["05", "51", "65", "1A", ""]),
    category=st.sampled_from(["01", "02", "03", "04", ""]),
)
schedules = st.builds(
    SubscriptionSettings,
    retry_days=st.lists(st.integers(1, 30), max_size=MOST_TRIES - 1),
    charge_hour=st.integers(0, 23),
)


@given(declines, st.integers(1, 40), st.integers(0, 20 * 365 * 24 * 60), schedules)
def test_a_hard_decline_is_never_tried_again_and_a_soft_one_within_the_schemes_limit(
    decline: Decline, attempts: int, minutes: int, settings: SubscriptionSettings
) -> None:
    now = NOW + timedelta(minutes=minutes)
    follows = after_decline(decline, attempts, now, settings, ZONE)
    hard = decline.category in ("01", "03") or verdict(decline).hard
    if hard:
        assert isinstance(follows, StopTrying)
        assert follows.hard
    elif isinstance(follows, RetryOn):
        assert attempts < MOST_TRIES
        waited = follows.at.astimezone(ZoneInfo(ZONE)).date() - now.astimezone(ZoneInfo(ZONE)).date()
        assert waited == timedelta(days=settings.retry_days[attempts - 1])
        assert follows.at > now
    else:
        assert attempts >= min(len(settings.retry_days) + 1, MOST_TRIES)
        assert not follows.hard


@given(schedules)
def test_a_schedule_comes_to_its_end(settings: SubscriptionSettings) -> None:
    now, tries = NOW, 1
    while isinstance(follows := after_decline(SOFT, tries, now, settings, ZONE), RetryOn):
        now, tries = follows.at, tries + 1
    assert tries == len(settings.retry_days) + 1 <= MOST_TRIES


@pytest.mark.parametrize(
    ("decline", "hard"),
    [
        (Decline(category="01", bank_code="51"), True),
        (Decline(category="03"), True),
        (Decline(category="04"), False),
        (SOFT, False),
        (Decline(status_code="2000"), False),
        (Decline(status_code="2022"), True),
        (Decline(status_code="2000", bank_code="65"), True),
    ],
)
def test_the_category_decides_and_then_the_codes(decline: Decline, hard: bool) -> None:
    assert verdict(decline).hard is hard


def test_a_retry_is_at_the_pairs_hour_on_both_sides_of_the_clock_change() -> None:
    follows = after_decline(SOFT, 1, NOW, SubscriptionSettings(), ZONE)
    assert isinstance(follows, RetryOn)
    assert follows.at == datetime(2027, 3, 28, 5, tzinfo=UTC)
    with pytest.raises(ValueError, match="follows an attempt"):
        after_decline(SOFT, 0, NOW, SubscriptionSettings(), ZONE)


@pytest.mark.parametrize(
    "settings", ['{"retry_days": [0]}', '{"charge_hour": 24}', f'{{"retry_days": {[1] * 15}}}']
)
def test_a_schedule_that_breaks_the_schemes_rules_is_refused(settings: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(settings, type=SubscriptionSettings)


def test_a_card_is_good_to_the_end_of_its_month() -> None:
    assert expires_on("0228") == date(2028, 2, 29)
    assert [expires_on(text) for text in ("", "1328", "0028", "2/28", "12/28")] == [None] * 5
    at = datetime(2028, 1, 30, 12, tzinfo=UTC)
    assert warns("0228", at, 30, ZONE)
    assert not warns("0228", at - timedelta(days=1), 30, ZONE)
    assert not warns("", at, 30, ZONE)


def test_a_notice_shows_words_that_nobody_knows() -> None:
    assert fill("{amount} for {what}\n", {"amount": "£12"}) == "£12 for {what}"
