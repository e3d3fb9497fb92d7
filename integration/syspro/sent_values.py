"""Values whose form on the wire depends on the site, whichever transport sends them."""

from __future__ import annotations

from msgspec import structs

from integration.canonical.documents import ArInvoice, ArPayment, Receipt
from integration.canonical.documents_money_out import CashTransaction
from integration.canonical.money import Money
from integration.errors import UnmappedField
from integration.syspro.site import SiteConfig


def signed(amount: Money, site: SiteConfig) -> Money:
    """An entry's amount in the site's sign, and back: positive debits unless the site proved otherwise."""
    return amount if site.entry_amount_sign == 1 else -amount


def invoice_value(invoice: ArInvoice, site: SiteConfig) -> Money:
    """ARSTIN's `InvoiceValue`: with its tax, or without where the site's SYSPRO adds the tax itself."""
    if site.invoice_value_includes_tax or invoice.tax_value is None:
        return invoice.invoice_value
    return invoice.invoice_value - invoice.tax_value


def refuse_negative(payment: ArPayment, site: SiteConfig) -> None:
    """Refuse a payment with a negative value in it, unless the site has proved what ARSTPY makes of one.

    Raises:
        UnmappedField: a value is negative and the site's settings do not allow it.
    """
    values = {"PaymentValue": payment.payment_value}
    values |= {f"InvoiceToPay {part.invoice}": part.gross_payment_value for part in payment.invoices}
    values |= {f"UnappliedPayment {n}": part.gross_payment_value for n, part in enumerate(payment.unapplied)}
    for element, value in values.items():
        if value.minor < 0 and not site.negative_payments:
            raise UnmappedField(
                f"AR payment {payment.reference} has a negative {element}, {value}, which is not proved to work",
                code="syspro.negative-payment",
                hint="Post a credit memo instead, or allow `negative_payments` once a test payment proved it.",
                evidence={"element": element},
            )


def with_status(receipt: Receipt, site: SiteConfig) -> Receipt:
    """The receipt of a posting, with a warning when its journal's `JnlStatus` is not one that means posted."""
    status = receipt.details.get("JnlStatus", "").strip()
    if receipt.kind != "gl_journal" or status in site.posted_statuses:
        return receipt
    warning = f"SYSPRO took the journal and left it in status {status!r}. Post it in SYSPRO."
    return structs.replace(receipt, warnings=(*receipt.warnings, warning))


def refuse_undistributed(transaction: CashTransaction) -> None:
    """Refuse a cash-book transaction whose parts do not sum to its value: whether SYSPRO would is not documented.

    Raises:
        UnmappedField: the sums differ, or the parts are in another currency.
    """
    try:
        rest = transaction.undistributed()
    except ValueError as error:
        raise UnmappedField(
            f"The distribution of {transaction.reference} does not sum: {error}",
            code="syspro.not-distributed",
        ) from error
    if rest or transaction.transaction_value.minor <= 0:
        raise UnmappedField(
            f"The cash-book transaction {transaction.reference} of {transaction.transaction_value} leaves {rest}"
            " undistributed",
            code="syspro.not-distributed",
            evidence={"undistributed_minor": rest.minor, "currency": rest.currency},
        )
