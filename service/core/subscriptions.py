"""Subscriptions: on which days a charge is due, what to do about days that went by, and the names of charges.

Every due date is counted from the start, never from the date before: what begins on the 31st is due on the 28th of
February and on the 31st of March again. Nothing here reads a clock or draws a number.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from integration.canonical.money import Money
from service.core.circumstances import SubscriptionFacts

Interval = Literal["day", "week", "month", "year"]
MonthEnd = Literal["same-day", "last-day"]
CatchUp = Literal["once", "each"]
SubscriptionState = Literal["active", "paused", "suspended", "cancelled", "ended"]
ChargeState = Literal["due", "dunning", "taken", "failed", "passed"]
Action = Literal["pause", "resume", "cancel", "skip", "card", "retry", "suspend", "end"]

MOST_AT_ONCE = 5_000
"""So many due dates are looked at in one go; more than thirteen years of days."""

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
# The least number of days between two charges, as `recurringFrequency` tells the card scheme.
_LEAST_DAYS = {"day": 1, "week": 7, "month": 28, "year": 365}
_CODE = re.compile(r"S-([0-9A-Z]{10})-(\d{8})-(\d{1,3})")


class Terms(Struct, frozen=True, kw_only=True):
    """What a subscription is charged, and when; copied from its plan when it begins, and never changed by it.

    Attributes:
        amount: of each charge, tax included; `tax_minor` is the part of it that is tax. There is no proration.
        every: so many intervals from one due date to the next.
        month_end: where a month is shorter: its last day (`same-day`), or always the last day of the month.
        catch_up: what is due after the service stood still: one charge for the latest date, or one for each.
        start: of the first charge; `end` is the last possible day, `charges` the number of them.
        stock_code, product_class, tax_code: what the ERP shall call it; empty for the pair's defaults.
    """

    plan: str
    amount: Money
    tax_minor: int = 0
    description: str
    interval: Interval
    every: int = 1
    month_end: MonthEnd = "same-day"
    catch_up: CatchUp = "once"
    start: date
    end: date | None = None
    charges: int | None = None
    stock_code: str = ""
    product_class: str = ""
    tax_code: str = ""


class Hours(Struct, frozen=True, kw_only=True):
    """When on a due date a charge is taken: at an hour of the pair's own time zone (an IANA name)."""

    zone: str
    hour: int = 6


def due_on(terms: Terms, number: int) -> date | None:
    """The due date of a charge, counted from 1; `None` after the last one.

    Raises:
        ValueError: a number below 1.
    """
    day = _day(terms, number)
    if day is None or (terms.charges is not None and number > terms.charges):
        return None
    return None if terms.end is not None and day > terms.end else day


def _day(terms: Terms, number: int) -> date | None:
    if number < 1:
        raise ValueError("charges are counted from 1")
    steps = (number - 1) * terms.every
    try:
        if terms.interval in _DAYS:
            return terms.start + timedelta(days=steps * _DAYS[terms.interval])
        months = terms.start.year * 12 + terms.start.month - 1 + steps * _MONTHS[terms.interval]
        year, month = divmod(months, 12)
        last = monthrange(year, month + 1)[1]
        return date(year, month + 1, last if terms.month_end == "last-day" else min(terms.start.day, last))
    except (OverflowError, ValueError):
        return None  # past the end of the calendar


def moment(day: date, hours: Hours) -> datetime:
    """When a charge of a day is due, in UTC. An hour that clocks leave out is the one after, a doubled one its first."""
    return datetime.combine(day, time(hours.hour), ZoneInfo(hours.zone)).astimezone(UTC)


def due_at(terms: Terms, number: int, hours: Hours) -> datetime | None:
    """When a charge is due, in UTC; `None` after the last one."""
    day = due_on(terms, number)
    return None if day is None else moment(day, hours)


class Opening(Struct, frozen=True, kw_only=True):
    """What comes of the due dates up to now.

    Attributes:
        charge: the number that is to be charged; `None` when none is due.
        passed: numbers that are let go by.
        next_number: the first one that is not decided yet; `next_due_at` is `None` when there is none.
    """

    charge: int | None
    passed: tuple[int, ...]
    next_number: int
    next_due_at: datetime | None


def open_due(terms: Terms, number: int, hours: Hours, now: datetime) -> Opening:
    """Which charge to take, when some are due: never a stack of missed ones, unless the terms say so."""
    due: list[int] = []
    while len(due) < MOST_AT_ONCE and (at := due_at(terms, number, hours)) is not None and at <= now:
        due.append(number)
        number += 1
        if terms.catch_up == "each":
            break
    return Opening(
        charge=due[-1] if due else None,
        passed=tuple(due[:-1]),
        next_number=number,
        next_due_at=due_at(terms, number, hours),
    )


