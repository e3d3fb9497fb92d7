"""Dunning: what a declined charge means, when it may be tried again, and when a card wants a warning.

The card schemes tell by a category: `01` never again, `02` and `04` at most fifteen times in thirty days, `03` only
after the data were corrected. What is told in no category is taken as a decline for now.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from service.core.subscriptions import Hours, moment

NEVER_AGAIN = "01"
"""The category of a decline after which the card must not be tried again."""

MOST_TRIES = 15
"""The schemes' limit for one authorisation within thirty days."""

# Codes after which only the cardholder can help: another card, corrected data, or a proof of who they are.
_CARDHOLDER_CODES = frozenset(
    """2001 2013 2022 3336 4021 4022 4026 4027 4046 4056 4057 4058 5011 5013 5025 5028 5029 5035 5995""".split()  # noqa: SIM905
)
_CARDHOLDER_BANK_CODES = frozenset(["65", "1A"])


Waits = Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=30)]], msgspec.Meta(max_length=MOST_TRIES - 1)]


class SubscriptionSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a pair charges subscriptions.

    Attributes:
        retry_days: after a decline for now, the days to wait before each further attempt.
        after_last: what happens when the last attempt is declined too.
        charge_hour: hour of the day, in the pair's time zone, at which charges are taken.
        expiry_warning_days: so many days before a card expires people are warned.
        charges_per_turn: at most so many charges in one turn of the job.
    """

    retry_days: Waits = msgspec.field(default_factory=lambda: [1, 3, 5, 7])
    after_last: Literal["suspend", "cancel"] = "suspend"
    charge_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 6
    expiry_warning_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 30
    charges_per_turn: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 200


class Decline(Struct, frozen=True, kw_only=True):
    """What was said about a charge that was not authorised; empty members were not told.

    Attributes:
        status_code: Opayo's; `bank_code` the bank's response.
        category: `01` to `04`; `code` belongs to it.
    """

    status_code: str = ""
    bank_code: str = ""
    code: str = ""
    category: str = ""


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a decline lasts, and why, as a sentence."""

    hard: bool
    reason: str


def verdict(decline: Decline) -> Verdict:
    """Whether a declined charge may be tried again with the same card."""
    if decline.category == NEVER_AGAIN:
        return Verdict(hard=True, reason="The card's bank declined it for good: it must not be tried again.")
    if decline.category == "03":
        return Verdict(
            hard=True, reason="The card's data are wrong or out of date: they must be corrected first."
        )
    if decline.status_code in _CARDHOLDER_CODES or decline.bank_code in _CARDHOLDER_BANK_CODES:
        return Verdict(hard=True, reason="The cardholder must act: prove who they are, or give another card.")
    if decline.bank_code == "51":
        return Verdict(hard=False, reason="There was not enough money on the account.")
    return Verdict(hard=False, reason="The card's bank declined it for now.")


class RetryOn(Struct, frozen=True, kw_only=True):
    """Try again at this time (UTC)."""

    at: datetime
    reason: str


class StopTrying(Struct, frozen=True, kw_only=True):
    """No further attempt with this card; `hard` when the decline itself forbids it."""

    hard: bool
    reason: str


def after_decline(
    decline: Decline, attempts: int, now: datetime, settings: SubscriptionSettings, zone: str
) -> RetryOn | StopTrying:
    """What follows a declined charge.

    Args:
        decline: what was said.
        attempts: declined ones so far, this one included; 1 or more.
        now: aware UTC.
        settings: the pair's schedule.
        zone: the pair's time zone.

    Raises:
        ValueError: no attempt was made.
    """
    if attempts < 1:
        raise ValueError("a decline follows an attempt")
    said = verdict(decline)
    if said.hard:
        return StopTrying(hard=True, reason=said.reason)
    if attempts > len(settings.retry_days) or attempts >= MOST_TRIES:
        return StopTrying(hard=False, reason=f"{said.reason} It was tried {attempts} times.")
    local = now.astimezone(ZoneInfo(zone)).date()
    at = moment(
        local + timedelta(days=settings.retry_days[attempts - 1]), Hours(zone=zone, hour=settings.charge_hour)
    )
    return RetryOn(at=at, reason=said.reason)


def expires_on(expiry: str) -> date | None:
    """The last day on which a card (`MMYY`) is good; `None` when that is not known."""
    if len(expiry) != 4 or not expiry.isdecimal() or not 1 <= int(expiry[:2]) <= 12:
        return None
    year, month = 2000 + int(expiry[2:]), int(expiry[:2])
    return date(year, month, monthrange(year, month)[1])


def warns(expiry: str, now: datetime, days: int, zone: str) -> bool:
    """Whether a card expires within so many days, or has expired."""
    last = expires_on(expiry)
    today = now.astimezone(ZoneInfo(zone)).date()
    return last is not None and today >= last - timedelta(days=days)
