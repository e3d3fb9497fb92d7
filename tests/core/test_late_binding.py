"""A document may wait for a key that an earlier document of its payment brings."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.documents import Receipt
from integration.errors import UnmappedField
from service.core.late_binding import bind, insist_bound, unbound
from service.core.source_document import Json

MEMO = Receipt(kind="ar_invoice", reference="R-a", key="100271", details={"Journal": "0007"})
ADJUSTMENT: dict[str, Json] = {
    "Customer": "0000001",
    "Invoices": [{"Invoice": "{ar_invoice.key}", "Reference": "R-b"}],
    "JournalNotation": "{ar_invoice.Journal}",
}


def test_a_key_and_a_detail_take_the_place_of_their_placeholders() -> None:
    bound = bind(ADJUSTMENT, {"ar_invoice": MEMO})

    assert bound["Invoices"] == [{"Invoice": "100271", "Reference": "R-b"}]
    assert bound["JournalNotation"] == "0007"
    assert unbound(bound) == ()


def test_a_placeholder_whose_receipt_or_detail_is_missing_stays_and_is_never_sent() -> None:
    assert bind(ADJUSTMENT, {}) == ADJUSTMENT
    without_detail = bind({"Notation": "{ar_invoice.Period}"}, {"ar_invoice": MEMO})

    assert unbound(without_detail) == ("{ar_invoice.Period}",)
    with pytest.raises(UnmappedField, match=r"R-b needs \{ar_invoice\.Period\}"):
        insist_bound(without_detail, "R-b")


@given(st.text())
def test_text_that_is_no_whole_placeholder_is_left_alone(text: str) -> None:
    document = {"Notation": f"to {text}"}

    assert bind(document, {"ar_invoice": MEMO}) == document
    insist_bound(document, "R")


@given(st.sampled_from(["{ar_invoice.key}", "{ar_payment.key}", "plain"]))
def test_binding_twice_is_binding_once(text: str) -> None:
    once = bind({"Invoice": text}, {"ar_invoice": MEMO})

    assert bind(once, {"ar_invoice": MEMO}) == once


def test_a_document_that_was_never_stored_has_tuples_and_is_bound_as_well() -> None:
    built: dict[str, Json] = msgspec.to_builtins({"Invoices": ({"Invoice": "{ar_invoice.key}"},)})

    assert unbound(built) == ("{ar_invoice.key}",)
    assert bind(built, {"ar_invoice": MEMO}) == {"Invoices": [{"Invoice": "100271"}]}
