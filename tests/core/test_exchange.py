"""Conversion: at a named rate, by a path that anybody can compute again, rounded once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money, Rate, exponent
from integration.errors import InvalidPayment, Misconfigured
from service.core.exchange import RateTable, difference

TODAY = date(2025, 6, 2)


def rate(source: str, target: str, value: str, authority: str = "SYSPRO", days_ago: int = 0) -> Rate:
    as_of = TODAY - timedelta(days=days_ago)
    return Rate(source=source, target=target, value=Decimal(value), authority=authority, as_of=as_of)


def table(*rates: Rate, max_age_days: int = 7) -> RateTable:
    return RateTable(rates, local="GBP", max_age_days=max_age_days, authorities=["ECB"])


def test_the_book_rate_comes_before_a_younger_rate_of_anybody_else() -> None:
    rates = table(rate("EUR", "GBP", "0.86", "ECB"), rate("EUR", "GBP", "0.85", days_ago=3))

    conversion = rates.convert(Money(10_000, "EUR"), "GBP", TODAY)

    assert conversion.converted == Money(8_500, "GBP")
    assert conversion.rate.value == Decimal("0.85")
    assert (
        conversion.reason
        == "100.00 EUR × 0.850000 (EUR/GBP, SYSPRO, 2025-05-30) = 85.00 GBP, rounded once, half to even"
    )


def test_the_youngest_rate_of_an_authority_counts_but_never_one_from_the_future() -> None:
    rates = table(
        rate("EUR", "GBP", "0.84", days_ago=2),
        rate("EUR", "GBP", "0.85"),
        rate("EUR", "GBP", "0.99", days_ago=-1),
    )

    assert rates.convert(Money(100, "EUR"), "GBP", TODAY).converted == Money(85, "GBP")


def test_other_authorities_follow_in_the_order_of_trust_and_then_by_name() -> None:
    rates = [rate("EUR", "GBP", "0.81", "Zebra"), rate("EUR", "GBP", "0.82", "Aardvark")]

    assert table(*rates).convert(Money(100, "EUR"), "GBP", TODAY).rate.authority == "Aardvark"
    with_ecb = table(*rates, rate("EUR", "GBP", "0.83", "ECB", 5))
    assert with_ecb.convert(Money(100, "EUR"), "GBP", TODAY).rate.authority == "ECB"


def test_a_rate_quoted_the_other_way_round_divides() -> None:
    conversion = table(rate("GBP", "EUR", "1.17")).convert(Money(10_000, "EUR"), "GBP", TODAY)

    assert conversion.converted == Money(8_547, "GBP")
    assert conversion.rate.value == Decimal("0.854701")
    assert "÷ 1.170000 (GBP/EUR" in conversion.reason


def test_the_younger_of_two_directions_counts() -> None:
    rates = table(rate("EUR", "GBP", "0.80", days_ago=1), rate("GBP", "EUR", "1.25"))

    assert "÷ 1.250000" in rates.convert(Money(100, "EUR"), "GBP", TODAY).reason


def test_two_foreign_currencies_meet_in_the_local_one() -> None:
    rates = table(rate("EUR", "GBP", "0.85", days_ago=1), rate("GBP", "JPY", "190"))

    conversion = rates.convert(Money(10_050, "EUR"), "JPY", TODAY)

    assert conversion.converted == Money(16_231, "JPY")  # 100.50 × 0.85 × 190 = 16230.75
    assert conversion.rate.as_of == TODAY - timedelta(days=1)
    assert "× 0.850000" in conversion.reason
    assert "× 190.000000" in conversion.reason


def test_half_of_a_path_leads_nowhere() -> None:
    with pytest.raises(InvalidPayment, match="no rate from EUR to JPY"):
        table(rate("EUR", "GBP", "0.85")).convert(Money(1, "EUR"), "JPY", TODAY)


def test_an_old_rate_is_refused_and_its_date_told() -> None:
    with pytest.raises(InvalidPayment) as refused:
        table(rate("EUR", "GBP", "0.85", days_ago=8)).convert(Money(1, "EUR"), "GBP", TODAY)

    assert refused.value.error_code == "exchange.no-rate"
    assert refused.value.evidence == {"newest_rate": "2025-05-25"}
    a_day_younger = table(rate("EUR", "GBP", "0.85", days_ago=7))
    assert a_day_younger.convert(Money(1, "EUR"), "GBP", TODAY).converted == Money(1, "GBP")


def test_no_conversion_is_needed_within_one_currency() -> None:
    conversion = table().convert(Money(5, "GBP"), "GBP", TODAY)

    assert conversion.converted == conversion.original
    assert conversion.rate.value == 1


@pytest.mark.parametrize("value", ["0", "-1", "0.0000004", "NaN", "Infinity"])
def test_a_rate_that_is_not_positive_with_six_decimals_is_refused(value: str) -> None:
    with pytest.raises(Misconfigured, match="not positive"):
        table(rate("EUR", "GBP", value))


def test_an_unknown_currency_code_is_refused() -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        table().convert(Money(5, "GBP"), "pounds", TODAY)


@given(
    minor=st.integers(-(10**12), 10**12),
    value=st.decimals("0.0001", "500", places=6),
    target=st.sampled_from(["GBP", "JPY", "BHD"]),
    inverse=st.booleans(),
)
def test_a_conversion_is_exact_to_half_a_minor_unit(
    minor: int, value: Decimal, target: str, inverse: bool
) -> None:
    pair = (target, "EUR") if inverse else ("EUR", target)
    rates = RateTable([rate(*pair, str(value))], local="GBP", max_age_days=0)

    converted = rates.convert(Money(minor, "EUR"), target, TODAY).converted

    scale = Fraction(10) ** (exponent(target) - 2)
    exact = minor * scale * (Fraction(value) ** (-1 if inverse else 1))
    assert abs(converted.minor - exact) <= Fraction(1, 2)


def test_what_a_receipt_gains_or_loses_between_two_rates() -> None:
    amount = Money(10_000, "EUR")
    low, high = rate("EUR", "GBP", "0.85"), rate("EUR", "GBP", "0.86")

    assert (difference(amount, low, high).kind, difference(amount, low, high).amount) == (
        "gain",
        Money(100, "GBP"),
    )
    assert (difference(amount, high, low).kind, difference(amount, high, low).amount) == (
        "loss",
        Money(100, "GBP"),
    )
    assert difference(amount, low, low).kind == "none"
    with pytest.raises(ValueError, match="different currencies"):
        difference(amount, low, rate("EUR", "USD", "1.1"))
