"""The rules of chargebacks are data, refused where they decide nothing; deadlines are counted in business days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from integration.errors import Misconfigured
from service.core.chargeback_rules import (
    add_business_days,
    business_days_left,
    load_rules,
    respond_by,
    threshold_reached,
)
from tests.core.test_chargebacks import DAY, RULES, SHIPPED, notice


@pytest.mark.parametrize(
    "changes",
    [
        {"pattern": "cheque"},
        {"stages": {"first_chargeback": {"money": "gone"}}},
        {"stages": {"zeroth_chargeback": {"money": "taken"}}},
        {"nonsense": 1},
    ],
)
def test_rules_that_are_none_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Misconfigured, match="chargeback rules"):
        load_rules(SHIPPED, changes)


def test_every_stage_needs_a_rule() -> None:
    with pytest.raises(Misconfigured, match="retrieval_request"):
        load_rules("{pattern: journal, lost: write_off, stages: {accepted: {money: taken, ends: lost}}}")


def test_the_last_day_is_the_one_told_else_counted_in_business_days() -> None:
    friday = replace(notice("arbitration"), received_on=date(2025, 8, 22))

    assert respond_by(replace(friday, respond_by=date(2025, 9, 9)), RULES) == date(2025, 9, 9)
    # Saturday, Sunday and the bank holiday of 25 August are no business days.
    assert respond_by(friday, RULES) == date(2025, 9, 1)
    assert respond_by(notice("representment"), RULES) is None


@given(st.dates(date(2025, 1, 1), date(2026, 12, 1)), st.integers(0, 40))
def test_business_days_are_counted_as_they_are_added(start: date, days: int) -> None:
    until = add_business_days(start, days, RULES.holidays)

    assert until >= start
    assert until.weekday() < 5
    assert until not in RULES.holidays
    first = add_business_days(start, 0, RULES.holidays)
    assert business_days_left(first, until, RULES.holidays) == days


def test_a_day_that_is_past_has_no_days_left() -> None:
    assert business_days_left(DAY, DAY - timedelta(days=1), ()) == -1
    assert business_days_left(DAY, DAY, ()) == 0


@pytest.mark.parametrize(("left", "reached"), [(9, None), (5, 5), (3, 5), (2, 2), (0, 0), (-1, -1)])
def test_an_alert_is_due_at_the_smallest_threshold_reached(left: int, reached: int | None) -> None:
    assert threshold_reached(left, [5, 2, 0]) == reached
