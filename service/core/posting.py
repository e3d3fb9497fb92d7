"""The ERP documents a payment becomes: which, in which order, under which keys, and whether the money agrees.

What a mapping produced becomes typed documents here or not at all. Money in is money posted: the value of an AR
payment is the payment's amount or its conversion, its parts sum to it, and a journal balances.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from integration.canonical.documents import (
    DOCUMENT_TYPES,
    ArInvoice,
    ArPayment,
    DocumentKind,
    ErpDocument,
    SalesOrder,
)
from integration.canonical.documents_money_out import ArAdjustment, CashTransaction, MiscellaneousReceipt
from integration.canonical.journal import GlJournal
from integration.canonical.money import Money
from integration.errors import InvalidPayment, UnmappedField
from service.core.exchange import Conversion
from service.core.posting_currency import in_currency

Mapped = Mapping[str, object]

# The order first, so that a payment can name it. A credit note needs its invoice, and is completed into an AR
# document before that is adjusted; money leaves last.
_ORDER: tuple[DocumentKind, ...] = (
    "sales_order",
    "ar_invoice",
    "credit_note",
    "order_invoice",
    "ar_payment",
    "ar_adjustment",
    "gl_journal",
    "misc_receipt",
    "cash_transaction",
)
POSITIONS: Mapping[str, int] = {kind: place for place, kind in enumerate(_ORDER)}
"""Where each kind of document comes among a payment's postings, whichever step of the flow posts it."""

_PREFIXES: dict[DocumentKind, str] = {
    "sales_order": "so",
    "order_invoice": "soi",
    "ar_invoice": "inv",
    "ar_payment": "pay",
    "credit_note": "crn",
    "ar_adjustment": "adj",
    "misc_receipt": "msc",
    "cash_transaction": "csh",
    "gl_journal": "jnl",
}

KEY_LENGTH = 64
_NOT_IN_KEY = re.compile(r"[^A-Za-z0-9._-]")


class PlanInput(Struct, frozen=True, kw_only=True):
    """What a plan is made from.

    Attributes:
        transaction_id: Opayo's, whole.
        kind: the payment's: for a refund, credits and adjustments must come to its amount.
        amount: what the gateway took, or gave back.
        documents: the kinds that the flow's post step asks for.
        mapped: per kind the mapping's values, nested, under SYSPRO's element names.
        conversion: when the customer's currency is not the payment's.
        on_hold: SYSPRO has the customer on hold.
    """

    transaction_id: str
    kind: str = "payment"
    amount: Money
    documents: tuple[DocumentKind, ...]
    mapped: Mapping[DocumentKind, Mapped]
    conversion: Conversion | None = None
    on_hold: bool = False

    @property
    def due(self) -> Money:
        """What is to be posted: the amount in the customer's currency."""
        return self.conversion.converted if self.conversion is not None else self.amount


class PlannedPosting(Struct, frozen=True, kw_only=True):
    """One document to post.

    Attributes:
        position: 0, 1, …: documents are posted in this order.
        idempotency_key: the same for the same document for ever; at most 64 of `[A-Za-z0-9._-]`.
        parked: why it waits, as a sentence; empty when it may be posted.
    """

    position: int
    kind: DocumentKind
    reference: str
    idempotency_key: str
    document: ErpDocument
    parked: str = ""


def plan(facts: PlanInput) -> tuple[PlannedPosting, ...]:
    """The postings of a payment in their order. Money is posted even when the order has to wait.

    Raises:
        UnmappedField: the mapping gives no value for a document, or one that does not fit.
        InvalidPayment: the money of a document is not the payment's.
    """
    conversion = facts.conversion
    if conversion is not None and conversion.original != facts.amount:
        raise _disagrees("the conversion", conversion.original, facts.amount)
    kinds = [kind for kind in _ORDER if kind in facts.documents]
    return tuple(_posting(facts, position, kind) for position, kind in enumerate(kinds))


def _posting(facts: PlanInput, position: int, kind: DocumentKind) -> PlannedPosting:
    document = _document(kind, facts.mapped.get(kind))
    if facts.conversion is not None:
        document = in_currency(document, facts.conversion)
    _check_money(document, facts)
    parked = ""
    if facts.on_hold and isinstance(document, SalesOrder):
        parked = f"SYSPRO has customer {document.customer} on hold: it takes the money, not the order"
    return PlannedPosting(
        position=position,
        kind=kind,
        reference=document.reference,
        idempotency_key=idempotency_key(kind, document.reference),
        document=document,
        parked=parked,
    )


