"""What happens to a sales order after its import: change, cancel, status, invoice (SORTOI C, SORTOX, SORTOS, SORTIC)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import OrderLine, SalesOrder
from integration.sandbox.syspro.findings import INVALID_CHOICE, NOT_FOUND, REFUSED, Reader
from integration.sandbox.syspro.order_lines import (
    LineMaker,
    LineOptions,
    move_stock,
    order_value,
    release_stock,
)
from integration.sandbox.syspro.orders import CANCELLED, SHIP_TO, sorted_lines
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.receivables import Receivable, raise_document
from integration.sandbox.syspro.shapes import CANCEL_ORDER, INVOICE_ORDER, ORDER, ORDER_STATUS
from integration.sandbox.syspro.values import Document, displayed, money, price, quantity

CLOSED_STATUSES = frozenset({"9", "*", CANCELLED})
_HEADER_CHANGES = {
    "CustomerName": "CustomerName", "Email": "Email", "ShippingInstrs": "ShippingInstrs",
    "SpecialInstrs": "SpecialInstrs", "NewCustomerPoNumber": "CustomerPoNumber",
    "RequestedShipDate": "ReqShipDate", "AlternateReference": "AlternateKey",
    **{name: name for name in SHIP_TO},
}  # fmt: skip


def change_order(posting: Posting, order: SalesOrder, document: Document) -> Outcome:
    """SORTOI with OrderActionType C: header elements sent replace those stored; lines by LineActionType."""
    options = LineOptions(posting)
    return run(
        posting, Plan("SORTOI", ORDER, lambda item: change_item(posting, order, options, item)), [document]
    )


def change_item(posting: Posting, order: SalesOrder, options: LineOptions, item: Reader) -> Document:
    """Change one order as an item of SORTOI asks; what it returns is SYSPRO's answer to the item."""
    header = item.child("OrderHeader")
    if header.choice("OrderActionType", "C", "C") and _refuse_closed(item, order):
        return {}
    values = {column: header.text(name) for name, column in _HEADER_CHANGES.items() if header.given(name)}
    changed = msgspec.structs.replace(
        order, **{name: "" if value == "{blank}" else value for name, value in values.items()}
    )
    first = 1 + max((int(line.SalesOrderLine) for line in order.lines), default=0)
    maker = LineMaker(posting.store, changed, options, first)
    lines = {line.SalesOrderLine: line for line in order.lines}
    for kind, line in sorted_lines(item.child("OrderDetails")):
        _change_line(maker, lines, kind, line)
    if not item.failed():
        changed = msgspec.structs.replace(changed, lines=tuple(lines.values()))
        posting.store.orders.put(order.SalesOrder, changed)
    return {
        "SalesOrder": order.SalesOrder, "CustomerPoNumber": changed.CustomerPoNumber,
        "OrderActionType": "C", "OrderStatus": changed.OrderStatus,
    }  # fmt: skip


def _change_line(maker: LineMaker, lines: dict[str, OrderLine], kind: str, line: Reader) -> None:
    action = line.choice("LineActionType", "A C D", "A")
    if action == "A":
        made = maker.make(kind, line)
        if made is not None:
            lines[made.SalesOrderLine] = made
        return
    number = displayed(line.text("CustomerPoLine"))
    held = lines.get(number)
    if held is None:
        line.refuse("CustomerPoLine", NOT_FOUND, f"Sales order line '{number}' not found")
        return
    release_stock(maker.store, held)
    if action == "D":
        del lines[number]
        return
    lines[number] = _changed(maker, held, line)


def _changed(maker: LineMaker, held: OrderLine, line: Reader) -> OrderLine:
    wanted = quantity(line.number("OrderQty", held.MOrderQty))
    item = maker.store.warehouse_items.get(f"{held.MStockCode}|{held.MWarehouse}")
    ship = wanted
    if held.allocates and item is not None:
        ship = max(min(wanted, item.QtyOnHand - item.QtyAllocated), Decimal("0.000000"))
        move_stock(maker.store, item, allocated=ship, back_order=wanted - ship)
    value = line.number("FreightValue", line.number("MiscChargeValue", held.NMscChargeValue))
    return msgspec.structs.replace(
        held, MOrderQty=wanted, MShipQty=ship, MBackOrderQty=wanted - ship,
        MPrice=price(line.number("Price", held.MPrice)), NMscChargeValue=money(value),
        NComment=line.text("Comment", held.NComment),
    )  # fmt: skip


def _refuse_closed(item: Reader, order: SalesOrder) -> bool:
    if order.OrderStatus in CLOSED_STATUSES:
        state = "complete" if order.OrderStatus == "9" else "cancelled"
        item.refuse("SalesOrder", REFUSED, f"Sales order '{displayed(order.SalesOrder)}' is already {state}")
    return item.failed()


def cancel_order(posting: Posting, order: SalesOrder, document: Document) -> Outcome:
    """SORTOX: cancel an order, or one of its lines."""
    return run(
        posting, Plan("SORTOX", CANCEL_ORDER, lambda item: cancel_item(posting, order, item)), [document]
    )


