"""Sales orders and journals as SYSPRO stored them: members the façade does not tell are `None`.

Keys come back in the spelling we sent when they name the same record, so that padding is never a finding.
"""

from __future__ import annotations

from collections.abc import Sequence

from integration.canonical.documents import Receipt, SalesOrder, SalesOrderLine, Stored
from integration.canonical.journal import GlJournal, JournalEntry
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony.schema import JournalRow, OrderLineRow, OrderRow
from integration.syspro.harmony.values import amount, day, journal_key, number
from integration.syspro.keys import as_sent, bare
from integration.syspro.order_lines import LineReading, StoredLine, lines_as_sent
from integration.syspro.sent_values import signed
from integration.syspro.site import SiteConfig


def stored_order(row: OrderRow, wanted: SalesOrder, codes: CurrencyCodes, site: SiteConfig) -> Stored:
    """A sales order found under our order number."""
    currency = codes.iso(row.currency)
    lines, comments = _lines(row.lines, wanted, LineReading(currency=currency, kinds=site.kinds_of_lines))
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
    rows: Sequence[OrderLineRow] | None, wanted: SalesOrder, reading: LineReading
) -> tuple[tuple[SalesOrderLine, ...], tuple[str, ...] | None]:
    """The lines as we sent them, and comments; none of either when the answer does not tell lines."""
    return (
        lines_as_sent([_line(row) for row in rows], wanted.lines, reading) if rows is not None else ((), None)
    )


def _line(row: OrderLineRow) -> StoredLine:
    return StoredLine(
        number=int(row.sales_order_line.strip() or "0"),
        line_type=row.line_type.strip(),
        stock_code=row.m_stock_code.strip(),
        stock_description=row.m_stock_des.strip(),
        warehouse=row.m_warehouse.strip(),
        order_qty=number(row.m_order_qty),
        order_uom=row.m_order_uom.strip(),
        price=number(row.m_price),
        tax_code=row.m_tax_code,
        comment=row.n_comment.strip(),
        charge=number(row.n_msc_charge_value),
        charge_class=row.n_msc_product_cls.strip(),
    )


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
