"""Plans of refunds: their documents in the only order in which SYSPRO can take them, each with its own money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest

from integration.canonical.documents import DOCUMENT_TYPES, DocumentKind, kind_of
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    InvoiceToAdjust,
    LedgerDistribution,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.money import Money, Rate
from integration.errors import InvalidPayment
from service.core.exchange import Conversion
from service.core.posting import PlanInput, idempotency_key, plan
from service.core.posting_currency import in_currency
from service.core.tie_out import compare

ID = "DB79BA2D-05DA-5B85-D188-1293D16BBAC7"
MONEY = {"minor": 2_500, "currency": "GBP"}
MAPPED: dict[DocumentKind, dict[str, Any]] = {
    "credit_note": {"Reference": "R-a", "Customer": "42", "InvoiceNumber": "100270"},
    "order_invoice": {"Reference": "R-b", "SalesOrder": "100674", "OrderType": "C"},
    "ar_adjustment": {
        "Reference": "R-c",
        "Customer": "42",
        "Invoices": [{"Invoice": "100271", "AdjustmentValue": MONEY, "TransactionType": "C"}],
    },
    "misc_receipt": {
        "Reference": "R-d",
        "Bank": "OC",
        "MiscellaneousReceiptValue": {"minor": -2_500, "currency": "GBP"},
        "CreditLedgerCode": "00-2300",
    },
    "cash_transaction": {
        "Reference": "R-e",
        "Bank": "OC",
        "DepositOrWithdrawal": "W",
        "TransactionValue": MONEY,
        "LedgerDistribution": [{"LedgerCode": "00-2300", "LedgerValue": MONEY}],
    },
}
CONVERSION = Conversion(
    original=Money(2_500, "GBP"),
    converted=Money(3_000, "EUR"),
    reason="the customer is kept in euro",
    rate=Rate(source="GBP", target="EUR", value=Decimal("1.2"), authority="test", as_of=date(2025, 6, 2)),
)


def facts(*kinds: DocumentKind, **changes: Any) -> PlanInput:
    mapped = {kind: {**MAPPED[kind], **changes} for kind in kinds}
    return PlanInput(transaction_id=ID, amount=Money(2_500, "GBP"), documents=kinds, mapped=mapped)


def test_a_refund_credits_before_it_completes_adjusts_and_pays_out() -> None:
    planned = plan(facts("cash_transaction", "ar_adjustment", "order_invoice", "credit_note"))
    assert [each.kind for each in planned] == [
        "credit_note",
        "order_invoice",
        "ar_adjustment",
        "cash_transaction",
    ]
    assert [each.position for each in planned] == [0, 1, 2, 3]


def test_every_kind_has_a_key_of_its_own() -> None:
    kinds: tuple[DocumentKind, ...] = get_args(DocumentKind)
    assert set(kinds) == set(DOCUMENT_TYPES)
    assert len({idempotency_key(kind, "R") for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("kind", sorted(MAPPED))
def test_what_a_mapping_gives_becomes_the_document_of_its_kind(kind: DocumentKind) -> None:
    (planned,) = plan(facts(kind))
    assert kind_of(planned.document) == kind
    assert type(planned.document) is DOCUMENT_TYPES[kind]
    assert compare(planned.document, planned.document) == ()


@pytest.mark.parametrize(
    ("kind", "member"),
    [("misc_receipt", "MiscellaneousReceiptValue"), ("cash_transaction", "TransactionValue")],
)
@pytest.mark.parametrize("minor", [2_499, -2_501])
def test_money_out_is_the_money_of_the_refund(kind: DocumentKind, member: str, minor: int) -> None:
    with pytest.raises(InvalidPayment) as caught:
        plan(facts(kind, **{member: {"minor": minor, "currency": "GBP"}}))
    assert caught.value.error_code == "posting.money-differs"


def test_credits_and_completions_have_no_currency_to_convert() -> None:
    note = CreditNoteOrder(reference="R", customer="42", invoice_number="1")
    completed = OrderInvoice(reference="R", sales_order="2", order_type="C")
    assert in_currency(note, CONVERSION) is note
    assert in_currency(completed, CONVERSION) is completed


@pytest.mark.parametrize(
    "document",
    [
        ArAdjustment(
            reference="R",
            customer="42",
            invoices=(InvoiceToAdjust(invoice="1", adjustment_value=Money(1, "GBP")),),
        ),
        MiscellaneousReceipt(
            reference="R",
            bank="OC",
            miscellaneous_receipt_value=Money(-1, "GBP"),
            credit_ledger_code="1",
        ),
        CashTransaction(
            reference="R",
            bank="OC",
            deposit_or_withdrawal="W",
            transaction_value=Money(1, "GBP"),
            ledger_distribution=(LedgerDistribution(ledger_code="1", ledger_value=Money(1, "GBP")),),
        ),
    ],
    ids=["adjustment", "receipt", "cash"],
)
def test_what_is_in_the_currency_of_its_bank_or_invoice_is_never_converted(
    document: ArAdjustment | MiscellaneousReceipt | CashTransaction,
) -> None:
    with pytest.raises(InvalidPayment) as caught:
        in_currency(document, CONVERSION)
    assert caught.value.error_code == "exchange.not-convertible"


def test_a_value_stored_otherwise_is_a_finding_about_money() -> None:
    sent = CashTransaction(
        reference="R",
        bank="OC",
        deposit_or_withdrawal="W",
        transaction_value=Money(2_500, "GBP"),
        ledger_distribution=(),
    )
    stored = CashTransaction(
        reference="R",
        bank="OC",
        deposit_or_withdrawal="D",
        transaction_value=Money(2_400, "GBP"),
        ledger_distribution=None,
    )
    assert [(each.element, each.severity) for each in compare(sent, stored)] == [
        ("DepositOrWithdrawal", "money"),
        ("TransactionValue", "money"),
    ]


def adjusted(kind: str, *minor: int) -> None:
    lines = [
        {"Invoice": str(number), "AdjustmentValue": {"minor": value, "currency": "GBP"}}
        for number, value in enumerate(minor)
    ]
    wanted = facts("ar_adjustment", Invoices=lines)
    plan(PlanInput(**{name: getattr(wanted, name) for name in wanted.__struct_fields__} | {"kind": kind}))


def test_a_refunds_adjustment_comes_to_the_refund() -> None:
    adjusted("refund", 2_500)
    adjusted("refund", 2_000, 500)
    for wrong in ((2_499,), (-2_500,), (2_500, -2_500)):
        with pytest.raises(InvalidPayment, match="adjustment's parts"):
            adjusted("refund", *wrong)


def test_any_other_adjustment_may_also_move_money_between_documents() -> None:
    adjusted("payment", 2_500, -2_500)
    adjusted("chargeback", -2_500)
    with pytest.raises(InvalidPayment, match="adjustment's parts"):
        adjusted("payment", 2_500, -2_400)
