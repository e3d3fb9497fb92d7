"""The field functions: what each does, what it refuses, and that references never collide."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money
from service.core.code_page import transliterate
from service.core.field_functions import ArgumentValue, Outcome
from service.core.references import hex_reference, po_number
from service.core.source_document import Json
from service.core.transforms import CATALOGUE, BadArguments, TransformFailed, transform_named

POUNDS: Json = {"minor": 12_995, "currency": "GBP"}
PENCE: Json = {"minor": 5, "currency": "GBP"}
EUROS: Json = {"minor": 5, "currency": "EUR"}
TABLE: dict[str, ArgumentValue] = {"table": {"Ok": "Paid"}}


def run(name: str, value: Json, /, **arguments: ArgumentValue) -> Outcome:
    transform = transform_named(name)
    return transform.apply(value, transform.settle(arguments))


@pytest.mark.parametrize(
    ("name", "value", "arguments", "expected"),
    [
        ("text", 42, {}, "42"),
        ("text", True, {}, "Y"),
        ("text", False, {}, "N"),
        ("upper", "web1", {}, "WEB1"),
        ("strip", "  1  High\tStreet ", {}, "1 High Street"),
        ("cut", "short", {"length": 5}, "short"),
        ("pad_zeros", "42", {"width": 7}, "0000042"),
        ("pad_zeros", "WEB42", {"width": 7}, "WEB42"),
        ("pad_zeros", "४२", {"width": 7}, "४२"),
        ("concat", ["a", None, "", 7], {"separator": "-"}, "a-7"),
        ("concat", None, {}, None),
        ("split", "a / b / c", {"separator": "/", "part": 2}, "b"),
        ("split", "a b", {"part": 3}, None),
        ("split", "a  b", {"separator": "", "part": 2}, "b"),
        ("first_of", [None, "", 0, "x"], {}, 0),
        ("first_of", [], {}, None),
        ("constant", None, {"value": "O"}, "O"),
        ("lookup", "Ok", TABLE, "Paid"),
        ("minor_to_major", POUNDS, {}, "129.95"),
        ("minor_to_major", {"minor": -5, "currency": "BHD"}, {}, "-0.005"),
        ("minor_to_major", {"minor": 7, "currency": "JPY"}, {}, "7"),
        ("decimal", "2", {"places": 6}, "2.000000"),
        ("decimal", "1E+3", {"places": 1}, "1000.0"),
        ("date", "2025-06-02T23:30:00Z", {}, "2025-06-03"),
        ("date", "2025-12-02T23:30:00+00:00", {"format": "%d/%m/%Y"}, "02/12/2025"),
        ("date", "2025-06-02T23:30:00Z", {"zone": "America/New_York"}, "2025-06-02"),
        ("hex_reference", "{6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f}", {}, "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E"),
        ("po_number", "SO-104233-2", {}, "SO-104233-2"),
        ("address_line", "1 High Street,", {}, "1 High Street"),
        ("sum", [POUNDS, None, PENCE], {}, {"minor": 13_000, "currency": "GBP"}),
        ("sum", [1, 2, 3], {}, 6),
        ("sum", [], {}, None),
        ("sum", POUNDS, {}, POUNDS),
        ("negate", 5, {}, -5),
        ("negate", "1.50", {}, "-1.50"),
        ("negate", POUNDS, {}, {"minor": -12_995, "currency": "GBP"}),
        ("zero", POUNDS, {}, {"minor": 0, "currency": "GBP"}),
    ],
)
def test_a_function_does_what_it_says(
    name: str, value: Json, arguments: dict[str, ArgumentValue], expected: Json
) -> None:
    assert run(name, value, **arguments) == Outcome(expected)


@pytest.mark.parametrize(
    ("name", "value", "arguments", "expected", "note"),
    [
        ("cut", "too long", {"length": 4}, "too", "cut from 8 to 4"),
        ("decimal", "10.123455", {"places": 5}, "10.12346", "rounded from 10.123455"),
        ("decimal", "10.123445", {"places": 5}, "10.12344", "half to even"),
        ("decimal", "-0.001", {"places": 2}, "0.00", "rounded"),
        ("lookup", "New", {**TABLE, "otherwise": "Unknown"}, "Unknown", "not in the table"),
        ("code_page", "Łódź", {}, "Lódz", "Windows-1252"),
        ("address_line", "Flat 3, 21 Łazienkowska Street", {"length": 20}, "Flat 3, 21", "1252; cut from 30"),
        ("address_line", "Llanfairpwllgwyngyll", {"length": 10}, "Llanfairpw", "cut from 20 to 10"),
        ("po_number", "so 1", {}, "SO-1--NDWP4AMTPIM7ZCQABPSV", "digest"),
    ],
)
def test_a_function_that_loses_something_leaves_a_note(
    name: str, value: Json, arguments: dict[str, ArgumentValue], expected: str, note: str
) -> None:
    outcome = run(name, value, **arguments)

    assert outcome.value == expected
    assert note in outcome.note


@pytest.mark.parametrize(
    ("name", "value", "arguments", "reason"),
    [
        ("text", ["a"], {}, "it takes text or a whole number"),
        ("lookup", "New", TABLE, "not in the table"),
        ("minor_to_major", "129.95", {}, "it takes money"),
        ("minor_to_major", {"minor": True, "currency": "GBP"}, {}, "it takes money"),
        ("minor_to_major", {"minor": 1, "currency": "pounds"}, {}, "ISO 4217"),
        ("decimal", "many", {"places": 2}, "not a decimal number"),
        ("decimal", "1E+18", {"places": 2}, "at most 18 digits"),
        ("negate", "1E-400", {}, "at most 18 digits"),
        ("negate", True, {}, "it takes money"),
        ("date", "2025-06-02T23:30:00", {}, "without its zone"),
        ("date", "yesterday", {}, "Invalid isoformat"),
        ("date", "0001-01-01T00:00:00Z", {"zone": "America/New_York"}, "out of range"),
        ("hex_reference", "12345", {}, "at least 30 hex digits, not 5"),
        ("po_number", "", {}, "has no reference"),
        ("sum", [POUNDS, EUROS], {}, "different currencies"),
        ("sum", [1, POUNDS], {}, "it takes money"),
    ],
)
def test_a_function_refuses_what_it_cannot_take(
    name: str, value: Json, arguments: dict[str, ArgumentValue], reason: str
) -> None:
    with pytest.raises(TransformFailed, match=reason) as caught:
        run(name, value, **arguments)

    assert f"`{name}` cannot take it" in caught.value.reason


def test_an_error_shows_the_value_short_and_its_reason_not_at_all() -> None:
    with pytest.raises(TransformFailed) as caught:
        run("text", ["private " * 20])

    assert len(str(caught.value)) < 200
    assert "private" not in caught.value.reason


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("shout", {}, "there is no field function `shout`; there are address_line, code_page"),
        ("upper", {"length": 3}, "`upper` has no argument `length`; it has none"),
        ("cut", {"size": 3}, "`cut` has no argument `size`; it has length"),
        ("cut", {}, "`cut` needs the argument `length`: a whole number from 1 to 400"),
        ("cut", {"length": 0}, "cannot take 0 as `length`"),
        ("cut", {"length": True}, "cannot take True"),
        ("cut", {"length": "3"}, "cannot take '3'"),
        ("constant", {"value": 3}, "a text"),
        ("lookup", {"table": "statuses"}, "a table of text by text"),
        ("date", {"zone": "Mars/Olympus"}, "a time zone"),
        ("date", {"zone": "../etc/passwd"}, "a time zone"),
        ("date", {"zone": "Europe"}, "a time zone"),
    ],
)
def test_wrong_arguments_are_refused_before_any_document_is_met(
    name: str, arguments: dict[str, ArgumentValue], reason: str
) -> None:
    with pytest.raises(BadArguments, match=reason):
        transform_named(name).settle(arguments)


def test_nothing_stays_nothing_except_where_a_function_can_make_something_of_it() -> None:
    makers = {name for name, transform in CATALOGUE.items() if transform.takes_nothing}

    assert makers == {"concat", "first_of", "constant", "receipt"}
    assert run("upper", None) == Outcome(None)


def test_every_function_says_what_it_does() -> None:
    for name, transform in CATALOGUE.items():
        assert transform.name == name
        assert transform.summary.endswith(".")


# --- money ----------------------------------------------------------------------------------------

CURRENCIES = st.sampled_from(["GBP", "EUR", "USD", "JPY", "BHD", "HUF"])


@given(st.integers(min_value=-(10**14), max_value=10**14), CURRENCIES)
def test_minor_to_major_goes_there_and_back(minor: int, currency: str) -> None:
    major = run("minor_to_major", {"minor": minor, "currency": currency}).value

    assert isinstance(major, str)
    assert Money.parse(major, currency) == Money(minor, currency)


@given(st.lists(st.integers(min_value=-(10**9), max_value=10**9), min_size=1), CURRENCIES)
def test_a_sum_loses_no_penny(minors: list[int], currency: str) -> None:
    amounts: list[Json] = [{"minor": minor, "currency": currency} for minor in minors]

    assert run("sum", amounts).value == {"minor": sum(minors), "currency": currency}


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=8), st.integers(min_value=0, max_value=9))
def test_a_rounded_decimal_is_the_nearest_with_so_many_places(exact: Decimal, places: int) -> None:
    outcome = run("decimal", f"{exact:f}", places=places)
    rounded = Decimal(str(outcome.value))

    assert abs(rounded - exact) * 2 <= Decimal(1).scaleb(-places)
    assert rounded.as_tuple().exponent == -places
    assert bool(outcome.note) == (rounded != exact)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_a_business_date_is_within_a_day_of_its_moment(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    value = run("date", aware.isoformat()).value

    day = datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC).date()
    assert 0 <= (day - aware.date()).days <= 1


# --- references -----------------------------------------------------------------------------------

GATEWAY_CODES = st.text(alphabet="ABCXYZabcxyz0189-._{}", min_size=1, max_size=40)
NEAR_EQUAL = st.builds(
    lambda stem, tail, upper: (stem + tail).upper() if upper else stem + tail,
    st.sampled_from(
        ["WEB-2025-000123", "web-2025-000123", "W" * 30, "W" * 29 + "-", "WEB--AAAA", "A{B}", "A_B"]
    ),
    st.text(alphabet="aA0-_.{}2", max_size=10),
    st.booleans(),
)


@given(st.sets(NEAR_EQUAL | GATEWAY_CODES, min_size=2, max_size=60))
def test_no_two_codes_share_an_order_number(codes: set[str]) -> None:
    assert len({po_number(code) for code in codes}) == len(codes)


@given(GATEWAY_CODES)
def test_no_code_can_be_the_short_form_of_another(code: str) -> None:
    short = po_number(code)

    assert short == code or po_number(short) != short


@given(GATEWAY_CODES | st.text(min_size=1))
def test_an_order_number_fits_syspro_and_is_always_the_same(code: str) -> None:
    if not code.isascii():
        code = code.encode("utf-8", "replace").decode("utf-8")
    short = po_number(code)

    assert re.fullmatch(r"[A-Z0-9-]{1,30}", short)
    assert po_number(code) == short


@given(st.text(alphabet="ABCXYZ0189-", min_size=1, max_size=30))
def test_a_code_that_fits_stays_as_the_shop_knows_it(code: str) -> None:
    assert (po_number(code) == code) is ("--" not in code)


def test_a_shortened_code_starts_as_the_long_one_does() -> None:
    assert po_number("web-order-2025-000000000000000123-attempt").startswith("WEB-ORDE--")
    assert po_number("{}").startswith("--")


def test_a_reference_is_hex_of_the_length_asked_for() -> None:
    assert hex_reference("6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f", 32) == "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E5F"


# --- letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Müller & Søn – “Œuvre” €", "Müller & Søn – “Œuvre” €"),
        ("Đorđe Žižek", "Dorde Žižek"),
        ("Cafe\u0301", "Café"),
        ("東京", "??"),
        ("a\tb\u2028c", "a b c"),
        ("ﬁn\u200b\u0328", "fin"),
        ("№ 7−2", "No 7-2"),
    ],
)
def test_text_is_written_in_the_letters_the_erp_has(text: str, plain: str) -> None:
    assert transliterate(text) == plain


@given(st.text())
def test_whatever_comes_fits_the_code_page_and_is_not_changed_twice(text: str) -> None:
    plain = transliterate(text)

    assert plain.encode("cp1252").decode("cp1252") == plain
    assert transliterate(plain) == plain


@given(st.text(), st.integers(min_value=1, max_value=60))
def test_an_address_line_always_fits(text: str, length: int) -> None:
    line = run("address_line", text, length=length).value

    assert isinstance(line, str)
    assert len(line) <= length
    assert line == line.strip()
