"""The writes of the JSON face: each reads its envelope, runs its business object and words the outcome."""

from __future__ import annotations

from collections.abc import Callable

from integration.sandbox.syspro import order_actions, shapes
from integration.sandbox.syspro.asgi import Response
from integration.sandbox.syspro.cash_book import post_cash
from integration.sandbox.syspro.credit_notes import post_credit_notes
from integration.sandbox.syspro.customers import add_customers, update_customer
from integration.sandbox.syspro.documents import SalesOrder
from integration.sandbox.syspro.harmony.answers import HarmonyError, outcome_response, status_of_items
from integration.sandbox.syspro.harmony.call import Call
from integration.sandbox.syspro.harmony.check import envelope, flat
from integration.sandbox.syspro.invoices import post_invoices
from integration.sandbox.syspro.journals import post_journals
from integration.sandbox.syspro.orders import import_orders
from integration.sandbox.syspro.payments import post_payments
from integration.sandbox.syspro.posting import Outcome, Posting
from integration.sandbox.syspro.shapes import Shape
from integration.sandbox.syspro.values import Document, displayed

Poster = Callable[[Posting, list[Document]], Outcome]
Action = Callable[[Posting, SalesOrder, Document], Outcome]


def _post(call: Call, shape: tuple[Shape, Shape], poster: Poster, items_name: str = "Items") -> Response:
    parameters, items = envelope(call.request.body, items_name, *shape)
    return _answer(call, poster(call.posting(parameters), items))


def _answer(call: Call, outcome: Outcome) -> Response:
    for item in outcome.items:
        number = item.result.get("SalesOrder")
        if outcome.business_object == "SORTOI" and isinstance(number, str):
            item.result = _with_display(item.result, number, withheld=call.number_withheld)
    return outcome_response(outcome, status_of_items(outcome), call.correlation_id)


def _with_display(result: Document, number: str, *, withheld: bool) -> Document:
    others = {name: value for name, value in result.items() if name != "SalesOrder"}
    return others if withheld else {"SalesOrder": number, "SalesOrderDisplay": displayed(number), **others}


def sales_order(call: Call) -> Response:
    """Row 1: import sales orders."""
    return _post(call, (shapes.ORDER_PARAMETERS, shapes.ORDER), import_orders, "Orders")


def payment(call: Call) -> Response:
    """Row 8: AR payments, adjustments, miscellaneous receipts."""
    return _post(call, (shapes.PAYMENT_PARAMETERS, shapes.PAYMENT_ITEM), post_payments)


def invoice(call: Call) -> Response:
    """Row 10: AR invoices, debit and credit notes."""
    return _post(call, (shapes.INVOICE_PARAMETERS, shapes.INVOICE_ITEM), post_invoices)


def journal(call: Call) -> Response:
    """Row 13: general journals."""
    return _post(call, (shapes.JOURNAL_PARAMETERS, shapes.JOURNAL_ITEM), post_journals)


def credit_note(call: Call) -> Response:
    """Row 11: credit-note orders from invoices."""
    return _post(call, (shapes.INVOICE_PARAMETERS, shapes.CREDIT_NOTE_ITEM), post_credit_notes)


def cash_transaction(call: Call) -> Response:
    """Row 19: cash-book deposits and withdrawals."""
    return _post(call, (shapes.CASH_PARAMETERS, shapes.CASH_ITEM), post_cash)


def customer(call: Call) -> Response:
    """Row 17: add customers."""
    return _post(call, (shapes.CUSTOMER_PARAMETERS, shapes.CUSTOMER_ITEM), add_customers)


def customer_change(call: Call) -> Response:
    """Row 17: change one customer."""
    held = call.store.customers.get(call.store.customer_key(call.args[0]))
    if held is None:
        raise HarmonyError("NOT_FOUND", f"Customer '{call.args[0]}' not found")
    shape = (shapes.CUSTOMER_PARAMETERS, shapes.CUSTOMER_ITEM)
    parameters, items = envelope(call.request.body, "Items", *shape)
    outcome = update_customer(call.posting(parameters), held, _only(items))
    return _changed(_answer(call, outcome))


def order_change(call: Call) -> Response:
    """Row 2: change one sales order."""
    order = _order(call)
    shape = (shapes.ORDER_PARAMETERS, shapes.ORDER)
    parameters, orders = envelope(call.request.body, "Orders", *shape)
    return _changed(_answer(call, order_actions.change_order(call.posting(parameters), order, _only(orders))))


def order_cancel(call: Call) -> Response:
    """Row 3: cancel an order or a line."""
    return _act(call, shapes.CANCEL_ORDER, order_actions.cancel_order)


def order_status(call: Call) -> Response:
    """Row 4: move an order to another status."""
    return _act(call, shapes.ORDER_STATUS, order_actions.set_status)


def order_invoice(call: Call) -> Response:
    """Row 5: invoice an order that is ready."""
    return _act(call, shapes.INVOICE_ORDER, order_actions.invoice_order)


def _act(call: Call, shape: Shape, action: Action) -> Response:
    order = _order(call)
    document = flat(call.request.body, shape)
    parameters: Document = {"PostingPeriod": document.get("PostingPeriod", "")}
    outcome = action(call.posting(parameters), order, document)
    response = _answer(call, outcome)
    if outcome.posted:
        response.body = outcome.items[0].result
    return response


def _order(call: Call) -> SalesOrder:
    order = call.store.orders.get(call.store.order_key(call.args[0]))
    if order is None:
        raise HarmonyError("NOT_FOUND", f"Sales order '{call.args[0]}' not found")
    return order


def _only(items: list[Document]) -> Document:
    if len(items) != 1:
        raise HarmonyError("MALFORMED", "The document named in the path takes exactly one item")
    return items[0]


def _changed(response: Response) -> Response:
    if response.status == 201:
        response.status = 200
    return response
