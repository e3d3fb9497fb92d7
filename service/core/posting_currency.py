"""A document in the customer's currency: money at the conversion's rate, the whole exactly the converted amount.

Each amount is converted and rounded by itself, half to even. The parts of a receipt must still sum to it, so the
first parts take the odd minor units; an order's prices keep five decimals and SYSPRO multiplies them itself.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from msgspec.structs import replace

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    ErpDocument,
    SalesOrder,
    SalesOrderLine,
    UnappliedPayment,
)
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.journal import GlJournal
from integration.canonical.money import Money
from integration.errors import InvalidPayment
from service.core.exchange import Conversion

_PRICE_PLACES = Decimal("0.00001")


def in_currency(document: ErpDocument, conversion: Conversion) -> ErpDocument:
    """The document in the currency of the conversion; one that is in it already stays as it is.

    Raises:
        InvalidPayment: a receipt names invoices, which have rates of their own, or a journal is to be converted.
    """
    match document:
        case SalesOrder():
            return _order(document, conversion)
        case ArPayment():
            return _receipt(document, conversion)
        case ArInvoice():
            tax = document.tax_value
            return replace(
                document,
                invoice_value=_converted(document.invoice_value, conversion),
                tax_value=None if tax is None else _converted(tax, conversion),
            )
        case GlJournal():
            raise _cannot("a journal", "it is kept in the company's own currency")
        case CreditNoteOrder() | OrderInvoice():
            return document
        case ArAdjustment():
            raise _cannot("an adjustment", "it is in the currency of the document that it adjusts")
        case MiscellaneousReceipt() | CashTransaction():
            raise _cannot(f"{document.reference}", "it is in the currency of its bank")


def _converted(amount: Money, conversion: Conversion) -> Money:
    """The whole becomes exactly what the conversion says, any part goes at its rate."""
    if amount == conversion.original:
        return conversion.converted
    if amount.currency == conversion.converted.currency:
        return amount
    return amount.convert(conversion.rate)


def _order(order: SalesOrder, conversion: Conversion) -> SalesOrder:
    if order.currency == conversion.converted.currency:
        return order
    lines = tuple(_line(line, conversion) for line in order.lines)
    return replace(order, currency=conversion.converted.currency, lines=lines)


def _line(line: SalesOrderLine, conversion: Conversion) -> SalesOrderLine:
    price, value = line.price, line.value
    if price is not None:
        price = (price * conversion.rate.value).quantize(_PRICE_PLACES, ROUND_HALF_EVEN)
    return replace(line, price=price, value=None if value is None else _converted(value, conversion))


def _receipt(receipt: ArPayment, conversion: Conversion) -> ArPayment:
    if receipt.payment_value.currency == conversion.converted.currency:
        return receipt
    if receipt.invoices:
        raise _cannot(f"receipt {receipt.reference}", "it pays invoices, which have rates of their own")
    value = _converted(receipt.payment_value, conversion)
    parts = receipt.unapplied
    shares = value.allocate([part.gross_payment_value.minor for part in parts]) if parts else []
    unapplied = tuple(
        UnappliedPayment(gross_payment_value=share, customer_purchase_order=part.customer_purchase_order)
        for part, share in zip(parts, shares, strict=True)
    )
    return replace(receipt, payment_value=value, unapplied=unapplied)


def _cannot(what: str, why: str) -> InvalidPayment:
    return InvalidPayment(
        f"The money of {what} cannot be converted: {why}",
        code="exchange.not-convertible",
        hint="Post it by hand in SYSPRO, or give the customer an account in the payment's currency.",
    )
