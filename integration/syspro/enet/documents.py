"""Canonical documents into e.net's: which business object takes them, with which parameters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from integration.canonical.documents import ArInvoice, ArPayment, ErpDocument, SalesOrder
from integration.canonical.journal import GlJournal
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.building import Part, Parts, filled, xml
from integration.syspro.enet.config import EnetConfig
from integration.syspro.enet.key_widths import Widths
from integration.syspro.enet.money_out import item_of, object_of, own_parameters, particular_parameters
from integration.syspro.enet.objects import ARSTIN, ARSTPY, GENTJL, SORTOI, BusinessObject, Transaction
from integration.syspro.enet.orders import order_parameters, order_parts
from integration.syspro.keys import findable
from integration.syspro.limits import fitted, money_text
from integration.syspro.sent_values import invoice_value, refuse_negative, signed

_NOTHING = "0.00"


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a document's form depends on besides the document."""

    config: SysproConfig
    enet: EnetConfig
    codes: CurrencyCodes
    widths: Widths


def business_object_of(document: ErpDocument) -> BusinessObject:
    """Which business object posts a document."""
    match document:
        case SalesOrder():
            return SORTOI
        case ArPayment():
            return ARSTPY
        case ArInvoice():
            return ARSTIN
        case GlJournal():
            return GENTJL
        case _:
            return object_of(document)


def transaction_for(document: ErpDocument, at: Surroundings, *, rehearsal: bool = False) -> Transaction:
    """The transaction that posts a document, or has it validated only.

    Raises:
        UnmappedField: a value does not fit its element, or the reference could not be found again.
    """
    findable(document.reference)
    kind = business_object_of(document)
    particular = particular_parameters(document)
    return Transaction(
        business_object=kind,
        parameters=_parameters(kind, at, particular, rehearsal=rehearsal),
        document=xml(kind.root, _kept(_document(document, at), at.enet.leave_out.get(kind.code, ()))),
    )


def rehearsal_of(kind: BusinessObject, config: SysproConfig, enet: EnetConfig) -> Transaction:
    """A transaction that can post nothing: an empty document, to be validated only."""
    at = Surroundings(config=config, enet=enet, codes=CurrencyCodes({}), widths=Widths())
    return Transaction(
        business_object=kind,
        parameters=_parameters(kind, at, rehearsal=True),
        document=xml(kind.root, []),
    )


def _document(document: ErpDocument, at: Surroundings) -> Parts:
    match document:
        case SalesOrder():
            return order_parts(document, at.codes, at.widths)
        case ArPayment():
            return [("Item", [("Payment", _payment(document, at))])]
        case ArInvoice():
            return [("Item", _invoice(document, at))]
        case GlJournal():
            return [("Item", _journal(document, at.config))]
        case _:
            return [("Item", item_of(document, at.widths))]


# --- parameters: all of them, since SYSPRO's defaults differ between objects and releases -----------


def _parameters(
    kind: BusinessObject, at: Surroundings, particular: Sequence[tuple[str, str]] = (), *, rehearsal: bool
) -> str:
    own = {**at.enet.parameters.get(kind.code, {}), **dict(particular)}
    said = [
        (name, own.pop(name, value)) for name, value in _default_parameters(kind, at, rehearsal=rehearsal)
    ]
    kept = _kept([*said, *own.items()], at.enet.leave_out.get(kind.code, ()))
    return xml(kind.root, [("Parameters", kept)])


def _default_parameters(
    kind: BusinessObject, at: Surroundings, *, rehearsal: bool
) -> Sequence[tuple[str, str]]:
    if kind is SORTOI:
        return order_parameters(at.config, at.enet.order_warnings, rehearsal=rehearsal)
    return [
        ("IgnoreWarnings", at.enet.money_warnings),
        ("ApplyIfEntireDocumentValid", "Y"),
        ("ValidateOnly", "Y" if rehearsal else "N"),
        *_own_parameters(kind, at.config),
    ]


def _kept(parts: Parts, left_out: Sequence[str]) -> Parts:
    """The parts without the elements that the site's SYSPRO is not to be sent, wherever they stand."""
    if not left_out:
        return parts
    kept = [(name, inner) for name, inner in parts if name not in left_out]
    return [(name, inner if isinstance(inner, str) else _kept(inner, left_out)) for name, inner in kept]