def _document(kind: DocumentKind, mapped: Mapped | None) -> ErpDocument:
    if mapped is None:
        raise UnmappedField(
            f"The mapping gives no values for a {kind}, which the flow posts", evidence={"kind": kind}
        )
    try:
        document: ErpDocument = msgspec.convert(dict(mapped), DOCUMENT_TYPES[kind], strict=False)
    except msgspec.ValidationError as error:
        raise UnmappedField(
            f"The mapping's values make no {kind}: {error}", evidence={"kind": kind}
        ) from error
    if not document.reference.strip() or len(document.reference) > 30:
        raise UnmappedField(
            f"The reference of a {kind} needs 1 to 30 characters, not {len(document.reference)}",
            evidence={"kind": kind, "reference": document.reference[:80]},
        )
    return document


def _check_money(document: ErpDocument, facts: PlanInput) -> None:
    match document:
        case ArPayment():
            _check_payment(document, facts)
        case GlJournal():
            if document.imbalance():
                raise _disagrees("the journal's debits less its credits", document.imbalance(), facts.due)
        case SalesOrder():
            if document.currency and document.currency != facts.due.currency:
                raise InvalidPayment(
                    f"The order is in {document.currency}, its payment is posted in {facts.due.currency}",
                    code="posting.currency-differs",
                    evidence={"order": document.currency, "payment": facts.due.currency},
                )
        case ArAdjustment():
            _check_adjustment(document, facts)
        case _:
            what, value = _posted_value(document)
            if value is not None and value != facts.due:
                raise _disagrees(what, value, facts.due)


def _check_adjustment(adjustment: ArAdjustment, facts: PlanInput) -> None:
    """A refund's adjustment comes to the refund; any other may also only move money between documents."""
    value = Money(0, facts.due.currency)
    try:
        for line in adjustment.invoices:
            value += line.adjustment_value
    except ValueError as error:
        raise InvalidPayment(
            f"The adjustment's parts do not sum: {error}", code="posting.money-differs"
        ) from error
    lawful = [facts.due] if facts.kind == "refund" else [Money(0, facts.due.currency), facts.due, -facts.due]
    if value not in lawful:
        raise _disagrees("the sum of the adjustment's parts", value, facts.due)


def _posted_value(document: ErpDocument) -> tuple[str, Money | None]:
    """The money a document carries by itself; a credit note takes its own from the invoice."""
    match document:
        case ArInvoice():
            return "the invoice value", document.invoice_value
        case MiscellaneousReceipt():
            # Negative when the money goes out again.
            value = document.miscellaneous_receipt_value
            return "the receipt's value", Money(abs(value.minor), value.currency)
        case CashTransaction():
            return "the cash-book transaction's value", document.transaction_value
        case _:
            return "", None


def _check_payment(payment: ArPayment, facts: PlanInput) -> None:
    if payment.payment_value != facts.due:
        raise _disagrees("the payment value", payment.payment_value, facts.due)
    parts = Money(0, facts.due.currency)
    try:
        for invoice in payment.invoices:
            parts += invoice.gross_payment_value - invoice.discount_value
        for unapplied in payment.unapplied:
            parts += unapplied.gross_payment_value
    except ValueError as error:
        raise InvalidPayment(
            f"The payment's parts do not sum: {error}", code="posting.money-differs"
        ) from error
    if parts != facts.due:
        raise _disagrees("the sum of the payment's parts", parts, facts.due)


def _disagrees(what: str, posted: Money, due: Money) -> InvalidPayment:
    return InvalidPayment(
        f"Money in is not money posted: {what} is {posted}, the payment is {due}",
        code="posting.money-differs",
        hint="Correct the mapping or the order, then replay the payment from the step `map`.",
        evidence={
            "posted_minor": posted.minor,
            "posted_currency": posted.currency,
            "due_minor": due.minor,
            "due_currency": due.currency,
        },
    )


def idempotency_key(kind: DocumentKind, reference: str) -> str:
    """The key of a document for transports that know such keys; different references never share one."""
    plain = f"{_PREFIXES[kind]}-{reference}"
    safe = _NOT_IN_KEY.sub("_", plain)
    if safe == plain and len(plain) <= KEY_LENGTH:
        return plain
    digest = hashlib.sha256(plain.encode("utf-8")).hexdigest()[:24]
    # `~` is in no safe key, but not lawful here; a doubled dot plays its part, since no reference of ours has one.
    return f"{safe[: KEY_LENGTH - 26]}..{digest}"
