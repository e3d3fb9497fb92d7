"""The mappings that ship: their documents are the ones the ERP port takes, and the trace tells how."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.documents import ArPayment, SalesOrder
from integration.canonical.payment import GatewayTransaction
from integration.errors import UnmappedField
from service.core.mapped_document import FieldTrace, MappedDocument
from service.core.mapping import apply
from service.core.source_document import payment_document
from tests.core.samples import (
    AR_PAYMENT,
    COURIER,
    DATA,
    LAMP,
    PAIR,
    SALES_ORDER,
    VOUCHER,
    WRAPPING,
    order,
    pounds,
    transaction,
)


def field_trace(mapped: MappedDocument, target: str) -> FieldTrace:
    return next(trace for trace in mapped.trace if trace.target == target)


def test_a_paid_order_becomes_a_sales_order() -> None:
    source = payment_document(transaction(), order(LAMP, COURIER, VOUCHER, WRAPPING), PAIR, "web001")

    values = apply(SALES_ORDER, source).insist("SO-104233-2")

    document = msgspec.convert(values, SalesOrder)
    assert document.customer_po_number == "SO-104233-2"
    assert document.customer == "WEB001"
    assert document.order_date == date(2025, 6, 3)  # after midnight in London
    assert (document.ship_address2, document.ship_address3, document.ship_postal_code) == (
        "1 High Street",
        "Leeds",
        "LS1 1AA",
    )
    lamp, courier, voucher, wrapping = document.lines
    assert (lamp.stock_code, lamp.order_qty, lamp.price) == ("A100", Decimal(3), Decimal("10.5"))
    assert (lamp.stock_description, lamp.order_uom, lamp.warehouse) == ("Lamp", "EA", "FG")
    assert (courier.kind, courier.value, courier.product_class) == ("freight", pounds(400), "")
    assert (voucher.value, voucher.product_class) == (pounds(-100), "_DSC")
    assert (wrapping.value, wrapping.product_class) == (pounds(250), "WEB")
    assert [line.customer_po_line for line in document.lines] == [1, 2, 3, 4]


def test_a_captured_payment_becomes_an_ar_payment_that_is_fully_distributed() -> None:
    source = payment_document(transaction(), None, PAIR, "WEB001")

    document = msgspec.convert(apply(AR_PAYMENT, source).insist("SO-104233-2"), ArPayment)

    assert document.reference == "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E"
    assert document.payment_narration == "6B1F0C7E-2D9A-4B3C-8E5F-7A1B2C3D4E5F"
    assert document.journal_notation == "Opayo SO-104233-2"
    assert (document.bank, document.payment_type) == ("OC", "O")
    assert document.payment_value == pounds(12_995)
    assert [part.gross_payment_value for part in document.unapplied] == [pounds(12_995)]
    assert document.unapplied[0].customer_purchase_order == "SO-104233-2"


@given(
    st.text(alphabet="ABCabc019-._{}", min_size=1, max_size=40), st.integers(min_value=1, max_value=10**12)
)
def test_both_documents_of_a_payment_carry_the_same_order_number(code: str, minor: int) -> None:
    source = payment_document(transaction(code, minor), order(LAMP), PAIR, "WEB001")

    sale = msgspec.convert(apply(SALES_ORDER, source).insist(code), SalesOrder)
    receipt = msgspec.convert(apply(AR_PAYMENT, source).insist(code), ArPayment)

    assert receipt.unapplied[0].customer_purchase_order == sale.customer_po_number
    assert receipt.payment_value == receipt.unapplied[0].gross_payment_value == pounds(minor)


def test_every_target_of_the_shipped_mappings_is_a_member_of_its_document() -> None:
    for mapping, struct in ((SALES_ORDER, SalesOrder), (AR_PAYMENT, ArPayment)):
        known = {field.encode_name for field in msgspec.structs.fields(struct)}
        assert {target.partition("[")[0] for target in mapping.rules} <= known
        assert {path.partition("[")[0] for path in mapping.dictionary.fields} <= known


def test_the_payment_status_table_knows_every_word_of_the_gateway() -> None:
    tables = yaml.safe_load((DATA / "reference/payment_status.yaml").read_text("utf-8"))

    assert (tables["pi"]["Ok"], tables["pi"]["Pending"]) == ("Paid", "Pending")
    assert set(tables["txstate"]) == {str(number) for number in range(1, 33)}
    states = msgspec.json.schema(GatewayTransaction)["$defs"]["GatewayTransaction"]["properties"]["state"]
    assert set(tables["state"]) == set(states["enum"])
    assert {type(word) for table in tables.values() for item in table.items() for word in item} == {str}


def test_the_trace_says_of_every_field_how_it_got_its_value() -> None:
    mapped = apply(SALES_ORDER, payment_document(transaction("so 1"), order(LAMP, COURIER), PAIR, "WEB001"))

    number = field_trace(mapped, "CustomerPoNumber")
    assert (number.sources, number.raw) == (("transaction.vendor_tx_code",), "so 1")
    assert number.steps[0].transform == "po_number"
    assert "digest" in number.steps[0].note
    assert number.value == mapped.values["CustomerPoNumber"]
    description = field_trace(mapped, "Lines[0].StockDescription")
    assert [step.note for step in description.steps if step.note] == [
        "written in the letters of Windows-1252"
    ]
    assert field_trace(mapped, "Lines[1].StockCode").outcome == "skipped"
    assert field_trace(mapped, "Lines[0].OrderUom").outcome == "defaulted"
    assert field_trace(mapped, "Area").outcome == "empty"
    assert field_trace(mapped, "CustomerName").raw == ["J Smith", "J Smith", ""]
    assert msgspec.json.encode(mapped.trace)


def test_all_that_is_missing_is_said_at_once_and_without_private_words() -> None:
    nameless = msgspec.structs.replace(LAMP, stock_code="", quantity=Decimal("1E+15"))
    source = payment_document(transaction(), order(nameless), {"warehouse": "W" * 11}, "")
    mapped = apply(SALES_ORDER, source)

    with pytest.raises(UnmappedField) as caught:
        mapped.insist("SO-104233-2")

    assert caught.value.evidence == {
        "Customer": "is empty, and the mapping requires it",
        "Warehouse": "has 11 characters, and SYSPRO takes 10",
        "Lines[0].StockCode": "is empty, and the mapping requires it",
        "Lines[0].Warehouse": "has 11 characters, and SYSPRO takes 10",
        "Lines[0].OrderQty": "has more than 12 digits before the point",
    }
    assert "Payment `SO-104233-2` cannot be mapped to `sales_order`: `Customer` is empty" in str(caught.value)


def test_an_order_without_lines_is_no_sales_order() -> None:
    mapped = apply(SALES_ORDER, payment_document(transaction(), None, PAIR, "WEB001"))

    assert [(problem.target, problem.reason) for problem in mapped.problems] == [
        ("Currency", "is empty, and the mapping requires it"),
        ("Lines", "is empty, and SYSPRO requires it"),
    ]
