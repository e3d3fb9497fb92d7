"""Sales orders and journals as SYSPRO stored them: members the façade does not tell are `None`.

Keys come back in the spelling we sent when they name the same record, so that padding is never a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from integration.canonical.documents import Receipt, SalesOrder, SalesOrderLine, Stored
from integration.canonical.journal import GlJournal, JournalEntry
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony.schema import JournalRow, OrderLineRow, OrderRow
from integration.syspro.harmony.translate import signed
from integration.syspro.harmony.values import amount, day, journal_key, number
from integration.syspro.keys import as_sent, bare

LineKind = Literal["stock", "freight", "charge", "comment"]
_LINE_TYPES: dict[str, LineKind] = {"1": "stock", "4": "freight", "5": "charge", "6": "comment", "7": "stock"}


def stored_order(row: OrderRow, wanted: SalesOrder, codes: CurrencyCodes) -> Stored:
    """A sales order found under our order number."""
    currency = codes.iso(row.currency)
    lines, comments = _lines(row.lines, wanted, currency)
    document = SalesOrder(
        customer_po_number=row.customer_po_number,
        customer=as_sent(row.customer, wanted.customer),
        lines=lines,
        order_date=day(row.order_date),
        requested_ship_date=day(row.req_ship_date),
        currency=currency if row.currency is not None else None,
        customer_name=row.customer_name,
        ship_address1=row.ship_address1,
        ship_address2=row.ship_address2,
        ship_address3=row.ship_address3,
        ship_address3_locality=row.ship_address3_locality,
        ship_address4=row.ship_address4,
        ship_address5=row.ship_address5,
        ship_postal_code=row.ship_postal_code,
        email=row.email,
        warehouse=None,
        branch=row.branch,
        salesperson=row.salesperson,
        area=row.area,
        special_instrs=row.special_instrs,
        invoice_terms=row.inv_terms_override,
        order_comments=comments,
    )
    receipt = Receipt(
        kind="sales_order",
        reference=row.customer_po_number,
        key=row.sales_order_display or bare(row.sales_order),
        details={"SalesOrder": row.sales_order, "OrderStatus": row.order_status},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _lines(
    rows: Sequence[OrderLineRow] | None, wanted: SalesOrder, currency: str
) -> tuple[tuple[SalesOrderLine, ...], tuple[str, ...] | None]:
    """Stored lines under our own line numbers, and the order's comments, which SYSPRO adds as lines at the end.

    Where the lines do not pair up with what was sent, they keep SYSPRO's numbers and the difference shows.
    """
    if rows is None:
        return (), None
    sent = sorted(wanted.lines, key=lambda line: line.customer_po_line)
    extra = rows[len(sent) :]
    if len(rows) < len(sent) or any(_kind(row, None) != "comment" for row in extra):
        return tuple(_line(row, None, currency) for row in rows), None
    paired = tuple(_line(row, line, currency) for row, line in zip(rows, sent, strict=False))
    return paired, tuple(row.n_comment.strip() for row in extra)


def _kind(row: OrderLineRow, sent: SalesOrderLine | None) -> LineKind:
    known = _LINE_TYPES.get(row.line_type.strip())
    if known is not None:
        return known
    if row.m_stock_code.strip():
        return "stock"
    if sent is not None and sent.kind != "stock":
        return sent.kind
    return "charge" if number(row.n_msc_charge_value) else "comment"


def _line(row: OrderLineRow, sent: SalesOrderLine | None, currency: str) -> SalesOrderLine:
    kind = _kind(row, sent)
    place = sent.customer_po_line if sent else int(row.sales_order_line.strip() or "0")
    if kind == "stock":
        return SalesOrderLine(
            kind=kind,
            customer_po_line=place,
            stock_code=row.m_stock_code.strip(),
            stock_description=row.m_stock_des.strip(),
            warehouse=row.m_warehouse.strip(),
            order_qty=number(row.m_order_qty),
            order_uom=row.m_order_uom.strip(),
            price=number(row.m_price),
            tax_code=row.m_tax_code,
            product_class=None,
            description=None,
        )
    untold = SalesOrderLine(
        kind=kind,
        customer_po_line=place,
        stock_code=None,
        stock_description=None,
        warehouse=None,
        order_uom=None,
        tax_code=None,
        product_class=row.n_msc_product_cls.strip() if kind == "charge" else None,
        description=row.n_comment.strip() if kind in ("comment", "charge") else None,
    )
    if kind == "comment":
        return untold
    return msgspec.structs.replace(untold, value=amount(row.n_msc_charge_value, currency))


def stored_journal(row: JournalRow, wanted: GlJournal, config: SysproConfig, local: str) -> Stored:
    """A GL journal found under our reference; amounts are in the company's local currency."""
    document = GlJournal(
        reference=row.reference,
        entries=tuple(
            JournalEntry(
                ledger_code=line.ledger_code,
                entry_amount=signed(amount(line.entry_amount, local), config),
                reference=line.reference,
                comment=line.comment,
            )
            for line in row.journal_details or ()
        ),
        journal_date=day(row.journal_date),
        posting_year=int(row.key.gl_year or 0) or None,
        posting_period=int(row.key.gl_period or 0) or None,
        notation=row.notation,
    )
    receipt = Receipt(
        kind="gl_journal",
        reference=wanted.reference,
        key=journal_key(row.key.gl_year, row.key.gl_period, row.key.gl_journal),
        details={"JnlStatus": row.jnl_status},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)
