"""Canonical documents become the façade's requests: exact, whole, and nothing left to SYSPRO's defaults."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    ErpDocument,
    InvoiceToPay,
    SalesOrder,
    SalesOrderLine,
    UnappliedPayment,
)
from integration.canonical.journal import GlJournal, JournalEntry
from integration.canonical.money import Money
from integration.errors import Misconfigured, UnmappedField
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony.client import multiplier
from integration.syspro.harmony.translate import request_for
from integration.syspro.harmony.wire import idempotency_key
from integration.syspro.keys import as_sent, bare, findable, in_lists, padded, payment_reference, same_key
from integration.syspro.limits import decimal_text, fitted, money_text

CONFIG = SysproConfig(
    base_url="http://erp.test/api/harmony/2.0",
    operator="OPAYO",
    operator_password="open-sesame",
    company_id="EDU1",
    company_password="company-secret",
)
CODES = CurrencyCodes({"GBP": "$"}, "$")


def sent(document: ErpDocument, config: SysproConfig = CONFIG) -> dict[str, object]:
    request = request_for(document, config, CODES)
    return msgspec.json.decode(msgspec.json.encode(request), type=dict[str, object])


def order(**changes: object) -> SalesOrder:
    whole = SalesOrder(
        customer_po_number="WEB-2025-000123",
        customer="0000001",
        currency="GBP",
        order_date=date(2025, 6, 2),
        lines=(
            SalesOrderLine(kind="freight", customer_po_line=2, value=Money(400, "GBP"), tax_code="A"),
            SalesOrderLine(
                kind="stock",
                customer_po_line=1,
                stock_code="A100",
                order_qty=Decimal(2),
                order_uom="EA",
                price=Decimal(10),
            ),
            SalesOrderLine(
                kind="charge",
                customer_po_line=3,
                value=Money(-100, "GBP"),
                product_class="_DSC",
                not_taxable=True,
                description="Voucher",
            ),
            SalesOrderLine(kind="comment", customer_po_line=4, description="Gift"),
        ),
    )
    return msgspec.structs.replace(whole, **changes)


def test_an_order_says_every_parameter_and_guards_against_repeated_order_numbers() -> None:
    parameters = sent(order())["Parameters"]
    assert parameters == {
        "ValidateOnly": "N", "OrderStatus": "1", "TypeOfOrder": "ORD", "IgnoreWarnings": "W",
        "AllocationAction": "A", "AlwaysUsePriceEntered": "Y", "AllowZeroPrice": "N",
        "AllowDuplicateOrderNumbers": "N", "CheckForCustomerPoNumbers": "Y", "WarnIfCustomerOnHold": "N",
        "AcceptEarlierShipDate": "Y", "AcceptOrdersIfNoCredit": "N", "ShipFromDefaultBin": "Y",
        "AllowNonStockItems": "N", "WarehouseListToUse": "",
    }  # fmt: skip


def test_an_order_sends_each_kind_of_line_with_exact_decimals() -> None:
    orders = msgspec.convert(sent(order())["Orders"], list[dict[str, dict[str, object]]])
    assert orders[0]["OrderHeader"]["Currency"] == "$"
    assert orders[0]["OrderDetails"] == {
        "StockLine": [
            {"CustomerPoLine": "0001", "LineActionType": "A", "StockCode": "A100", "OrderQty": "2.000000",
             "OrderUom": "EA", "Price": "10.00000", "PriceUom": "EA"}
        ],
        "FreightLine": [
            {"CustomerPoLine": "0002", "LineActionType": "A", "FreightValue": "4.00", "FreightCost": "0.00",
             "FreightTaxCode": "A"}
        ],
        "MiscChargeLine": [
            {"CustomerPoLine": "0003", "LineActionType": "A", "MiscChargeValue": "-1.00",
             "MiscChargeCost": "0.00", "MiscProductClass": "_DSC", "MiscDescription": "Voucher",
             "MiscNotTaxable": "Y"}
        ],
        "CommentLine": [
            {"CustomerPoLine": "0004", "LineActionType": "A", "Comment": "Gift", "CommentType": "O"}
        ],
    }  # fmt: skip


def test_an_empty_element_is_left_out_so_that_syspro_uses_its_default() -> None:
    orders = msgspec.convert(sent(order())["Orders"], list[dict[str, dict[str, object]]])
    assert set(orders[0]["OrderHeader"]) == {
        "CustomerPoNumber", "OrderActionType", "Customer", "OrderDate", "Currency"
    }  # fmt: skip


def test_a_payment_is_never_corrected_by_syspro_and_always_names_its_discount() -> None:
    payment = ArPayment(
        reference="6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E",
        customer="0000001",
        payment_value=Money(12_000, "GBP"),
        payment_date=date(2025, 6, 2),
        payment_narration="6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f",
        bank="OC",
        invoices=(
            InvoiceToPay(
                invoice="100270", gross_payment_value=Money(10_000, "GBP"), discount_value=Money(0, "GBP")
            ),
        ),
        unapplied=(
            UnappliedPayment(gross_payment_value=Money(2_000, "GBP"), customer_purchase_order="WEB-9"),
        ),
    )
    assert sent(payment) == {
        "Parameters": {
            "PostingPeriod": "C", "IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N",
            "AutoCorrectPaymentValue": "N", "IntegrateToCashBookInDetail": "N", "AutoCalculateTax": "N",
            "IgnoreAnalysis": "Y",
        },
        "Items": [
            {
                "Payment": {
                    "Customer": "0000001", "PaymentValue": "120.00",
                    "Reference": "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E", "PaymentDate": "2025-06-02",
                    "JournalNotation": "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E",
                    "PaymentNarration": "6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f", "Bank": "OC", "PaymentType": "O",
                    "InvoiceToPay": [
                        {"TransactionType": "I", "Invoice": "100270", "GrossPaymentValue": "100.00",
                         "DiscountValue": "0.00"}
                    ],
                    "UnappliedPayment": [{"GrossPaymentValue": "20.00", "CustomerPurchaseOrder": "WEB-9"}],
                }
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("sign", "amounts"), [(1, ["12.34", "-12.34"]), (-1, ["-12.34", "12.34"])])
def test_a_journal_follows_the_sites_sign(sign: int, amounts: list[str]) -> None:
    journal = GlJournal(
        reference="OPAYO SETTLE 20250602",
        posting_year=2025,
        posting_period=6,
        entries=(
            JournalEntry(ledger_code="30-6200", entry_amount=Money(1234, "GBP")),
            JournalEntry(ledger_code="00-1010", entry_amount=Money(-1234, "GBP")),
        ),
    )
    config = msgspec.structs.replace(CONFIG, entry_amount_sign=sign)
    items = msgspec.convert(sent(journal, config)["Items"], list[dict[str, object]])
    details = msgspec.convert(items[0]["JournalDetails"], list[dict[str, str]])
    assert [line["EntryAmount"] for line in details] == amounts
    assert (items[0]["PostingYear"], items[0]["PostingPeriod"], items[0]["PostJournal"]) == (
        "2025",
        "06",
        "Y",
    )


def test_a_credit_memo_is_positive_and_lets_syspro_number_it() -> None:
    memo = ArInvoice(
        reference="R1",
        transaction_type="C",
        customer="1",
        invoice_value=Money(500, "GBP"),
        product_class="WEB",
    )
    items = msgspec.convert(sent(memo)["Items"], list[dict[str, str]])
    assert items[0]["InvoiceValue"] == "5.00"
    assert items[0]["GenerateInvoiceNumber"] == "Y"
    assert items[0]["PostToExistingInvoice"] == "N"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ship_address1": "x" * 41}, "syspro.field-too-long"),
        ({"special_instrs": "x" * 31}, "syspro.field-too-long"),
        ({"customer_po_number": "A,B"}, "syspro.unfindable-reference"),
        ({"customer_po_number": "A*"}, "syspro.unfindable-reference"),
        ({"customer_po_number": " A"}, "syspro.unfindable-reference"),
    ],
)
def test_what_does_not_fit_is_refused_and_never_cut(change: dict[str, object], code: str) -> None:
    with pytest.raises(UnmappedField) as caught:
        request_for(order(**change), CONFIG, CODES)
    assert caught.value.error_code == code


def test_money_that_syspro_cannot_hold_is_refused() -> None:
    assert money_text("PaymentValue", Money(1000, "JPY")) == "1000.00"
    assert money_text("PaymentValue", Money(1230, "BHD")) == "1.23"
    for wrong in (Money(1234, "BHD"), Money(10**14, "GBP"), Money(10**40, "GBP")):
        with pytest.raises(UnmappedField):
            money_text("PaymentValue", wrong)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_a_number_is_sent_exactly_or_not_at_all(value: Decimal) -> None:
    try:
        text = decimal_text("OrderQty", value, 12, 6)
    except UnmappedField:
        return
    assert Decimal(text) == value
    assert "E" not in text.upper()
    assert len(text.partition(".")[2]) == 6


def test_a_payment_reference_is_thirty_hex_digits() -> None:
    reference = payment_reference("{6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f}")
    assert reference == "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E"
    assert len(fitted("Reference", reference)) == 30
    with pytest.raises(ValueError, match="not a transaction id"):
        payment_reference("SO-104233-2")


def test_padding_never_tells_two_keys_apart_and_letters_do() -> None:
    assert same_key("000000000100673", "100673")
    assert same_key("0", "000")
    assert not same_key("A042", "A42")
    assert as_sent("000000000000042", "0000042") == "0000042"
    assert as_sent("000000000000043", "0000042") == "43"
    assert padded("42", 7) == "0000042"
    assert padded("WEB1", 7) == "WEB1"
    assert bare(" 000217 ") == "217"


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30)))
def test_lists_hold_each_reference_once_and_fit_a_query_string(references: list[str]) -> None:
    batches = list(in_lists(references, room=200))
    assert [each for batch in batches for each in batch] == list(dict.fromkeys(references))
    assert all(len("%2C".join(batch)) <= 200 for batch in batches)


def test_a_sites_own_currency_codes_are_translated_both_ways() -> None:
    assert CODES.site("GBP") == "$"
    assert CODES.site("EUR") == "EUR"
    assert CODES.iso("$") == "GBP"
    assert CODES.iso(" ") == "GBP"
    assert CODES.iso("EUR") == "EUR"
    with pytest.raises(Misconfigured, match="currency map"):
        CODES.iso("L")


def test_a_rate_multiplies_or_divides_as_its_table_says() -> None:
    assert multiplier("     0.850000", "M") == Decimal("0.85")
    assert multiplier("1.250000", "D") == Decimal("0.8")
    assert multiplier("0.000000", "M") is None


def test_an_idempotency_key_fits_the_facades_alphabet() -> None:
    assert idempotency_key("so-9F2C") == "so-9F2C"
    odd = idempotency_key("pair/so 9F2C" * 20)
    assert len(odd) == 64
    assert odd != idempotency_key("pair/so 9F2D" * 20)


def test_no_password_shows_in_the_configuration() -> None:
    assert "sesame" not in repr(CONFIG)
    assert "secret" not in repr(CONFIG)
    assert "sesame" not in str(CONFIG.__rich_repr__())


def test_a_reference_that_can_be_found_is_left_as_it_is() -> None:
    assert findable("OPAYO SETTLE 20250602") == "OPAYO SETTLE 20250602"
