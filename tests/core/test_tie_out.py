"""Tie-out: what SYSPRO dropped or changed, and whether it is money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.documents import (
    ArPayment,
    ErpDocument,
    InvoiceToPay,
    SalesOrder,
    SalesOrderLine,
    UnappliedPayment,
)
from integration.canonical.journal import GlJournal, JournalEntry
from integration.canonical.money import Money
from service.core.tie_out import Finding, compare, is_exception

GBP = "GBP"
LINES = (
    SalesOrderLine(
        kind="stock", customer_po_line=1, stock_code="085123", order_qty=Decimal(2), price=Decimal("1.25")
    ),
    SalesOrderLine(kind="freight", customer_po_line=2, value=Money(495, GBP), description="Delivery"),
    SalesOrderLine(kind="comment", customer_po_line=3, description="Gift"),
)
ORDER = SalesOrder(
    customer_po_number="SO-1",
    customer="0000042",
    lines=LINES,
    order_date=date(2025, 6, 2),
    email="a@example.test",
    order_comments=("Leave at the door",),
)
PAYMENT = ArPayment(
    reference="DB79",
    customer="0000042",
    payment_value=Money(1000, GBP),
    payment_narration="whole id",
    bank="OP",
    invoices=(
        InvoiceToPay(invoice="100", gross_payment_value=Money(400, GBP), discount_value=Money(0, GBP)),
    ),
    unapplied=(UnappliedPayment(gross_payment_value=Money(600, GBP), customer_purchase_order="SO-1"),),
)
JOURNAL = GlJournal(
    reference="J",
    entries=(
        JournalEntry(ledger_code="1", entry_amount=Money(5, GBP)),
        JournalEntry(ledger_code="2", entry_amount=Money(-5, GBP)),
    ),
)
DOCUMENTS: list[ErpDocument] = [ORDER, PAYMENT, JOURNAL]


def stored(document: Any, **members: Any) -> Any:
    return msgspec.structs.replace(document, **members)


def line(index: int, **members: Any) -> SalesOrder:
    lines = list(LINES)
    lines[index] = stored(lines[index], **members)
    return msgspec.structs.replace(ORDER, lines=tuple(lines))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
def test_what_was_stored_as_sent_has_no_findings(document: ErpDocument) -> None:
    assert compare(document, document) == ()
    assert not is_exception(())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: type(document).__name__)
def test_what_the_transport_does_not_tell_is_not_missed(document: ErpDocument) -> None:
    untold = {
        field.name: () if field.name in ("lines", "invoices", "unapplied", "entries") else None
        for field in msgspec.structs.fields(document)
    }

    assert compare(document, stored(document, **untold)) == ()


def test_what_was_not_sent_is_the_erps_own_business() -> None:
    assert (
        compare(ORDER, stored(ORDER, branch="10", warehouse="N", currency=GBP, requested_ship_date=date.max))
        == ()
    )


def test_keys_texts_and_decimals_are_compared_by_value() -> None:
    shown = line(0, stock_code="85123 ", order_qty=Decimal("2.000000"), price=Decimal("1.25000"))

    assert compare(ORDER, stored(shown, customer="000000000000042", email="a@example.test  ")) == ()
    assert compare(stored(ORDER, customer="0"), stored(ORDER, customer="000")) == ()


@pytest.mark.parametrize(
    ("read_back", "finding"),
    [
        (
            stored(ORDER, customer="43"),
            Finding(element="Customer", sent="0000042", stored="43", severity="money"),
        ),
        (
            stored(ORDER, customer_po_number="SO-01"),
            Finding(element="CustomerPoNumber", sent="SO-1", stored="SO-01", severity="money"),
        ),
        (
            stored(ORDER, email=""),
            Finding(element="Email", sent="a@example.test", stored="nothing", severity="note"),
        ),
        (
            stored(ORDER, order_date=date(2025, 6, 3)),
            Finding(element="OrderDate", sent="2025-06-02", stored="2025-06-03", severity="note"),
        ),
        (
            stored(ORDER, order_comments=("Leave",)),
            Finding(element="OrderComments[1]", sent="Leave at the door", stored="Leave", severity="note"),
        ),
        (
            line(0, price=Decimal("1.2")),
            Finding(element="Lines[1].Price", sent="1.25", stored="1.2", severity="money"),
        ),
        (
            line(1, value=Money(494, GBP)),
            Finding(element="Lines[2].Value", sent="4.95 GBP", stored="4.94 GBP", severity="money"),
        ),
        (
            stored(ORDER, lines=LINES[1:]),
            Finding(element="Lines[1]", sent="stock 085123", stored="nothing", severity="money"),
        ),
        (
            stored(ORDER, lines=LINES[:2]),
            Finding(element="Lines[3]", sent="comment Gift", stored="nothing", severity="note"),
        ),
        (
            stored(
                ORDER, lines=(*LINES, SalesOrderLine(kind="charge", customer_po_line=4, description="Fee"))
            ),
            Finding(element="Lines[4]", sent="nothing", stored="charge Fee", severity="money"),
        ),
    ],
    ids=lambda value: value.element if isinstance(value, Finding) else "",
)
def test_an_element_of_an_order_that_differs_is_found(read_back: SalesOrder, finding: Finding) -> None:
    assert compare(ORDER, read_back) == (finding,)
    assert is_exception([finding]) == (finding.severity == "money")


@pytest.mark.parametrize(
    ("members", "element", "severity"),
    [
        ({"payment_value": Money(999, GBP)}, "PaymentValue", "money"),
        ({"payment_value": Money(1000, "EUR")}, "PaymentValue", "money"),
        ({"bank": "XX"}, "Bank", "money"),
        ({"payment_narration": "cut"}, "PaymentNarration", "note"),
        (
            {"unapplied": (stored(PAYMENT.unapplied[0], gross_payment_value=Money(1, GBP)),)},
            "Unapplied[1]",
            "money",
        ),
        ({"invoices": (stored(PAYMENT.invoices[0], invoice="101"),)}, "Invoices[1].Invoice", "money"),
        ({"invoices": PAYMENT.invoices * 2}, "Invoices[2]", "money"),
    ],
)
def test_an_element_of_a_payment_that_differs_is_found(
    members: dict[str, Any], element: str, severity: str
) -> None:
    (finding,) = compare(PAYMENT, stored(PAYMENT, **members))

    assert finding.element.startswith(element)
    assert finding.severity == severity


def test_a_missing_journal_entry_is_told_with_its_account_and_amount() -> None:
    (finding,) = compare(JOURNAL, stored(JOURNAL, entries=JOURNAL.entries[:1]))

    assert (finding.element, finding.sent, finding.severity) == ("Entries[2]", "2 -0.05 GBP", "money")


def test_documents_of_two_kinds_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="SalesOrder cannot be compared with a ArPayment"):
        compare(ORDER, PAYMENT)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_any_other_amount_is_an_exception(sent: int, read_back: int) -> None:
    ours, theirs = (
        stored(PAYMENT, payment_value=Money(sent, GBP)),
        stored(PAYMENT, payment_value=Money(read_back, GBP)),
    )

    assert is_exception(compare(ours, theirs)) == (sent != read_back)
