"""Conditions: what they may read, what they must answer, and that none can run away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.expressions import MAX_ITEMS, BadCondition, Fact, compile_condition

KNOWN = frozenset({"amount_minor", "currency", "has_order", "codes", "sizes"})
FACTS: dict[str, Fact] = {
    "amount_minor": 12_995,
    "currency": "GBP",
    "has_order": True,
    "codes": ["A100", "B200"],
    "sizes": [1, 2, 3],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount_minor > 10000 && currency == 'GBP'", True),
        ("amount_minor > 20000", False),
        ("has_order", True),
        ("!has_order || currency in ['EUR', 'USD']", False),
        ("'A100' in codes", True),
        ("codes.exists(code, code.startsWith('B'))", True),
        ("sizes.all(one, sizes.exists(other, other >= one))", True),
        ("size(codes) == 2 && codes[0] == 'A100'", True),
        ("currency.matches('^[A-Z]{3}$')", True),
        ("amount_minor + 5 == 13000 // a comment with words", True),
        ("currency != 'it is .all(1.5, x)'", True),
        ("sizes.map(one, one * 2).filter(one, one > 4).size() == 1", True),
        ("-amount_minor < 0 && amount_minor % 5 == 0", True),
    ],
)
def test_a_condition_decides(text: str, expected: bool) -> None:
    assert compile_condition(text, KNOWN).holds(FACTS) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("amount_minor > " + "1" * 500, "longer than 500"),
        ("amount_minor >", "cannot be read: mismatched input"),
        ("amont_minor > 1", "reads `amont_minor`, which is not known; known are amount_minor"),
        ("amount_minor > 1.5", "has a fraction"),
        ("amount_minor > 1e3", "has a fraction"),
        ("double(amount_minor) > 1", r"uses `double\(\)`"),
        ("timestamp(currency) > timestamp(currency)", r"uses `timestamp\(\)`"),
        ("sizes.all(a, sizes.all(b, sizes.all(c, a == c)))", "nests more than 2"),
        ("sizes.all(a, (sizes + sizes).all(b, a == b))", "adds things up inside nested"),
        ("sizes.all(a, a > 0) && a > 0", "reads `a`, which is not known"),
        ("currency == null", "reads `null`"),
    ],
)
def test_a_condition_that_cannot_work_is_refused_when_it_is_compiled(text: str, reason: str) -> None:
    with pytest.raises(BadCondition, match=reason) as caught:
        compile_condition(text, KNOWN)

    assert caught.value.expression == text


def test_an_unknown_variable_is_named_even_where_none_is_known() -> None:
    with pytest.raises(BadCondition, match="known are none") as caught:
        compile_condition("x", frozenset())

    assert caught.value.variable == "x"


@pytest.mark.parametrize(
    ("text", "facts", "reason"),
    [
        ("has_order", {}, "needs `has_order`"),
        ("amount_minor", FACTS, "must answer yes or no, not 12995"),
        ("amount_minor + currency == 'x'", FACTS, "could not decide: No such overload"),
        ("amount_minor / 0 == 1", FACTS, "could not decide: division by zero"),
        ("amount_minor + 1 > 0", {"amount_minor": 2**63 - 1}, "could not decide: Arithmetic overflow"),
        ("amount_minor > 0", {"amount_minor": 2**63}, "got a int as `amount_minor`"),
        ("codes.exists(code, code == 'x')", {"codes": ["x"] * (MAX_ITEMS + 1)}, "more than 500 items"),
        ("currency.matches('(')", FACTS, "could not decide"),
    ],
)
def test_a_condition_that_cannot_decide_says_why(text: str, facts: dict[str, Fact], reason: str) -> None:
    with pytest.raises(BadCondition, match=reason):
        compile_condition(text, KNOWN).holds(facts)


def test_no_fraction_and_no_object_enters_a_condition() -> None:
    condition = compile_condition("amount_minor > 0", KNOWN)
    for strange in (1.5, {"minor": 1}, None, [1.5]):
        with pytest.raises(BadCondition, match="only whole numbers"):
            condition.holds({"amount_minor": strange})  # type: ignore[dict-item]


def test_facts_that_a_condition_does_not_read_are_not_looked_at() -> None:
    condition = compile_condition("has_order", KNOWN)

    assert condition.variables == ("has_order",)
    assert condition.holds({"has_order": True, "sizes": [0] * 10_000})


def test_a_long_condition_is_shown_short_in_its_error() -> None:
    with pytest.raises(BadCondition) as caught:
        compile_condition("currency == 'x' || " * 20 + "nobody", KNOWN)

    assert "…" in str(caught.value)


@settings(max_examples=200)
@given(st.text(alphabet="abc.()[]{}!&|+-'\"\\ 1<>=?:,allmpsizecurreny", max_size=60))
def test_whatever_a_person_types_ends_in_a_condition_or_in_a_named_error(text: str) -> None:
    try:
        answer = compile_condition(text, KNOWN).holds(FACTS)
    except BadCondition:
        return
    assert isinstance(answer, bool)
