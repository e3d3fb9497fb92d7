"""Rows of the company's books as the façade answers them, and what they become."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from integration.canonical.erp_records import (
    ArDocument,
    ArMovement,
    CashBookEntry,
    OrderLineState,
    OrderState,
)
from integration.syspro.currency import CurrencyCodes
from integration.syspro.found_money_out import LedgerEntry
from integration.syspro.harmony.schema import Key, MovementRow
from integration.syspro.harmony.values import amount, day, journal_key, number
from integration.syspro.ledger_rows import Movement
from integration.syspro.sent_values import signed
from integration.syspro.site import SiteConfig


class LineStateRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of SorDetail; `qty_invoiced` is the invoice register's, where the façade tells it."""

    sales_order_line: str = ""
    line_type: str = ""
    m_stock_code: str = ""
    m_stock_des: str = ""
    m_order_qty: str = ""
    m_ship_qty: str = ""
    m_back_order_qty: str = ""
    m_price: str = ""
    m_credit_order_no: str = ""
    m_credit_order_line: str = ""
    n_comment: str = ""
    n_msc_charge_value: str = ""
    qty_invoiced: str | None = None


class OrderStateRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of SorMaster, with its lines where it was asked for alone."""

    sales_order: str
    customer: str
    customer_po_number: str = ""
    document_type: str = ""
    order_status: str = ""
    cancelled_flag: str = ""
    currency: str = ""
    order_date: str = ""
    req_ship_date: str = ""
    last_invoice: str = ""
    date_last_inv_prt: str = ""
    lines: list[LineStateRow] = field(default=[], name="SalesOrderLine")


class ArRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of ArInvoice with its movements; `credited_invoice` is told of credit notes."""

    customer: str
    invoice: str
    document_type: str = ""
    invoice_date: str = ""
    sales_order: str = ""
    customer_po_number: str = ""
    branch: str = ""
    currency_value: str = ""
    post_currency: str = ""
    invoice_bal1: str = ""
    credited_invoice: str = ""
    payments: list[MovementRow] = []


class CashRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A transaction of the cash book."""

    bank: str
    cb_trn_year: str = ""
    cb_trn_month: str = ""
    cb_trn_date: str = ""
    cb_trn_time: str = ""
    journal: str = ""
    trn_type: str = ""
    trn_reference: str = ""
    trn_value: str = ""
    trn_date: str = ""
    narration: str = ""
    reconciled_flag: str = ""
    trn_source: str = ""


class BankRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A bank; its currency is blank for the company's own."""

    bank: str
    currency: str = ""


class LedgerLineRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of GenJournalDetail."""

    ledger_code: str
    entry_amount: str
    reference: str = ""
    entry_date: str = ""
    sub_mod_journal: str = ""


class LedgerJournalRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A GL journal with its lines."""

    key: Key
    journal_details: list[LedgerLineRow] = []


def order_state(row: OrderStateRow, codes: CurrencyCodes, site: SiteConfig) -> OrderState:
    """An order, with the lines that the row holds.

    Raises:
        ValueError: a number or date in it is none.
    """
    currency = codes.iso(row.currency)
    return OrderState(
        sales_order=row.sales_order,
        customer=row.customer,
        customer_po_number=row.customer_po_number,
        order_status=row.order_status,
        document_type=row.document_type,
        cancelled=row.cancelled_flag == "Y" or row.order_status in site.cancelled_statuses,
        currency=currency,
        order_date=day(row.order_date),
        requested_ship_date=day(row.req_ship_date),
        last_invoice=row.last_invoice,
        last_invoice_date=day(row.date_last_inv_prt),
        lines=tuple(_line(line, currency) for line in row.lines),
    )


