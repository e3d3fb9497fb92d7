"""Money: pennies neither vanish nor appear, and no float comes near them."""

from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money, Rate, decimal_text, exponent, total

ROOT = Path(__file__).parents[2]
PURE = sorted(
    [*(ROOT / "integration" / "canonical").rglob("*.py"), *(ROOT / "service" / "core").rglob("*.py")]
)

currencies = st.sampled_from(["GBP", "EUR", "USD", "HUF", "JPY", "ISK", "BHD", "KWD"])
minors = st.integers(-(10**14), 10**14)
amounts = st.builds(Money, minors, currencies)
weights = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


@given(amounts, weights)
def test_the_parts_sum_to_the_whole(amount: Money, shares: list[int]) -> None:
    parts = amount.allocate(shares)

    assert len(parts) == len(shares)
    assert total(parts, amount.currency) == amount


@given(amounts, weights)
def test_no_part_is_more_than_a_minor_unit_off_its_share(amount: Money, shares: list[int]) -> None:
    for part, weight in zip(amount.allocate(shares), shares, strict=True):
        assert abs(part.minor - Fraction(amount.minor * weight, sum(shares))) <= 1
        assert weight or not part


@given(amounts, weights)
def test_what_is_given_back_is_split_like_what_was_taken(amount: Money, shares: list[int]) -> None:
    assert (-amount).allocate(shares) == [-part for part in amount.allocate(shares)]


def test_the_first_parts_take_the_odd_pennies() -> None:
    assert [part.minor for part in Money(100, "GBP").allocate([1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in Money(5, "GBP").allocate([0, 1, 1])] == [0, 3, 2]


@pytest.mark.parametrize("wrong", [[], [0, 0], [1, -1], [3, -1]])
def test_senseless_weights_are_refused(wrong: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(1, "GBP").allocate(wrong)


@given(amounts)
def test_what_is_written_reads_back_the_same(amount: Money) -> None:
    assert Money.parse(amount.plain(), amount.currency) == amount
    assert Money.parse(str(amount).removesuffix(f" {amount.currency}"), amount.currency) == amount
    assert Money.of(amount.decimal(), amount.currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.50", "GBP", 123_450),
        ("-3", "GBP", -300),
        (" 7 ", "JPY", 7),
        ("0.125", "BHD", 125),
        ("1.500", "GBP", 150),
    ],
)
def test_amounts_are_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0.125", "GBP"),
        ("1.5", "JPY"),
        ("0.0001", "BHD"),
        ("12,34", "GBP"),
        ("", "GBP"),
        ("1e3", "GBP"),
        ("£1", "GBP"),
    ],
)
def test_precision_is_refused_and_never_rounded_away(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount|more decimals"):
        Money.parse(text, currency)


@pytest.mark.parametrize("wrong", [Decimal("0.001"), Decimal("NaN"), Decimal("Infinity")])
def test_a_decimal_must_fit_its_currency(wrong: Decimal) -> None:
    with pytest.raises(ValueError, match=r"not an amount|more decimals"):
        Money.of(wrong, "GBP")


@given(minors, minors, currencies)
def test_sums_and_differences_are_those_of_integers(one: int, other: int, currency: str) -> None:
    left, right = Money(one, currency), Money(other, currency)

    assert (left + right).minor == one + other
    assert left - right + right == left
    assert bool(left) == bool(one)


def test_currencies_never_mix() -> None:
    with pytest.raises(ValueError, match="different currencies"):
        Money(1, "GBP") + Money(1, "EUR")
    with pytest.raises(ValueError, match="different currencies"):
        Money(1, "GBP") - Money(1, "EUR")
    with pytest.raises(ValueError, match="different currencies"):
        total([Money(1, "EUR")], "GBP")
    assert total([], "GBP") == Money(0, "GBP")


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1)])
def test_minor_units_are_whole_numbers_only(minor: int) -> None:
    with pytest.raises(TypeError, match="minor units are an int"):
        Money(minor, "GBP")


@pytest.mark.parametrize("code", ["gbp", "GB", "GBPX", "", "G1P"])
def test_a_currency_is_three_capital_letters(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, code)


def test_exponents_are_those_of_the_standard() -> None:
    assert {code: exponent(code) for code in ("GBP", "HUF", "ISK", "JPY", "KWD")} == {
        "GBP": 2,
        "HUF": 2,
        "ISK": 0,
        "JPY": 0,
        "KWD": 3,
    }


def rate(value: str, source: str = "EUR", target: str = "GBP") -> Rate:
    return Rate(source=source, target=target, value=Decimal(value), authority="test", as_of=date(2025, 6, 2))


@pytest.mark.parametrize(
    ("minor", "value", "target", "converted"),
    [
        (100, "0.125", "GBP", 12),
        (300, "0.125", "GBP", 38),
        (-100, "0.125", "GBP", -12),
        (150, "160", "JPY", 240),
    ],
)
def test_a_conversion_is_rounded_half_to_even(minor: int, value: str, target: str, converted: int) -> None:
    assert Money(minor, "EUR").convert(rate(value, target=target)) == Money(converted, target)


@given(st.integers(-(10**12), 10**12), st.decimals("0.000001", "1000", places=6), currencies)
def test_a_conversion_is_exact_to_half_a_minor_unit(minor: int, value: Decimal, target: str) -> None:
    exact = minor * Fraction(value) * Fraction(10) ** (exponent(target) - 2)

    converted = Money(minor, "EUR").convert(rate(str(value), target=target))

    assert abs(converted.minor - exact) <= Fraction(1, 2)


def test_a_rate_must_be_positive_and_start_at_the_amounts_currency() -> None:
    with pytest.raises(ValueError, match="cannot convert"):
        Money(1, "USD").convert(rate("1"))
    for value in ("0", "-1", "NaN"):
        with pytest.raises(ValueError, match="positive"):
            Money(1, "EUR").convert(rate(value))


def test_decimal_text_is_finite() -> None:
    assert decimal_text("1.50") == Decimal("1.50")
    for wrong in ("", "one", "NaN", "Infinity"):
        with pytest.raises(ValueError, match="not a decimal"):
            decimal_text(wrong)


def floats_in(source: str) -> list[str]:
    """Every place where a float is written, made, or would come out of a division."""
    found = []
    for node in ast.walk(ast.parse(source)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        divided = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        if literal or made or divided:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("module", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_there_is_no_float_where_money_is_decided(module: Path) -> None:
    assert floats_in(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", ["1.5", "float(x)", "a / b", "a /= 2", "f(x=1e3)"])
def test_the_search_for_floats_finds_them(source: str) -> None:
    assert floats_in(source)