def pass_over(terms: Terms, number: int, hours: Hours, now: datetime) -> Opening:
    """What a pause let go by: no date up to now is charged."""
    passed: list[int] = []
    while len(passed) < MOST_AT_ONCE and (at := due_at(terms, number, hours)) is not None and at <= now:
        passed.append(number)
        number += 1
    return Opening(
        charge=None, passed=tuple(passed), next_number=number, next_due_at=due_at(terms, number, hours)
    )


# --- states ---------------------------------------------------------------------------------------

_MOVES: dict[tuple[SubscriptionState, Action], SubscriptionState] = {
    ("active", "pause"): "paused",
    ("active", "cancel"): "cancelled",
    ("active", "skip"): "active",
    ("active", "card"): "active",
    ("active", "suspend"): "suspended",
    ("active", "end"): "ended",
    ("paused", "resume"): "active",
    ("paused", "cancel"): "cancelled",
    ("paused", "card"): "paused",
    ("paused", "suspend"): "suspended",
    ("active", "retry"): "active",
    ("suspended", "card"): "active",
    ("suspended", "retry"): "active",
    ("suspended", "cancel"): "cancelled",
}


def after(state: SubscriptionState, action: Action) -> SubscriptionState | None:
    """The state that an action leads to, or `None` when the state does not allow it."""
    return _MOVES.get((state, action))


# --- names and facts ------------------------------------------------------------------------------


class ChargeKey(Struct, frozen=True):
    """What a charge's vendor transaction code tells: of which subscription, due on which day, at which attempt."""

    reference: str
    due_on: date
    attempt: int


def charge_code(key: ChargeKey) -> str:
    """The vendor transaction code of an attempt: always the same one, so that a crash cannot charge twice."""
    return f"S-{key.reference}-{key.due_on:%Y%m%d}-{key.attempt}"


def read_code(code: str) -> ChargeKey | None:
    """The opposite of `charge_code`; `None` for every other code."""
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    try:
        day = date.fromisoformat(f"{found[2][:4]}-{found[2][4:6]}-{found[2][6:]}")
    except ValueError:
        return None
    return ChargeKey(found[1], day, int(found[3]))


def credential_type(terms: Terms, day: date, bank_code: str) -> dict[str, str]:
    """The `credentialType` of a charge: a merchant's own, subsequent use of a stored card.

    Args:
        day: the due date.
        bank_code: of the decline before, empty for a first attempt; after `51` it is a resubmission.
    """
    if bank_code == "51":
        return {"cofUsage": "Subsequent", "initiatedType": "MIT", "mitType": "Resubmission"}
    # A subscription without an end is announced for ten years, as the field must hold a day.
    expiry = terms.end or date(day.year + 10, 12, 31)
    return {
        "cofUsage": "Subsequent",
        "initiatedType": "MIT",
        "mitType": "Recurring",
        "recurringExpiry": f"{expiry:%Y%m%d}",
        "recurringFrequency": str(min(terms.every * _LEAST_DAYS[terms.interval], 9999)),
    }


def facts(terms: Terms, reference: str, customer: str, number: int) -> SubscriptionFacts:
    """What mappings read of a charge; without proration it pays for the time up to the next due date."""
    first, following = _day(terms, number), _day(terms, number + 1)
    return SubscriptionFacts(
        subscription=reference,
        plan=terms.plan,
        customer=customer,
        description=terms.description,
        sequence=number,
        period_from=first,
        period_to=None if following is None else following - timedelta(days=1),
        stock_code=terms.stock_code,
        product_class=terms.product_class,
        tax_code=terms.tax_code,
        net=Money(terms.amount.minor - terms.tax_minor, terms.amount.currency),
        tax=Money(terms.tax_minor, terms.amount.currency),
    )


def faults(terms: Terms) -> list[str]:
    """What is wrong with terms, one sentence each; none when they can be charged."""
    found = []
    if terms.amount.minor < 1:
        found.append("The amount must be positive.")
    if not 0 <= terms.tax_minor <= terms.amount.minor:
        found.append("The tax must be a part of the amount.")
    if not 1 <= terms.every <= 1000:
        found.append("A charge comes every 1 to 1000 intervals.")
    if terms.charges is not None and terms.charges < 1:
        found.append("There must be at least one charge.")
    if not found and due_on(terms, 1) is None:
        found.append("The end comes before the first charge.")
    return found


def changed(terms: Terms, **values: object) -> Terms:
    """Terms with some members replaced."""
    return msgspec.structs.replace(terms, **values)