def _own_parameters(kind: BusinessObject, config: SysproConfig) -> Sequence[tuple[str, str]]:
    period = ("PostingPeriod", config.posting_period)
    if kind.code == ARSTPY.code:
        return [
            period,
            ("AutoCorrectPaymentValue", "N"),
            ("ApplySpecificBranch", "N"),
            ("BranchToUse", ""),
            ("IntegrateToCashBookInDetail", "N"),
            ("AutoCalculateTax", "N"),
            ("IgnoreAnalysis", "Y"),
        ]
    if kind is ARSTIN:
        return [period, ("AutomaticTaxCalculation", "N")]
    if kind is not GENTJL:
        return own_parameters(kind, config.posting_period)
    return [
        ("ActionType", "A"),
        ("ValidatePasswords", "Y"),
        ("DeleteEntriesonMaint", "N"),
        ("IgnoreAnalysis", "Y"),
        ("IncludeDimensionAnalysis", "N"),
    ]


# --- documents ------------------------------------------------------------------------------------


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _payment(payment: ArPayment, at: Surroundings) -> Parts:
    refuse_negative(payment, at.config)
    widths = at.widths
    parts: list[Part] = [
        ("Customer", fitted("Customer", widths.customer(payment.customer))),
        ("PaymentValue", money_text("PaymentValue", payment.payment_value)),
        ("Reference", fitted("Reference", payment.reference)),
        ("PaymentDate", _day(payment.payment_date)),
        # SYSPRO's own notes call it mandatory, so it is never left to a default.
        ("JournalNotation", fitted("JournalNotation", payment.journal_notation or payment.reference)),
        ("PaymentNarration", fitted("PaymentNarration", payment.payment_narration)),
        ("Bank", fitted("Bank", payment.bank)),
        ("PaymentType", payment.payment_type or ""),
    ]
    for paid in payment.invoices:
        value: Parts = [
            ("TransactionType", paid.transaction_type),
            ("Invoice", fitted("Invoice", widths.invoice(paid.invoice))),
            ("GrossPaymentValue", money_text("GrossPaymentValue", paid.gross_payment_value)),
            # Left out, SYSPRO works a discount out by itself.
            ("DiscountValue", money_text("DiscountValue", paid.discount_value)),
        ]
        parts.append(("InvoiceToPay", value))
    for kept in payment.unapplied:
        order = fitted("CustomerPurchaseOrder", kept.customer_purchase_order)
        value = [
            ("GrossPaymentValue", money_text("GrossPaymentValue", kept.gross_payment_value)),
            ("DiscountValue", _NOTHING),
            ("CustomerPurchaseOrder", order),
        ]
        parts.append(("UnappliedPayment", filled(value)))
    return filled(parts)


def _invoice(invoice: ArInvoice, at: Surroundings) -> Parts:
    tax, widths = invoice.tax_value, at.widths
    return filled(
        [
            ("TransactionType", invoice.transaction_type),
            ("Customer", fitted("Customer", widths.customer(invoice.customer))),
            ("PostToExistingInvoice", "Y" if invoice.post_to_existing else "N"),
            ("GenerateInvoiceNumber", "N" if invoice.invoice else "Y"),
            ("Invoice", fitted("Invoice", widths.invoice(invoice.invoice or ""))),
            ("InvoiceDate", _day(invoice.invoice_date)),
            ("Reference", fitted("Reference", invoice.reference)),
            ("InvoiceValue", money_text("InvoiceValue", invoice_value(invoice, at.config))),
            ("Taxable", "Y" if invoice.tax_code else ""),
            ("TaxCode", fitted("TaxCode", invoice.tax_code)),
            ("TaxValue", money_text("TaxValue", tax) if tax is not None else ""),
            ("CostValue", _NOTHING),
            ("ProductClass", fitted("ProductClass", invoice.product_class)),
            ("InvoiceTerms", fitted("InvoiceTerms", invoice.invoice_terms)),
            ("Salesperson", fitted("Salesperson", invoice.salesperson)),
            ("Branch", fitted("Branch", invoice.branch)),
        ]
    )


def _journal(journal: GlJournal, config: SysproConfig) -> Parts:
    head = filled(
        [
            ("JournalType", "N"),
            ("AuthorizeJournal", "A"),
            ("PostJournal", "Y"),
            ("CancelJournal", "N"),
            ("HoldJournal", "N"),
            ("JournalDate", _day(journal.journal_date)),
            ("JournalReference", fitted("JournalReference", journal.reference)),
            ("Notation", fitted("Notation", journal.notation)),
            ("PostingPeriod", f"{journal.posting_period:02d}" if journal.posting_period is not None else ""),
            ("PostingYear", f"{journal.posting_year:04d}" if journal.posting_year is not None else ""),
        ]
    )
    details: list[Part] = []
    for entry in journal.entries:
        parts = filled(
            [
                ("LedgerCode", fitted("LedgerCode", entry.ledger_code)),
                ("Reference", fitted("Reference", entry.reference or journal.reference)),
                ("EntryAmount", money_text("EntryAmount", signed(entry.entry_amount, config))),
                ("Comment", fitted("Comment", entry.comment)),
            ]
        )
        details.append(("JournalDetails", parts))
    return [*head, *details]
