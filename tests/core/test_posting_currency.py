"""A document in the customer's currency: the whole is exactly the converted amount."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    InvoiceToPay,
    SalesOrder,
    SalesOrderLine,
    UnappliedPayment,
)
from integration.canonical.journal import GlJournal, JournalEntry
from integration.canonical.money import Money, Rate
from integration.errors import InvalidPayment
from service.core.exchange import Conversion
from service.core.posting_currency import in_currency


def converted(minor: int, rate: str = "0.853211") -> Conversion:
    original = Money(minor, "EUR")
    value = Rate(source="EUR", target="GBP", value=Decimal(rate), authority="SYSPRO", as_of=date(2025, 6, 2))
    return Conversion(original=original, converted=original.convert(value), rate=value, reason="")


def receipt(parts: list[int]) -> ArPayment:
    return ArPayment(
        reference="R1",
        customer="1",
        payment_value=Money(sum(parts), "EUR"),
        unapplied=tuple(
            UnappliedPayment(gross_payment_value=Money(part, "EUR"), customer_purchase_order="SO-1")
            for part in parts
        ),
    )


@given(
    st.lists(st.integers(1, 10_000_000), min_size=1, max_size=6),
    st.decimals("0.01", "100", places=6),
)
def test_the_parts_of_a_converted_receipt_sum_to_the_converted_amount(
    parts: list[int], rate: Decimal
) -> None:
    conversion = converted(sum(parts), str(rate))

    posted = in_currency(receipt(parts), conversion)

    assert isinstance(posted, ArPayment)
    assert posted.payment_value == conversion.converted
    assert sum(part.gross_payment_value.minor for part in posted.unapplied) == conversion.converted.minor
    assert len(posted.unapplied) == len(parts)


def test_an_order_is_priced_at_the_rate_and_named_in_the_customers_currency() -> None:
    order = SalesOrder(
        customer_po_number="SO-1",
        customer="1",
        currency="EUR",
        lines=(
            SalesOrderLine(kind="stock", customer_po_line=1, stock_code="A100", price=Decimal("10.00")),
            SalesOrderLine(kind="freight", customer_po_line=2, value=Money(400, "EUR")),
            SalesOrderLine(kind="comment", customer_po_line=3, description="Gift"),
        ),
    )

    posted = in_currency(order, converted(1_400, "0.85"))

    assert isinstance(posted, SalesOrder)
    assert posted.currency == "GBP"
    assert [line.price for line in posted.lines] == [Decimal("8.50000"), None, None]
    assert [line.value for line in posted.lines] == [None, Money(340, "GBP"), None]


def test_what_is_in_the_customers_currency_already_stays_as_it_is() -> None:
    order = SalesOrder(customer_po_number="SO-1", customer="1", currency="GBP", lines=())
    paid = ArPayment(reference="R1", customer="1", payment_value=Money(5, "GBP"))
    note = ArInvoice(reference="R1", transaction_type="C", customer="1", invoice_value=Money(5, "GBP"))

    assert in_currency(order, converted(1_000)) == order
    assert in_currency(paid, converted(1_000)) == paid
    assert in_currency(note, converted(1_000)) == note


def test_a_credit_memo_and_its_tax_are_converted() -> None:
    note = ArInvoice(
        reference="R1",
        transaction_type="C",
        customer="1",
        invoice_value=Money(1_200, "EUR"),
        tax_value=Money(200, "EUR"),
    )

    posted = in_currency(note, converted(1_200, "0.5"))

    assert isinstance(posted, ArInvoice)
    assert (posted.invoice_value, posted.tax_value) == (Money(600, "GBP"), Money(100, "GBP"))


def test_a_receipt_without_parts_is_converted_as_a_whole() -> None:
    posted = in_currency(receipt([]), converted(0))

    assert isinstance(posted, ArPayment)
    assert posted.unapplied == ()


def test_a_receipt_that_pays_invoices_is_not_converted() -> None:
    invoice = InvoiceToPay(invoice="100", gross_payment_value=Money(5, "EUR"), discount_value=Money(0, "EUR"))
    paid = ArPayment(reference="R1", customer="1", payment_value=Money(5, "EUR"), invoices=(invoice,))

    with pytest.raises(InvalidPayment, match="rates of their own"):
        in_currency(paid, converted(5))


def test_a_journal_is_not_converted() -> None:
    journal = GlJournal(
        reference="J1", entries=(JournalEntry(ledger_code="1", entry_amount=Money(5, "EUR")),)
    )

    with pytest.raises(InvalidPayment, match="own currency"):
        in_currency(journal, converted(5))
