"""How a refund goes through the ledger, and what a message that carries its facts becomes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from integration.errors import InvalidPayment
from service.core.circumstances import Original
from service.core.own_messages import (
    REVERSAL,
    chargeback_code,
    chargeback_id,
    is_own,
    read_own,
    reversal_of,
)
from service.core.refunds import prepared
from tests.core.samples import COURIER, LAMP, order, transaction

POUNDS = Money(12_000, "GBP")
NOON = datetime(2025, 6, 2, 12, tzinfo=UTC)


def original(**changes: Any) -> Original:
    members: dict[str, Any] = {
        "payment_id": 1,
        "transaction_id": "T",
        "vendor_tx_code": "SO-1",
        "kind": "payment",
        "amount": POUNDS,
        "posted": POUNDS,
        "customer": "1",
        "refunded": Money(0, "GBP"),
    }
    return Original(**{**members, **changes})


CASH = {"unapplied_invoice": "_CRD0000001", "unapplied": POUNDS}
BILLED = {"invoice": "100270", "invoice_value": POUNDS, "invoice_balance": POUNDS, "sales_order": "000001"}


@pytest.mark.parametrize(
    ("known", "goods", "form", "adjusts"),
    [
        (CASH, "never", "unapplied", "_CRD0000001"),
        ({**CASH, "unapplied": Money(100, "GBP")}, "never", "money", ""),
        ({**CASH, "unapplied": Money(12_000, "EUR")}, "never", "money", ""),
        ({}, "never", "money", ""),
        ({**CASH, **BILLED}, "never", "money", ""),
        ({**CASH, **BILLED}, "whole-invoice", "goods", ""),
        ({**CASH, **BILLED, "invoice_value": Money(12_001, "GBP")}, "whole-invoice", "money", ""),
        ({**CASH, **BILLED, "sales_order": ""}, "whole-invoice", "money", ""),
    ],
)
def test_what_became_of_the_payment_decides_the_form(
    known: dict[str, Any], goods: Any, form: str, adjusts: str
) -> None:
    found = prepared(original(**known), POUNDS, goods, None)

    assert (found.form, found.adjusts) == (form, adjusts)
    assert found.adjusts_type == ("I" if form == "unapplied" else "C")


@pytest.mark.parametrize(
    ("kind", "balance", "cash", "number", "type_"),
    [
        ("C", 12_000, CASH, "CN", "C"),
        ("I", -3_000, CASH, "CN", "I"),
        ("I", 9_000, CASH, "_CRD0000001", "I"),
        ("I", 9_000, {}, "CN", "I"),
    ],
)
def test_a_credit_that_a_person_raised_is_brought_down_where_it_lies(
    kind: str, balance: int, cash: dict[str, Any], number: str, type_: str
) -> None:
    known = original(
        **cash,
        **{**BILLED, "invoice_balance": Money(balance, "GBP")},
        credit_note="CN",
        credit_note_type=kind,
    )
    found = prepared(known, Money(3_000, "GBP"), "never", None)

    assert (found.form, found.adjusts, found.adjusts_type) == ("money", number, type_)


def test_the_tax_in_a_refund_is_its_share_of_the_order() -> None:
    sold = order(LAMP, COURIER)
    taxes = sum(line.tax.minor for line in sold.lines)
    whole = prepared(original(**BILLED), sold.total, "never", sold).credit_tax
    half = prepared(original(**BILLED), Money(sold.total.minor // 2, "GBP"), "never", sold).credit_tax

    assert whole == Money(taxes, "GBP")
    assert half is not None
    assert abs(half.minor * 2 - taxes) <= 2
    assert prepared(original(**BILLED), Money(1, "EUR"), "never", sold).credit_tax is None


def notice(**changes: Any) -> ChargebackNotice:
    members: dict[str, Any] = {
        "chargeback_ref": "CB1",
        "stage": "accepted",
        "amount": POUNDS,
        "received_on": date(2025, 6, 2),
        "transaction_id": "DB79BA2D-05DA-5B85-D188-1293D16BBAC7",
    }
    return ChargebackNotice(**{**members, **changes})


def test_the_same_notice_is_the_same_transaction_wherever_it_comes_from() -> None:
    told = read_own("chargeback.accepted", msgspec.json.encode(notice()), NOON)

    assert told.transaction.transaction_id == chargeback_id(notice())
    assert (told.transaction.kind, told.transaction.amount) == ("chargeback", POUNDS)
    assert told.transaction.related_transaction_id == notice().transaction_id
    assert told.arrived["chargeback"] == msgspec.to_builtins(notice())
    assert chargeback_id(notice(stage="reversed")) != chargeback_id(notice())
    assert (notice().won, notice(stage="reversed").won, notice(stage="arbitration").won) == (
        False,
        True,
        None,
    )


@pytest.mark.parametrize("reference", ["CB1", "a b", "a_b", "x" * 60])
def test_its_code_is_one_that_opayo_could_have(reference: str) -> None:
    code = chargeback_code(notice(chargeback_ref=reference))

    assert len(code) <= 40
    assert code.startswith("CB-")
    assert chargeback_code(notice(chargeback_ref="a b")) != chargeback_code(notice(chargeback_ref="a_b"))


def test_only_messages_of_our_own_are_believed() -> None:
    assert is_own("file", "chargeback.accepted")
    assert is_own("road", REVERSAL)
    assert not is_own("webhook", "chargeback.accepted")
    assert not is_own("file", "payment.authorised")
    with pytest.raises(InvalidPayment, match="cannot be read"):
        read_own("chargeback.accepted", b"{}", NOON)


def test_the_reversal_of_a_void_is_a_refund_of_all_of_it_and_always_the_same() -> None:
    voided = transaction()
    reversal = reversal_of(voided)

    assert reversal == reversal_of(voided)
    assert reversal.transaction_id != voided.transaction_id
    assert (reversal.kind, reversal.amount, reversal.state) == ("refund", voided.amount, "captured")
    assert read_own(REVERSAL, msgspec.json.encode(reversal), NOON).transaction == reversal
