"""Transactions on a sales order that exists: SORTOS, SORTOX, SORTIC, each item naming its order."""

from __future__ import annotations

from collections.abc import Callable

from integration.sandbox.syspro import order_actions
from integration.sandbox.syspro.documents import SalesOrder
from integration.sandbox.syspro.findings import INVALID_CHOICE, Reader
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import Shape, shape
from integration.sandbox.syspro.values import Document

STATUS_PARAMETERS = shape("IgnoreWarnings ApplyIfEntireDocumentValid ValidateOnly")
STATUS_ITEM = shape(
    "SalesOrder:20 OrderStatus NewOrderStatus CreditAuthority:3 DeliveryNoteNumber:20"
    " DateDeliveryNotePrinted:date TimeDeliveryNotePrinted:8 InvoiceNumberEntered:20"
    " InvoiceDateEntered:date ChangeFwdOrderToSched"
)
CANCEL_ITEM = shape("SalesOrder:20 SalesOrderLine:4 MarkLineComplete CancelReasonCode:6")
INVOICE_PARAMETERS = shape(
    "InvoiceDate:date OrderType PostingPeriod IgnoreWarnings ApplyIfEntireDocumentValid ValidateOnly"
    " ValidateAllLines InvoiceOnlyIfMerchLines InvoiceChgWithoutMerchLine UpdateStatusWhenNoInvoice"
    " SendPaymentRequest"
)
INVOICE_ITEM = shape("SalesOrder:20 SalesOrderLineList:100 InvoiceDate:date OrderType")


def named_order(posting: Posting, item: Reader) -> SalesOrder | None:
    """The sales order an item names; the number may lack its leading zeros."""
    number = item.required("SalesOrder")
    order = posting.store.orders.get(posting.store.order_key(number)) if number else None
    if order is None and number:
        item.not_found("SalesOrder", "Sales order")
    return order


def _run(
    posting: Posting, known: tuple[str, Shape], act: Callable[[SalesOrder, Reader], Document],
    items: list[Document],
) -> Outcome:  # fmt: skip
    def post(item: Reader) -> Document:
        order = named_order(posting, item)
        return {} if order is None else act(order, item)

    return run(posting, Plan(known[0], known[1], post), items)


def set_statuses(posting: Posting, items: list[Document]) -> Outcome:
    """SORTOS: move orders to another status; a current status sent along must be the stored one."""

    def act(order: SalesOrder, item: Reader) -> Document:
        current = item.code("OrderStatus")
        if current and current != order.OrderStatus:
            text = f"Order status must be the current status '{order.OrderStatus}'"
            item.refuse("OrderStatus", INVALID_CHOICE, text)
            return {}
        return order_actions.status_item(posting, order, item)

    return _run(posting, ("SORTOS", STATUS_ITEM), act, items)


def cancel_orders(posting: Posting, items: list[Document]) -> Outcome:
    """SORTOX: cancel orders or lines of them."""

    def act(order: SalesOrder, item: Reader) -> Document:
        done = order_actions.cancel_item(posting, order, item)
        return {"OriginalOrderStatus": order.OrderStatus, **done} if done else {}

    return _run(posting, ("SORTOX", CANCEL_ITEM), act, items)


def invoice_orders(posting: Posting, items: list[Document]) -> Outcome:
    """SORTIC: invoice orders at status 8; date and order type are parameters of the whole document."""
    common: Document = {name: posting.parameters.text(name) for name in ("InvoiceDate", "OrderType")}

    def act(order: SalesOrder, item: Reader) -> Document:
        return order_actions.invoice_item(posting, order, item)

    return _run(posting, ("SORTIC", INVOICE_ITEM), act, [{**item, **common} for item in items])
