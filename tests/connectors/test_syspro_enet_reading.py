"""Reading what e.net sends: wrappers, encodings, cases, numbers, dates, and the rows of a search."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from integration.syspro.enet.comfnd import Find, any_of, rows_of, split
from integration.syspro.enet.parsing import amount, count, day, number, parse, text_of
from integration.syspro.enet.text import answer_text

# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"<a>x</a>",
        b'<?xml version="1.0" encoding="Windows-1252"?>\r\n<a>x</a>',
        b'\xef\xbb\xbf<?xml version="1.0"?><a>x</a>',
        json.dumps('<?xml version="1.0" encoding="Windows-1252"?><a>x</a>').encode(),
        b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">&lt;a&gt;x&lt;/a&gt;</string>',
        b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/"><![CDATA[<a>x</a>]]></string>',
        json.dumps('<string xmlns="x">&lt;a&gt;x&lt;/a&gt;</string>').encode(),
    ],
)
def test_the_document_is_found_in_every_wrapper(body: bytes) -> None:
    assert answer_text(body, "auto").strip() == "<a>x</a>"


def test_text_is_utf_8_if_it_can_be_and_windows_1252_otherwise() -> None:
    assert answer_text("<a>Müller €</a>".encode(), "auto") == "<a>Müller €</a>"
    assert answer_text("<a>Müller €</a>".encode("windows-1252"), "auto") == "<a>Müller €</a>"
    assert answer_text("é".encode(), "windows-1252") == "Ã©"
    assert answer_text(b"\x81", "auto") == "\ufffd"


def test_blanks_at_the_end_of_a_token_are_kept() -> None:
    token = "84301C5F0D9E2B7A6C4D1E8F3A5B7C9D0A  "
    for body in (token, json.dumps(token), f'<string xmlns="x">{token}</string>'):
        assert answer_text(body.encode(), "auto") == token


# --- XML ------------------------------------------------------------------------------------------


def test_names_are_read_in_any_case_and_without_undeclared_prefixes() -> None:
    root = parse("<arcustomer xmlns='urn:x'><TBLART:Description>30 days</TBLART:Description></arcustomer>")
    assert text_of(root, "DESCRIPTION") == "30 days"


def test_a_document_type_is_never_read() -> None:
    with pytest.raises(ValueError, match="document type"):
        parse('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("     1.000000", Decimal(1)),
        ("  12.50-", Decimal("-12.5")),
        ("-12.50", Decimal("-12.5")),
        ("", Decimal(0)),
    ],
)
def test_numbers_have_blanks_before_and_a_minus_on_either_side(text: str, value: Decimal) -> None:
    assert number(text) == value
    assert amount(text, "GBP").decimal() == value


def test_counters_are_zero_padded_or_empty() -> None:
    assert [count(text) for text in ("000001", "", "       2")] == [1, 0, 2]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-06-16", date(2025, 6, 16)),
        ("20250616", date(2025, 6, 16)),
        ("2025/06/16", date(2025, 6, 16)),
        ("2025-06-16T00:00:00", date(2025, 6, 16)),
        ("0000-00-00", None),
        ("", None),
    ],
)
def test_dates_are_read_in_each_of_syspros_forms(text: str, value: date | None) -> None:
    assert day(text) == value


# --- searches -------------------------------------------------------------------------------------


def test_rows_of_another_table_or_of_another_number_are_not_believed() -> None:
    find = Find(table="ArInvoicePay", columns=("Invoice",))
    row = "<Row><invoice>  _CRD1 </invoice></Row>"
    (found,) = rows_of(parse(f"<arinvoicepay>{row}<RowsReturned>      1</RowsReturned></arinvoicepay>"), find)
    assert (found["Invoice"], found["Other"], found.told("Other")) == ("_CRD1", "", None)
    for body in (
        f"<ArInvoice>{row}</ArInvoice>",
        f"<ArInvoicePay>{row}<RowsReturned>2</RowsReturned></ArInvoicePay>",
    ):
        with pytest.raises(ValueError, match="the search of ArInvoicePay"):
            rows_of(parse(body), find)


def test_a_long_search_is_cut_into_parts_that_fit_and_ask_for_each_value_once() -> None:
    wanted = [f"{n:030X}" for n in range(200)]
    find = Find(
        table="ArInvoicePay", columns=("Invoice",), where=any_of("Reference", [*wanted, wanted[0], ""])
    )
    parts = list(split(find, 8000))
    assert [group[0][2] for part in parts for group in part.where] == wanted
    assert 1 < len(parts) <= 6
    one = Find(table="ArInvoicePay", columns=("Invoice",), where=any_of("Reference", ["A"]))
    assert list(split(one, 10)) == [one]


def test_terms_of_a_group_stand_in_brackets_and_groups_are_alternatives() -> None:
    find = Find(
        table="ArInvoice",
        columns=("Invoice",),
        where=((("Customer", "EQ", "1"), ("Invoice", "EQ", "_CRD1")), (("Invoice", "EQ", "<9>"),)),
        limit=3,
    )
    assert find.xml() == (
        "<Query><TableName>ArInvoice</TableName><ReturnRows>3</ReturnRows><AllColumns>N</AllColumns>"
        "<Columns><Column>Invoice</Column></Columns><Where>"
        "<Expression><OpenBracket>(</OpenBracket><Column>Customer</Column><Condition>EQ</Condition>"
        "<Value>1</Value></Expression>"
        "<Expression><AndOr>And</AndOr><Column>Invoice</Column><Condition>EQ</Condition><Value>_CRD1</Value>"
        "<CloseBracket>)</CloseBracket></Expression>"
        "<Expression><AndOr>Or</AndOr><Column>Invoice</Column><Condition>EQ</Condition><Value>&lt;9&gt;</Value>"
        "</Expression></Where></Query>"
    )
