"""Rows of ArInvoicePay and ArInvoice as the façade answers them."""

from __future__ import annotations

from integration.syspro.harmony.schema import InvoiceRow, MovementRow
from integration.syspro.harmony.values import day, journal_key, number
from integration.syspro.ledger_rows import Document, Movement


def movement_of(row: MovementRow) -> Movement:
    """A row of ArInvoicePay.

    Raises:
        ValueError: a number or date in it is none.
    """
    return Movement(
        customer=row.customer,
        invoice=row.invoice,
        document_type=row.document_type,
        trn_type=row.trn_type,
        journal=journal_key(row.trn_year, row.trn_month, row.journal),
        reference=row.reference,
        value=number(row.trn_value),
        discount=number(row.disc_value),
        currency=row.post_currency,
        made_on=day(row.journal_date),
        notation=row.invoice_notation,
    )


def document_of(row: InvoiceRow) -> Document:
    """A row of ArInvoice with its movements.

    Raises:
        ValueError: a number or date in it is none.
    """
    return Document(
        customer=row.customer,
        invoice=row.invoice,
        document_type=row.document_type,
        value=number(row.currency_value),
        currency=row.post_currency,
        order_number=row.customer_po_number,
        sales_order=row.sales_order,
        dated=day(row.invoice_date),
        branch=row.branch,
        terms=row.terms_code,
        movements=tuple(movement_of(each) for each in row.payments),
    )
