"""Rules a payment meets before it moves: is it complete, does it agree with itself, and is it lawful to post?

Each broken rule is a finding, and each finding leads somewhere: money that never moved is *ignored*, everything
else waits in *dead letters* for a person. There is no tolerance: a penny's difference is a finding, with both
amounts in its evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money, total
from integration.canonical.order import Order
from integration.canonical.payment import GatewayState, GatewayTransaction
from integration.errors import InvalidPayment, RefundExceedsPayment, Rejected

LeadsTo = Literal["ignored", "dead_letter"]

_VENDOR_TX_CODE = re.compile(r"[A-Za-z0-9._{}-]{1,40}")
_TRANSACTION_ID = re.compile(r"[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12}")

# Nothing was taken, and a later event tells if that changes. The other states need a person.
_NO_MONEY: frozenset[GatewayState] = frozenset(
    (
        "pending",
        "held",
        "authenticated",
        "declined",
        "rejected",
        "cancelled",
        "voided",
        "aborted",
        "expired",
        "failed",
    )
)


class PaymentFacts(Struct, frozen=True, kw_only=True):
    """What is known of a payment when it is validated.

    Attributes:
        transaction: as the gateway holds it now.
        order: the order it pays, if the shop knows one.
        order_required: whether the flow posts an order.
        currencies: ISO 4217 codes that the pair may post.
        event_amount: what the event said, if it said an amount.
        recorded: the amount under which this transaction id was recorded before, if it was.
        original: for a refund, what the refunded payment took.
        refunded: for a refund, what earlier refunds of that payment gave back.
    """

    transaction: GatewayTransaction
    currencies: frozenset[str]
    order: Order | None = None
    order_required: bool = True
    event_amount: Money | None = None
    recorded: Money | None = None
    original: Money | None = None
    refunded: Money | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """A broken rule.

    Attributes:
        rule: stable name, as in `payment.amount-not-positive`.
        message: one sentence for a person.
        evidence: the facts that broke it, as text and integers.
    """

    rule: str
    message: str
    leads_to: LeadsTo = "dead_letter"
    evidence: dict[str, str | int | None] = {}


def validate(facts: PaymentFacts) -> tuple[Finding, ...]:
    """Every finding, in the order of the rules; none means that the payment may move on.

    When no money moved, that is the only finding: what else is odd about a declined payment is nobody's work.
    """
    if facts.transaction.state in _NO_MONEY:
        return (_no_money(facts.transaction),)
    return tuple(finding for rule in _RULES for finding in rule(facts))


def leads_to(findings: Sequence[Finding]) -> Literal["valid", "ignored", "dead_letter"]:
    """What becomes of the payment: dead letters when any finding leads there, else ignored, else valid."""
    if not findings:
        return "valid"
    return "dead_letter" if any(finding.leads_to == "dead_letter" for finding in findings) else "ignored"


def as_error(findings: Sequence[Finding]) -> Rejected:
    """The findings of a payment that goes to dead letters as one error, the first one leading.

    Raises:
        ValueError: there is no finding that leads to dead letters.
    """
    grave = [finding for finding in findings if finding.leads_to == "dead_letter"]
    if not grave:
        raise ValueError("no finding leads to dead letters")
    evidence: dict[str, str | int | None] = {}
    for finding in reversed(grave):
        evidence |= finding.evidence
    evidence["rules"] = ", ".join(finding.rule for finding in grave)
    message = " ".join(finding.message for finding in grave).removesuffix(".")
    if grave[0].rule == RefundExceedsPayment.code:
        return RefundExceedsPayment(message, evidence=evidence)
    return InvalidPayment(message, code=grave[0].rule, evidence=evidence)


def _no_money(transaction: GatewayTransaction) -> Finding:
    said = f"{transaction.status} {transaction.status_code}".strip()
    return Finding(
        rule="payment.no-money-moved",
        message=f"The transaction is {transaction.state} ({said}): no money moved, so nothing is posted.",
        leads_to="ignored",
        evidence={
            "state": transaction.state,
            "status": transaction.status,
            "status_code": transaction.status_code,
        },
    )


def _state(facts: PaymentFacts) -> Iterator[Finding]:
    transaction = facts.transaction
    if transaction.state != "captured":
        yield Finding(
            rule="payment.state-unclear",
            message=f"Opayo says {transaction.status or 'nothing'}: whether money moved needs a person to find out.",
            evidence={
                "state": transaction.state,
                "status": transaction.status,
                "status_code": transaction.status_code,
            },
        )
    if transaction.kind == "unknown":
        yield Finding(
            rule="payment.kind-unknown",
            message="The transaction's type is not one that this service knows how to post.",
        )


def _identity(facts: PaymentFacts) -> Iterator[Finding]:
    transaction = facts.transaction
    if not _VENDOR_TX_CODE.fullmatch(transaction.vendor_tx_code):
        yield Finding(
            rule="payment.vendor-tx-code-unlawful",
            message="The vendor transaction code must be 1 to 40 letters, digits and the signs - . _ { }.",
            evidence={"vendor_tx_code": transaction.vendor_tx_code[:80]},
        )
    if not _TRANSACTION_ID.fullmatch(transaction.transaction_id):
        yield Finding(
            rule="payment.transaction-id-unlawful",
            message="The transaction id must be an upper-case GUID without braces.",
            evidence={"transaction_id": transaction.transaction_id[:80]},
        )


def _amount(facts: PaymentFacts) -> Iterator[Finding]:
    amount = facts.transaction.amount
    if amount.minor <= 0:
        yield Finding(
            rule="payment.amount-not-positive",
            message=f"The amount is {amount}: it must be positive.",
            evidence={"amount_minor": amount.minor, "currency": amount.currency},
        )
    if amount.currency not in facts.currencies:
        allowed = ", ".join(sorted(facts.currencies)) or "none"
        yield Finding(
            rule="payment.currency-not-allowed",
            message=f"This pair does not post {amount.currency}; it posts {allowed}.",
            evidence={"currency": amount.currency, "allowed": allowed},
        )


def _earlier_word(facts: PaymentFacts) -> Iterator[Finding]:
    amount = facts.transaction.amount
    if facts.event_amount is not None and facts.event_amount != amount:
        yield _differs("payment.event-amount-differs", "the event", facts.event_amount, amount)
    if facts.recorded is not None and facts.recorded != amount:
        yield _differs(
            "payment.recorded-amount-differs", "the record of the same transaction", facts.recorded, amount
        )


def _differs(rule: str, who: str, said: Money, amount: Money) -> Finding:
    return Finding(
        rule=rule,
        message=f"Opayo holds {amount}, but {who} says {said}.",
        evidence=_both(said, amount),
    )


def _both(said: Money, amount: Money) -> dict[str, str | int | None]:
    difference = amount.minor - said.minor if said.currency == amount.currency else None
    return {
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "other_amount_minor": said.minor,
        "other_currency": said.currency,
        "difference_minor": difference,
    }


def _order(facts: PaymentFacts) -> Iterator[Finding]:
    if facts.transaction.kind == "refund":
        return
    if facts.order is None:
        if facts.order_required:
            yield Finding(
                rule="payment.order-missing",
                message="The shop knows no order for this payment, and the flow posts one.",
                evidence={"vendor_tx_code": facts.transaction.vendor_tx_code},
            )
        return
    yield from _order_agrees(facts.order, facts.transaction)


def _order_agrees(order: Order, transaction: GatewayTransaction) -> Iterator[Finding]:
    if order.total != transaction.amount:
        yield _differs(
            "payment.order-total-differs", f"order {order.number}", order.total, transaction.amount
        )
    if order.payment_reference and order.payment_reference != transaction.vendor_tx_code:
        yield Finding(
            rule="payment.order-reference-differs",
            message=f"Order {order.number} was paid under another vendor transaction code.",
            evidence={"order": order.payment_reference, "payment": transaction.vendor_tx_code},
        )
    if not order.lines:
        yield Finding(rule="payment.order-empty", message=f"Order {order.number} has no lines.")
        return
    currency = order.total.currency
    if any(line.net.currency != currency or line.tax.currency != currency for line in order.lines):
        yield Finding(
            rule="payment.order-currencies-mixed", message=f"Order {order.number} mixes currencies."
        )
        return
    lines = total([line.gross for line in order.lines], currency)
    if lines != order.total:
        yield Finding(
            rule="payment.order-lines-differ",
            message=f"The lines of order {order.number} sum to {lines}, its total is {order.total}.",
            evidence=_both(order.total, lines),
        )


def _refund(facts: PaymentFacts) -> Iterator[Finding]:
    transaction = facts.transaction
    if transaction.kind != "refund":
        return
    if facts.original is None:
        yield Finding(
            rule="payment.refund-without-payment",
            message="The payment that this refund gives back is not known.",
            evidence={"related_transaction_id": transaction.related_transaction_id},
        )
        return
    original = facts.original
    before = facts.refunded or Money(0, original.currency)
    if not original.currency == transaction.amount.currency == before.currency:
        yield _differs(
            "payment.refund-currency-differs", "the refunded payment", original, transaction.amount
        )
    elif before + transaction.amount > original:
        yield Finding(
            rule=RefundExceedsPayment.code,
            message=f"Refunds of {before + transaction.amount} would exceed the payment of {original}.",
            evidence=_both(original, before + transaction.amount),
        )


_RULES: tuple[Callable[[PaymentFacts], Iterator[Finding]], ...] = (
    _state,
    _identity,
    _amount,
    _earlier_word,
    _order,
    _refund,
)
