"""Paths into the source document, and what a field of the ERP takes."""

from __future__ import annotations

import pytest

from service.core.field_dictionary import Field
from service.core.source_document import Json, is_path, payment_paths, read
from tests.core.samples import SOURCE


def test_a_path_reads_members_items_and_whole_lists() -> None:
    assert read(SOURCE, "order.lines[].stock_code") == ["A100", ""]
    assert read(SOURCE, "order.lines[1].net.minor") == 400
    assert read(SOURCE, "order.shipping.lines[0]") == "1 High Street"
    assert read(SOURCE, "order.shipping.lines[7]") is None
    assert read(SOURCE, "order.number[0]") is None
    assert read(SOURCE, "order.number[]") == []
    assert read(SOURCE, "order.number.digits") is None


def test_every_known_path_has_the_form_of_one_and_leads_where_it_says() -> None:
    for path, kind in payment_paths().items():
        assert is_path(path)
        value = read(SOURCE, path)
        for item in value if isinstance(value, list) else [value]:
            expected = {"text": str, "integer": int, "money": dict}[kind]
            assert item is None or isinstance(item, expected)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        (Field(type="text", description="", length=3), "abc", ""),
        (Field(type="text", description="", length=3), "abcd", "has 4 characters, and SYSPRO takes 3"),
        (Field(type="text", description="", length=3), 7, "is no text"),
        (Field(type="text", description="", length=3, choices=("I", "C")), "D", "is none of I, C"),
        (Field(type="text", description="", length=3, choices=("I", "C")), "C", ""),
        (Field(type="integer", description="", least=1, most=9), 9, ""),
        (Field(type="integer", description="", least=1, most=9), 0, "is not between 1 and 9"),
        (Field(type="integer", description="", least=1, most=9), 10, "is not between 1 and 9"),
        (Field(type="integer", description=""), 10**9, ""),
        (Field(type="integer", description=""), True, "is no whole number"),
        (Field(type="decimal", description="", length=2, places=1), "12.30", ""),
        (Field(type="decimal", description="", length=2, places=1), "0", ""),
        (Field(type="decimal", description="", length=2, places=1), "12.34", "has more than 1 places"),
        (Field(type="decimal", description="", length=2, places=1), "123", "has more than 2 digits"),
        (Field(type="decimal", description="", length=2, places=1), "many", "is no decimal number"),
        (Field(type="decimal", description="", length=2, places=1), 1, "is no decimal number"),
        (Field(type="date", description=""), "2025-06-02", ""),
        (Field(type="date", description=""), "20250602", "is no date"),
        (Field(type="date", description=""), "yesterday", "is no date"),
        (Field(type="date", description=""), 20250602, "is no date"),
        (Field(type="money", description="", length=3), {"minor": -99_999, "currency": "GBP"}, ""),
        (
            Field(type="money", description="", length=3),
            {"minor": 100_000, "currency": "GBP"},
            "more than 3 digits",
        ),
        (Field(type="money", description="", length=3), {"minor": 0, "currency": "GBP"}, ""),
        (
            Field(type="money", description="", length=3),
            {"minor": 1, "currency": "£"},
            "no ISO 4217 currency",
        ),
        (Field(type="money", description="", length=3), {"minor": "1", "currency": "GBP"}, "is no amount"),
        (Field(type="money", description="", length=3), "1.00", "is no amount"),
        (Field(type="list", description=""), [], "by the rows of its group"),
    ],
)
def test_a_field_says_what_does_not_fit(field: Field, value: Json, fault: str) -> None:
    found = field.fault(value)

    assert fault in found
    assert bool(found) == bool(fault)
