"""The generic JSON storefront: the smallest interface a shop can offer.

- ``GET /generic/orders?payment_reference=…`` answers ``{"orders": [order, …]}``, an empty list for none;
  without the parameter ``GET /generic/orders`` answers the newest 50.
- ``GET /generic/orders/{reference}`` answers one order, or 404.
- ``PUT /generic/orders/{reference}/status`` takes ``{"status": "…", "note": "…"}`` and answers the order;
  doing it twice changes nothing and leaves no second note.
- ``/generic/customers`` and ``/generic/customers/{reference}``: see :mod:`.generic_customers`.

An order holds ``reference, number, status, currency, total, placed_at, payment_reference, customer, billing,
shipping, lines, note``. Money is a string of major units with two decimals; ``placed_at`` is ISO 8601 with its
zone; a line has ``kind`` (stock, freight, charge), ``stock_code, description, quantity, unit_price, net, tax``.
Errors are ``{"error": {"code": "…", "message": "…"}}``. The bearer token goes into ``Authorization``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from integration.sandbox.ecommerce import generic_customers as customers
from integration.sandbox.ecommerce.address import Address
from integration.sandbox.ecommerce.config import ShopSandboxConfig
from integration.sandbox.ecommerce.store import VENDOR_TX_CODE, Line, Order, ShopStore
from integration.sandbox.ecommerce.wire import Answer, Request

PREFIX = "/generic"


class GenericStorefront:
    """Answers requests below ``/generic``; ``changed`` is told of every order it changed."""

    def __init__(self, config: ShopSandboxConfig, store: ShopStore, changed: Callable[[Order], None]) -> None:
        self.config = config
        self.store = store
        self.changed = changed

    def answer(self, request: Request) -> Answer:
        """Answer one request; every outcome is an answer."""
        if not hmac.compare_digest(request.bearer().encode(), self.config.bearer_token.encode()):
            return _error(401, "unauthorised", "The bearer token is missing or wrong.")
        match request.method, request.path.removeprefix(PREFIX).strip("/").split("/"):
            case "GET", ["orders"]:
                return self._list(request)
            case "GET", ["orders", reference]:
                order = self._order(reference)
                return Answer(200, _order(order)) if order else _no_order(reference)
            case "PUT", ["orders", reference, "status"]:
                order = self._order(reference)
                return self._set_status(order, request) if order else _no_order(reference)
            case "GET", ["customers"]:
                return customers.list_accounts(self.store.accounts, request)
            case "GET", ["customers", reference]:
                return customers.show_account(self.store.accounts, reference)
            case ("POST", ["customers"]) | ("PUT", ["customers", _]):
                reference = request.path.removeprefix(f"{PREFIX}/customers").strip("/")
                return customers.save_account(self.store.accounts, reference, request)
        return _error(404, "no_route", "There is no such address here.")

    def _list(self, request: Request) -> Answer:
        reference = request.query.get("payment_reference")
        newest = list(reversed(self.store.orders.values()))[:50]
        orders = newest if reference is None else self.store.find(reference)
        return Answer(200, {"orders": [_order(order) for order in orders]})

    def _order(self, reference: str) -> Order | None:
        return self.store.orders.get(int(reference)) if reference.isdecimal() else None

    def _set_status(self, order: Order, request: Request) -> Answer:
        try:
            members = request.json()
            changed = self.store.set_status(order, str(members.get("status", "")), "generic")
        except ValueError as error:
            return _error(422, "invalid", str(error))
        note = str(members.get("note", ""))
        if note and all(kept.text != note for kept in order.notes):
            self.store.add_note(order, note)
        if changed:
            self.changed(order)
        return Answer(200, _order(order))


def _order(order: Order) -> dict[str, object]:
    sale = order.sale
    customer = {
        "reference": str(sale.customer_id) if sale.customer_id else "",
        "first_name": sale.billing.first_name,
        "last_name": sale.billing.last_name,
        "company": sale.billing.company,
        "email": sale.billing.email,
        "phone": sale.billing.phone,
    }
    return {
        "reference": str(order.id),
        "number": order.number,
        "status": order.status,
        "currency": sale.currency,
        "total": f"{order.total:.2f}",
        "placed_at": order.created_at,
        "payment_reference": order.meta[VENDOR_TX_CODE],
        "customer": customer,
        "billing": _address(sale.billing),
        "shipping": _address(sale.shipping),
        "lines": [_line(line) for line in sale.lines],
        "note": sale.note,
    }


def _address(address: Address) -> dict[str, object]:
    return {
        "name": f"{address.first_name} {address.last_name}".strip(),
        "company": address.company,
        "lines": [line for line in (address.address_1, address.address_2) if line],
        "city": address.city,
        "region": address.state,
        "postcode": address.postcode,
        "country": address.country,
    }


def _line(line: Line) -> dict[str, object]:
    return {
        "kind": line.kind,
        "stock_code": line.stock_code,
        "description": line.description,
        "quantity": str(line.quantity),
        "unit_price": str((line.net / line.quantity).normalize() + 0 if line.net else line.net),
        "net": f"{line.net:.2f}",
        "tax": f"{line.tax:.2f}",
    }


def _no_order(reference: str) -> Answer:
    return _error(404, "no_order", f"There is no order {reference}.")


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})