def cancel_item(posting: Posting, order: SalesOrder, item: Reader) -> Document:
    """SORTOX for one item: cancel an order, or one of its lines."""
    if _refuse_closed(item, order):
        return {}
    wanted = displayed(item.text("SalesOrderLine")) if item.text("SalesOrderLine") else ""
    leaving = [line for line in order.lines if not wanted or line.SalesOrderLine == wanted]
    if wanted and not leaving:
        item.not_found("SalesOrderLine", "Sales order line")
        return {}
    for line in leaving:
        release_stock(posting.store, line)
    gone = {line.SalesOrderLine for line in leaving}
    kept = tuple(line for line in order.lines if line.SalesOrderLine not in gone)
    changed = (
        msgspec.structs.replace(order, lines=kept)
        if wanted
        else msgspec.structs.replace(
            order, OrderStatus=CANCELLED, CancelledFlag="Y", lines=tuple(map(_emptied, order.lines))
        )
    )
    posting.store.orders.put(order.SalesOrder, changed)
    completed = item.choice("MarkLineComplete", "N Y", "N")
    return {
        "SalesOrder": order.SalesOrder, "SalesOrderLine": wanted,
        "Cancelled": "N" if completed == "Y" else "Y", "Completed": completed,
    }  # fmt: skip


def _emptied(line: OrderLine) -> OrderLine:
    none = Decimal("0.000000")
    return msgspec.structs.replace(line, MShipQty=none, MBackOrderQty=none, allocates=False)


def set_status(posting: Posting, order: SalesOrder, document: Document) -> Outcome:
    """SORTOS: move an order to another status; leaving suspense needs a CreditAuthority."""
    return run(
        posting, Plan("SORTOS", ORDER_STATUS, lambda item: status_item(posting, order, item)), [document]
    )


def status_item(posting: Posting, order: SalesOrder, item: Reader) -> Document:
    """SORTOS for one item: move an order to another status; leaving suspense needs a CreditAuthority."""
    new = item.required("NewOrderStatus")
    if item.failed() or _refuse_closed(item, order):
        return {}
    item.choice("NewOrderStatus", "1 2 3 4 8 9 S", "1")
    if order.OrderStatus == "S" and new != "S" and not item.text("CreditAuthority"):
        item.refuse("CreditAuthority", REFUSED, "Credit authority is required to release from suspense")
    if item.failed():
        return {}
    if new == "9":
        for line in order.lines:
            release_stock(posting.store, line)
    lines = tuple(map(_emptied, order.lines)) if new == "9" else order.lines
    posting.store.orders.put(order.SalesOrder, msgspec.structs.replace(order, OrderStatus=new, lines=lines))
    return {"SalesOrder": order.SalesOrder, "OrderStatus": order.OrderStatus, "NewOrderStatus": new}


def invoice_order(posting: Posting, order: SalesOrder, document: Document) -> Outcome:
    """SORTIC: invoice what was shipped of an order at status 8 and complete it."""
    return run(
        posting, Plan("SORTIC", INVOICE_ORDER, lambda item: invoice_item(posting, order, item)), [document]
    )


def invoice_item(posting: Posting, order: SalesOrder, item: Reader) -> Document:
    """SORTIC for one item: invoice what was shipped of an order at status 8 and complete it."""
    month = posting.month
    posting.check_period(month, item)
    if order.OrderStatus != "8":
        text = f"Status of sales order '{displayed(order.SalesOrder)}' must be 8, ready to invoice"
        item.refuse("SalesOrder", INVALID_CHOICE, text)
    kind = item.choice("OrderType", "I C", "I")
    date = item.date("InvoiceDate", posting.store.accounting_date().isoformat())
    net, tax = order_value(posting.store, order, shipped_only=True)
    if item.failed():
        return {}
    raised = raise_document(
        posting,
        Receivable(
            order.Customer, "C" if kind == "C" else "I", money(net + tax), tax, date, month,
            sales_order=order.SalesOrder, purchase_order=order.CustomerPoNumber, branch=order.Branch,
            terms=order.InvTermsOverride, reference=order.CustomerPoNumber,
            credited_invoice=order.credited_invoice,
        ),
    )  # fmt: skip
    for line in order.lines:
        _ship(posting, line, returned=kind == "C")
    done = msgspec.structs.replace(
        order,
        OrderStatus="9",
        LastInvoice=raised.invoice,
        DateLastInvPrt=date,
        lines=tuple(
            msgspec.structs.replace(line, allocates=False, invoiced=line.MShipQty) for line in order.lines
        ),
    )
    posting.store.orders.put(order.SalesOrder, done)
    year, period = month.split("-")
    return {
        "SalesOrder": order.SalesOrder, "InvoiceNumber": raised.invoice, "TrnYear": year,
        "TrnMonth": period, "Register": raised.register, "GlJournal": raised.gl_journal,
    }  # fmt: skip


def _ship(posting: Posting, line: OrderLine, *, returned: bool) -> None:
    """Take what a line invoices out of its warehouse; goods credited come back into it."""
    item = posting.store.warehouse_items.get(f"{line.MStockCode}|{line.MWarehouse}")
    release_stock(posting.store, line)
    if (line.allocates or returned) and item is not None:
        key = f"{item.StockCode}|{item.Warehouse}"
        held = posting.store.warehouse_items[key]
        moved = line.MShipQty if returned else -line.MShipQty
        changed = msgspec.structs.replace(held, QtyOnHand=held.QtyOnHand + moved)
        posting.store.warehouse_items.put(key, changed)
