"""Validation: what each broken rule says, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money
from integration.canonical.order import Order, OrderLine
from integration.canonical.party import Party, PostalAddress
from integration.canonical.payment import GatewayTransaction
from integration.errors import InvalidPayment, RefundExceedsPayment
from service.core.validation import PaymentFacts, as_error, leads_to, validate

GBP = "GBP"
TRANSACTION = GatewayTransaction(
    transaction_id="DB79BA2D-05DA-5B85-D188-1293D16BBAC7",
    vendor_tx_code="SO-104233-2",
    kind="payment",
    state="captured",
    amount=Money(12_995, GBP),
    status="Ok",
    status_code="0000",
)
ORDER = Order(
    reference="1",
    number="104233",
    total=Money(12_995, GBP),
    lines=(
        OrderLine(kind="stock", net=Money(10_000, GBP), tax=Money(2_000, GBP)),
        OrderLine(kind="freight", net=Money(829, GBP), tax=Money(166, GBP)),
    ),
    customer=Party(),
    billing=PostalAddress(),
    shipping=PostalAddress(),
    payment_reference="SO-104233-2",
)
FACTS = PaymentFacts(
    transaction=TRANSACTION, order=ORDER, currencies=frozenset([GBP]), event_amount=Money(12_995, GBP)
)
REFUND = msgspec.structs.replace(
    TRANSACTION, kind="refund", amount=Money(500, GBP), vendor_tx_code="SO-104233-R1"
)


@dataclass
class Case:
    """What is changed about a good payment, and the rules that then object."""

    rules: list[str]
    transaction: dict[str, Any] = field(default_factory=dict)
    order: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(rule.removeprefix("payment.") for rule in self.rules)

    def build(self) -> PaymentFacts:
        transaction = msgspec.structs.replace(TRANSACTION, **self.transaction)
        order = msgspec.structs.replace(ORDER, **self.order)
        return msgspec.structs.replace(FACTS, **{"transaction": transaction, "order": order, **self.facts})


def test_a_good_payment_has_no_findings() -> None:
    assert validate(FACTS) == ()
    assert leads_to(()) == "valid"
    assert validate(msgspec.structs.replace(FACTS, order=None, order_required=False)) == ()


CASES = [
    Case(["payment.state-unclear"], {"state": "unknown", "status": "Error"}),
    Case(["payment.state-unclear"], {"state": "settlement-failed", "status": ""}),
    Case(["payment.kind-unknown"], {"kind": "unknown"}),
    Case(["payment.vendor-tx-code-unlawful", "payment.order-reference-differs"], {"vendor_tx_code": "a b"}),
    Case(
        ["payment.vendor-tx-code-unlawful", "payment.order-reference-differs"], {"vendor_tx_code": "x" * 41}
    ),
    Case(["payment.transaction-id-unlawful"], {"transaction_id": "{db79ba2d-05da-5b85-d188-1293d16bbac7}"}),
    Case(
        ["payment.amount-not-positive", "payment.event-amount-differs", "payment.order-total-differs"],
        {"amount": Money(0, GBP)},
    ),
    Case(["payment.currency-not-allowed"], facts={"currencies": frozenset(["EUR"])}),
    Case(["payment.currency-not-allowed"], facts={"currencies": frozenset()}),
    Case(["payment.event-amount-differs"], facts={"event_amount": Money(12_994, GBP)}),
    Case(["payment.recorded-amount-differs"], facts={"recorded": Money(12_995, "EUR")}),
    Case(["payment.order-missing"], facts={"order": None}),
    Case(["payment.order-total-differs", "payment.order-lines-differ"], order={"total": Money(12_996, GBP)}),
    Case(["payment.order-reference-differs"], order={"payment_reference": "SO-1"}),
    Case(["payment.order-empty"], order={"lines": ()}),
    Case(["payment.order-lines-differ"], order={"lines": ORDER.lines[:1]}),
    Case(
        ["payment.order-currencies-mixed"],
        order={"lines": (*ORDER.lines, OrderLine(kind="charge", net=Money(0, "EUR"), tax=Money(0, "EUR")))},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_broken_rule_is_named_and_waits_for_a_person(case: Case) -> None:
    findings = validate(case.build())

    assert [finding.rule for finding in findings] == case.rules
    assert leads_to(findings) == "dead_letter"
    error = as_error(findings)
    assert isinstance(error, InvalidPayment)
    assert error.error_code == case.rules[0]
    assert error.evidence["rules"] == ", ".join(case.rules)


@pytest.mark.parametrize(
    "state", ["pending", "held", "authenticated", "declined", "voided", "aborted", "failed"]
)
def test_a_payment_without_money_is_ignored_whatever_else_is_odd_about_it(state: str) -> None:
    odd = Case(
        [], {"state": state, "amount": Money(-1, "XXX"), "vendor_tx_code": ""}, facts={"order": None}
    ).build()

    findings = validate(odd)

    assert [finding.rule for finding in findings] == ["payment.no-money-moved"]
    assert leads_to(findings) == "ignored"
    with pytest.raises(ValueError, match="no finding"):
        as_error(findings)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_penny_is_a_difference_and_both_amounts_are_told(paid: int, ordered: int) -> None:
    lines = (OrderLine(kind="stock", net=Money(ordered, GBP), tax=Money(0, GBP)),)
    case = Case(
        [],
        {"amount": Money(paid, GBP)},
        {"total": Money(ordered, GBP), "lines": lines},
        {"event_amount": None},
    )

    findings = validate(case.build())

    assert [finding.rule for finding in findings] == ["payment.order-total-differs"] * (paid != ordered)
    assert all(finding.evidence["difference_minor"] == paid - ordered for finding in findings)


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_refunds_never_exceed_their_payment(paid: int, before: int, refund: int) -> None:
    facts = PaymentFacts(
        transaction=msgspec.structs.replace(REFUND, amount=Money(refund, GBP)),
        currencies=frozenset([GBP]),
        original=Money(paid, GBP),
        refunded=Money(before, GBP),
    )

    findings = validate(facts)

    if before + refund > paid:
        assert isinstance(as_error(findings), RefundExceedsPayment)
    else:
        assert findings == ()


def test_a_refund_needs_its_payment_in_the_same_currency() -> None:
    orphan = PaymentFacts(transaction=REFUND, currencies=frozenset([GBP]))
    foreign = msgspec.structs.replace(orphan, original=Money(900, "EUR"))

    assert [finding.rule for finding in validate(orphan)] == ["payment.refund-without-payment"]
    assert [finding.rule for finding in validate(foreign)] == ["payment.refund-currency-differs"]
    assert validate(foreign)[0].evidence["difference_minor"] is None
    assert validate(msgspec.structs.replace(orphan, original=Money(500, GBP))) == ()