def _line(row: LineStateRow, currency: str) -> OrderLineState:
    goods = bool(row.m_stock_code.strip())
    credited = int(row.m_credit_order_line.strip() or "0")
    return OrderLineState(
        sales_order_line=int(row.sales_order_line.strip() or "0"),
        line_type=row.line_type.strip(),
        stock_code=row.m_stock_code.strip(),
        description=(row.m_stock_des if goods else row.n_comment).strip(),
        order_qty=number(row.m_order_qty),
        ship_qty=number(row.m_ship_qty),
        back_order_qty=number(row.m_back_order_qty),
        invoiced_qty=None if row.qty_invoiced is None else number(row.qty_invoiced),
        price=number(row.m_price),
        charge_value=None if goods else amount(row.n_msc_charge_value, currency),
        credited_order=row.m_credit_order_no.strip() if credited else "",
        credited_line=credited or None,
    )


def ar_document(row: ArRow, codes: CurrencyCodes, site: SiteConfig) -> ArDocument:
    """An AR document with its movements.

    Raises:
        ValueError: a number or date in it is none.
    """
    currency = codes.iso(row.post_currency)
    return ArDocument(
        customer=row.customer,
        invoice=row.invoice,
        document_type=row.document_type,
        currency_value=amount(row.currency_value, currency),
        invoice_balance=amount(row.invoice_bal1, currency),
        invoice_date=day(row.invoice_date),
        sales_order=row.sales_order,
        customer_po_number=row.customer_po_number,
        branch=row.branch,
        credited_invoice=row.credited_invoice if row.document_type == "C" else "",
        is_unapplied_cash=row.invoice.startswith(site.unapplied_prefix),
        movements=tuple(
            ArMovement(
                entry_number=each.entry_number,
                trn_type=each.trn_type,
                reference=each.reference,
                trn_value=amount(each.trn_value, codes.iso(each.post_currency)),
                journal_date=day(each.journal_date),
                journal=journal_key(each.trn_year, each.trn_month, each.journal),
            )
            for each in row.payments
        ),
    )


def adjustments_of(row: ArRow) -> list[Movement]:
    """The movements of type `A` on a document."""
    return [
        Movement(
            customer=row.customer,
            invoice=row.invoice,
            document_type=row.document_type,
            trn_type=each.trn_type,
            journal=journal_key(each.trn_year, each.trn_month, each.journal),
            reference=each.reference,
            value=number(each.trn_value),
            discount=number(each.disc_value),
            currency=each.post_currency,
            made_on=day(each.journal_date),
            notation=each.invoice_notation,
        )
        for each in row.payments
        if each.trn_type == "A"
    ]


def cash_entry(row: CashRow, currency: str) -> CashBookEntry:
    """A transaction of the cash book, in the bank's currency.

    Raises:
        ValueError: its value or date is none.
    """
    value = amount(row.trn_value, currency)
    kind: Literal["D", "W"] = "W" if row.trn_type.strip() == "W" else "D"
    return CashBookEntry(
        bank=row.bank,
        deposit_or_withdrawal=kind,
        reference=row.trn_reference,
        value=value if value.minor >= 0 else -value,
        trn_date=day(row.trn_date),
        narration=row.narration,
        reconciled=row.reconciled_flag == "Y",
        trn_source=row.trn_source,
        key=f"{row.bank}/{journal_key(row.cb_trn_year, row.cb_trn_month, row.journal)}",
        cb_trn_date=row.cb_trn_date,
        cb_trn_time=row.cb_trn_time,
    )


def ledger_entries(row: LedgerJournalRow, site: SiteConfig, currency: str) -> list[LedgerEntry]:
    """The entries of a journal that another module made; of others there are none."""
    return [
        LedgerEntry(
            reference=line.reference,
            ledger_code=line.ledger_code,
            amount=signed(amount(line.entry_amount, currency), site),
            journal=journal_key(row.key.gl_year, row.key.gl_period, line.sub_mod_journal),
            entered_on=day(line.entry_date),
        )
        for line in row.journal_details
        if line.sub_mod_journal.strip("0 ")
    ]
