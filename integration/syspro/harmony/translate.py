"""Canonical documents into the façade's requests: exact decimals, every parameter, nothing cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import structs

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    ErpDocument,
    SalesOrder,
    SalesOrderLine,
)
from integration.canonical.journal import GlJournal
from integration.errors import UnmappedField
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony import requests as wire
from integration.syspro.harmony.endpoints import INVOICE, JOURNAL, PAYMENT, SALES_ORDER, Endpoint
from integration.syspro.harmony.money_out import Json, money_out_endpoint, money_out_request
from integration.syspro.keys import findable
from integration.syspro.limits import fitted, money_text, price_text, quantity_text
from integration.syspro.sent_values import invoice_value, refuse_negative, signed

_ADD = "A"


def endpoint_of(document: ErpDocument) -> Endpoint:
    """Where a document is posted and looked for."""
    match document:
        case SalesOrder():
            return SALES_ORDER
        case ArPayment():
            return PAYMENT
        case ArInvoice():
            return INVOICE
        case GlJournal():
            return JOURNAL
        case _:
            return money_out_endpoint(document)


def request_for(document: ErpDocument, config: SysproConfig, codes: CurrencyCodes) -> wire.Posting | Json:
    """The request that posts a document.

    Raises:
        UnmappedField: a value does not fit its element, or the reference could not be found again.
    """
    findable(document.reference)
    match document:
        case SalesOrder():
            return _order(document, config, codes)
        case ArPayment():
            return _payment(document, config)
        case ArInvoice():
            return _invoice(document, config)
        case GlJournal():
            return _journal(document, config)
        case _:
            return money_out_request(document, config.posting_period)


def validated_only(posting: wire.Posting | Json) -> wire.Posting | Json:
    """The request for having a document validated and not posted.

    The façade cannot do so for the invoicing of an order, and refuses the parameters that it does not know there.
    """
    if isinstance(posting, Mapping):
        parameters = posting.get("Parameters", {})
        own = parameters if isinstance(parameters, Mapping) else {}
        return {**posting, "Parameters": {**own, "ValidateOnly": "Y"}}
    return structs.replace(posting, parameters=structs.replace(posting.parameters, validate_only="Y"))


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _order(order: SalesOrder, config: SysproConfig, codes: CurrencyCodes) -> wire.OrderImport:
    header = wire.OrderHeader(
        customer_po_number=fitted("CustomerPoNumber", order.customer_po_number),
        customer=fitted("Customer", order.customer),
        order_action_type=_ADD,
        order_date=_day(order.order_date),
        requested_ship_date=_day(order.requested_ship_date),
        currency=fitted("Currency", codes.site(order.currency)),
        customer_name=fitted("CustomerName", order.customer_name),
        ship_address1=fitted("ShipAddress1", order.ship_address1),
        ship_address2=fitted("ShipAddress2", order.ship_address2),
        ship_address3=fitted("ShipAddress3", order.ship_address3),
        ship_address3_locality=fitted("ShipAddress3Locality", order.ship_address3_locality),
        ship_address4=fitted("ShipAddress4", order.ship_address4),
        ship_address5=fitted("ShipAddress5", order.ship_address5),
        ship_postal_code=fitted("ShipPostalCode", order.ship_postal_code),
        email=fitted("Email", order.email),
        warehouse=fitted("Warehouse", order.warehouse),
        branch=fitted("Branch", order.branch),
        salesperson=fitted("Salesperson", order.salesperson),
        area=fitted("Area", order.area),
        special_instrs=fitted("SpecialInstrs", order.special_instrs),
        invoice_terms=fitted("InvoiceTerms", order.invoice_terms),
        order_comments=[fitted("OrderComments", comment) for comment in order.order_comments or ()],
    )
    parameters = wire.OrderParameters(
        accept_orders_if_no_credit="Y" if config.accept_orders_if_no_credit else "N"
    )
    imported = wire.ImportedOrder(order_header=header, order_details=_details(order.lines))
    return wire.OrderImport(parameters=parameters, orders=[imported])


def _details(lines: tuple[SalesOrderLine, ...]) -> wire.OrderDetails:
    details = wire.OrderDetails(stock_line=[], freight_line=[], misc_charge_line=[], comment_line=[])
    for line in sorted(lines, key=lambda each: each.customer_po_line):
        match line.kind:
            case "stock":
                details.stock_line.append(_stock_line(line))
            case "freight":
                details.freight_line.append(_freight_line(line))
            case "charge":
                details.misc_charge_line.append(_charge_line(line))
            case "comment":
                details.comment_line.append(_comment_line(line))
    return details


def _number(line: SalesOrderLine) -> str:
    return f"{line.customer_po_line:04d}"


def _not_taxable(line: SalesOrderLine) -> str:
    return "Y" if line.not_taxable else ""


def _stock_line(line: SalesOrderLine) -> wire.StockLine:
    if line.order_qty is None:
        raise _missing("OrderQty", line)
    priced = line.price is not None
    return wire.StockLine(
        customer_po_line=_number(line),
        line_action_type=_ADD,
        stock_code=fitted("StockCode", line.stock_code),
        stock_description=fitted("StockDescription", line.stock_description),
        warehouse=fitted("Warehouse", line.warehouse),
        order_qty=quantity_text("OrderQty", line.order_qty),
        order_uom=fitted("OrderUom", line.order_uom),
        price=price_text("Price", line.price) if line.price is not None else "",
        # SYSPRO refuses a price without its unit, and prices here are always per ordered unit.
        price_uom=fitted("PriceUom", line.order_uom) if priced else "",
        stock_tax_code=fitted("StockTaxCode", line.tax_code),
        stock_not_taxable=_not_taxable(line),
        product_class=fitted("ProductClass", line.product_class),
    )


def _value(element: str, line: SalesOrderLine) -> str:
    if line.value is None:
        raise _missing(element, line)
    return money_text(element, line.value)


def _freight_line(line: SalesOrderLine) -> wire.FreightLine:
    return wire.FreightLine(
        customer_po_line=_number(line),
        line_action_type=_ADD,
        freight_value=_value("FreightValue", line),
        freight_cost="0.00",
        freight_tax_code=fitted("FreightTaxCode", line.tax_code),
        freight_not_taxable=_not_taxable(line),
    )


def _charge_line(line: SalesOrderLine) -> wire.MiscChargeLine:
    return wire.MiscChargeLine(
        customer_po_line=_number(line),
        line_action_type=_ADD,
        misc_charge_value=_value("MiscChargeValue", line),
        misc_charge_cost="0.00",
        misc_product_class=fitted("MiscProductClass", line.product_class),
        misc_description=fitted("MiscDescription", line.description),
        misc_tax_code=fitted("MiscTaxCode", line.tax_code),
        misc_not_taxable=_not_taxable(line),
    )


def _comment_line(line: SalesOrderLine) -> wire.CommentLine:
    return wire.CommentLine(
        customer_po_line=_number(line),
        line_action_type=_ADD,
        comment=fitted("Comment", line.description),
    )


def _missing(element: str, line: SalesOrderLine) -> UnmappedField:
    return UnmappedField(
        f"Line {line.customer_po_line} ({line.kind}) of the sales order has no {element}",
        evidence={"element": element, "line": line.customer_po_line},
    )


def _payment(payment: ArPayment, config: SysproConfig) -> wire.PaymentPosting:
    refuse_negative(payment, config)
    item = wire.Payment(
        customer=fitted("Customer", payment.customer),
        payment_value=money_text("PaymentValue", payment.payment_value),
        reference=fitted("Reference", payment.reference),
        payment_date=_day(payment.payment_date),
        # SYSPRO's own notes call it mandatory, so it is never left to a default.
        journal_notation=fitted("JournalNotation", payment.journal_notation or payment.reference),
        payment_narration=fitted("PaymentNarration", payment.payment_narration),
        bank=fitted("Bank", payment.bank),
        payment_type=payment.payment_type or "",
        invoice_to_pay=[
            wire.PaidInvoice(
                transaction_type=part.transaction_type,
                invoice=fitted("Invoice", part.invoice),
                gross_payment_value=money_text("GrossPaymentValue", part.gross_payment_value),
                discount_value=money_text("DiscountValue", part.discount_value),
            )
            for part in payment.invoices
        ],
        unapplied_payment=[
            wire.UnappliedPart(
                gross_payment_value=money_text("GrossPaymentValue", part.gross_payment_value),
                customer_purchase_order=fitted("CustomerPurchaseOrder", part.customer_purchase_order),
            )
            for part in payment.unapplied
        ],
    )
    return wire.PaymentPosting(
        parameters=wire.PaymentParameters(posting_period=payment.posting_period or config.posting_period),
        items=[wire.PaymentItem(payment=item)],
    )


def _invoice(invoice: ArInvoice, config: SysproConfig) -> wire.InvoicePosting:
    item = wire.InvoiceItem(
        transaction_type=invoice.transaction_type,
        customer=fitted("Customer", invoice.customer),
        reference=fitted("Reference", invoice.reference),
        invoice_value=money_text("InvoiceValue", invoice_value(invoice, config)),
        post_to_existing_invoice="Y" if invoice.post_to_existing else "N",
        generate_invoice_number="N" if invoice.invoice else "Y",
        invoice=fitted("Invoice", invoice.invoice),
        invoice_date=_day(invoice.invoice_date),
        taxable="Y" if invoice.tax_code else "",
        tax_code=fitted("TaxCode", invoice.tax_code),
        tax_value=money_text("TaxValue", invoice.tax_value) if invoice.tax_value is not None else "",
        product_class=fitted("ProductClass", invoice.product_class),
        invoice_terms=fitted("InvoiceTerms", invoice.invoice_terms),
        salesperson=fitted("Salesperson", invoice.salesperson),
        branch=fitted("Branch", invoice.branch),
    )
    parameters = wire.InvoiceParameters(posting_period=invoice.posting_period or config.posting_period)
    return wire.InvoicePosting(parameters=parameters, items=[item])


def _journal(journal: GlJournal, config: SysproConfig) -> wire.JournalPosting:
    details = [
        wire.JournalDetail(
            ledger_code=fitted("LedgerCode", entry.ledger_code),
            entry_amount=money_text("EntryAmount", signed(entry.entry_amount, config)),
            reference=fitted("Reference", entry.reference or journal.reference),
            comment=fitted("Comment", entry.comment),
        )
        for entry in journal.entries
    ]
    item = wire.JournalItem(
        journal_type="N",
        authorize_journal="A",
        post_journal="Y",
        hold_journal="N",
        journal_reference=fitted("JournalReference", journal.reference),
        journal_date=_day(journal.journal_date),
        notation=fitted("Notation", journal.notation),
        posting_year=f"{journal.posting_year:04d}" if journal.posting_year is not None else "",
        posting_period=f"{journal.posting_period:02d}" if journal.posting_period is not None else "",
        journal_details=details,
    )
    return wire.JournalPosting(parameters=wire.JournalParameters(), items=[item])
