"""Posting plans: the right documents in the right order, and money in is money posted."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.documents import ArPayment, SalesOrder
from integration.canonical.money import Money, Rate
from integration.errors import InvalidPayment, UnmappedField
from service.core.exchange import Conversion
from service.core.posting import PlanInput, idempotency_key, plan

ID = "DB79BA2D-05DA-5B85-D188-1293D16BBAC7"
REFERENCE = "DB79BA2D05DA5B85D1881293D16BBA"


def money(minor: int, currency: str = "GBP") -> dict[str, object]:
    return {"minor": minor, "currency": currency}


ORDER: dict[str, object] = {
    "CustomerPoNumber": "SO-104233-2",
    "Customer": "0000042",
    "Currency": "GBP",
    "Lines": [
        {"Kind": "stock", "CustomerPoLine": 1, "StockCode": "85123A", "OrderQty": "2", "Price": "64.975"}
    ],
}
PAYMENT: dict[str, object] = {
    "Reference": REFERENCE,
    "Customer": "0000042",
    "PaymentValue": money(12_995),
    "PaymentDate": "2025-06-02",
    "Unapplied": [{"GrossPaymentValue": money(12_995), "CustomerPurchaseOrder": "SO-104233-2"}],
}
INVOICE: dict[str, object] = {
    "Reference": "R1",
    "TransactionType": "C",
    "Customer": "0000042",
    "InvoiceValue": money(12_995),
}
ENTRIES = [
    {"LedgerCode": "1", "EntryAmount": money(100)},
    {"LedgerCode": "2", "EntryAmount": money(-100)},
]
JOURNAL: dict[str, object] = {"Reference": "OPAYO SETTLE 20250602", "Entries": ENTRIES}
FACTS = PlanInput(
    transaction_id=ID,
    amount=Money(12_995, "GBP"),
    documents=("ar_payment", "sales_order"),
    mapped={"sales_order": ORDER, "ar_payment": PAYMENT},
)


def changed(**members: Any) -> PlanInput:
    return msgspec.structs.replace(FACTS, **members)


def payment(**members: object) -> PlanInput:
    return changed(documents=("ar_payment",), mapped={"ar_payment": PAYMENT | members})


def test_the_order_comes_first_and_the_payment_after_it() -> None:
    order, receipt = plan(FACTS)

    assert (order.position, order.kind, order.reference) == (0, "sales_order", "SO-104233-2")
    assert (receipt.position, receipt.kind, receipt.reference) == (1, "ar_payment", REFERENCE)
    assert (order.idempotency_key, receipt.idempotency_key) == ("so-SO-104233-2", f"pay-{REFERENCE}")
    assert isinstance(order.document, SalesOrder)
    assert order.document.lines[0].price == Decimal("64.975")
    assert isinstance(receipt.document, ArPayment)
    assert receipt.document.payment_date == date(2025, 6, 2)


def test_only_what_the_flow_asks_for_is_planned() -> None:
    assert [posting.kind for posting in plan(changed(documents=("ar_payment",)))] == ["ar_payment"]
    assert plan(changed(documents=())) == ()


def test_a_customer_on_hold_parks_the_order_and_not_the_money() -> None:
    order, receipt = plan(changed(on_hold=True))

    assert order.parked == "SYSPRO has customer 0000042 on hold: it takes the money, not the order"
    assert receipt.parked == ""


def test_a_converted_payment_posts_the_converted_amount() -> None:
    rate = Rate(source="EUR", target="GBP", value=Decimal("0.85"), authority="SYSPRO", as_of=date(2025, 6, 2))
    conversion = Conversion(
        original=Money(15_288, "EUR"), converted=Money(12_995, "GBP"), rate=rate, reason=""
    )

    assert len(plan(changed(amount=Money(15_288, "EUR"), conversion=conversion))) == 2
    with pytest.raises(InvalidPayment, match=r"the conversion is 152\.88 EUR"):
        plan(changed(amount=Money(15_289, "EUR"), conversion=conversion))


def part(gross: int, discount: int = 0, currency: str = "GBP") -> dict[str, object]:
    amounts = {"GrossPaymentValue": money(gross, currency), "DiscountValue": money(discount, currency)}
    return {"Invoice": "100", **amounts}


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 99)), max_size=4), st.integers(-3, 3))
def test_the_parts_of_a_payment_sum_to_it_or_it_is_refused(parts: list[tuple[int, int]], off: int) -> None:
    value = sum(gross - discount for gross, discount in parts) + 50
    facts = payment(
        PaymentValue=money(value),
        Invoices=[part(*amounts) for amounts in parts],
        Unapplied=[{"GrossPaymentValue": money(50 + off), "CustomerPurchaseOrder": "x"}],
    )
    facts = msgspec.structs.replace(facts, amount=Money(value, "GBP"))

    if off:
        with pytest.raises(InvalidPayment, match="sum of the payment's parts"):
            plan(facts)
    else:
        assert len(plan(facts)) == 1


def test_money_that_is_not_the_payments_is_refused() -> None:
    for facts in (
        payment(PaymentValue=money(12_994)),
        payment(PaymentValue=money(12_995, "EUR")),
        payment(Invoices=[part(0, currency="EUR")]),
        changed(documents=("ar_invoice",), mapped={"ar_invoice": INVOICE | {"InvoiceValue": money(1)}}),
        changed(documents=("gl_journal",), mapped={"gl_journal": JOURNAL | {"Entries": ENTRIES[:1]}}),
    ):
        with pytest.raises(InvalidPayment) as refused:
            plan(facts)
        assert refused.value.error_code == "posting.money-differs"


def test_an_order_in_another_currency_than_its_payment_is_refused() -> None:
    foreign = {"sales_order": ORDER | {"Currency": "EUR"}, "ar_payment": PAYMENT}

    with pytest.raises(InvalidPayment, match="The order is in EUR, its payment is posted in GBP"):
        plan(changed(mapped=foreign))
    assert len(plan(changed(mapped={"sales_order": ORDER | {"Currency": ""}, "ar_payment": PAYMENT}))) == 2


def test_credit_memos_and_journals_are_planned_too() -> None:
    both = changed(
        documents=("gl_journal", "ar_invoice"), mapped={"gl_journal": JOURNAL, "ar_invoice": INVOICE}
    )

    assert [posting.idempotency_key for posting in plan(both)] == [
        "inv-R1",
        idempotency_key("gl_journal", "OPAYO SETTLE 20250602"),
    ]


@pytest.mark.parametrize("empty", ["", "   ", "x" * 31])
def test_a_document_without_a_lawful_reference_is_refused(empty: str) -> None:
    with pytest.raises(UnmappedField, match="1 to 30 characters"):
        plan(payment(Reference=empty))


def test_what_the_mapping_left_out_or_got_wrong_is_named() -> None:
    with pytest.raises(UnmappedField, match="no values for a sales_order"):
        plan(changed(mapped={"ar_payment": PAYMENT}))
    with pytest.raises(UnmappedField, match=r"\$\.Customer"):
        plan(payment(Customer=None))


references = st.text(min_size=1, max_size=80)


@given(st.sampled_from(["sales_order", "ar_payment"]), references, references)
def test_an_idempotency_key_is_lawful_and_belongs_to_one_reference(kind: Any, one: str, other: str) -> None:
    key = idempotency_key(kind, one)

    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", key)
    assert (idempotency_key(kind, other) == key) == (one == other)
