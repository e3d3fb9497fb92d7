"""WooCommerce's REST interface v3, as far as orders, their notes and customers go.

Over plain HTTP a real shop wants OAuth 1.0a; this stand-in takes HTTP Basic and the query-string form as
behind TLS. ``search`` looks where WooCommerce looks and, as a site does with one filter of its own, into the
vendor transaction code; ``number`` is the filter that order-number plug-ins add. ``dp`` is taken and ignored: money
has two decimals.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable
from typing import Any, NoReturn

from integration.sandbox.ecommerce import woocommerce_customers as customers
from integration.sandbox.ecommerce.config import ShopSandboxConfig
from integration.sandbox.ecommerce.rendering import woo_note, woo_order
from integration.sandbox.ecommerce.store import STATUSES, Order, ShopStore
from integration.sandbox.ecommerce.wire import Answer, Refused, Request

PREFIX = "/wp-json/wc/v3"
Changed = Callable[[Order], None]


class WooCommerce:
    """Answers requests below ``/wp-json/wc/v3``; ``changed`` is told of every order it changed."""

    def __init__(self, config: ShopSandboxConfig, store: ShopStore, changed: Changed) -> None:
        self.config = config
        self.store = store
        self.changed = changed

    def answer(self, request: Request) -> Answer:
        """Answer one request; every outcome is an answer."""
        try:
            self._authenticate(request)
            return self._route(request)
        except Refused as refused:
            return refused.answer
        except ValueError:
            return _error(400, "rest_invalid_json", "Invalid JSON body passed.")

    def _authenticate(self, request: Request) -> None:
        query = request.query
        key, secret = request.basic() or (query.get("consumer_key", ""), query.get("consumer_secret", ""))
        if not key:
            _refuse(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if not _same(key, self.config.consumer_key):
            _refuse(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
        if not _same(secret, self.config.consumer_secret):
            _refuse(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")

    def _route(self, request: Request) -> Answer:
        match request.path.removeprefix(PREFIX).strip("/").split("/"):
            case ["orders"] if request.method == "GET":
                return self._list(request)
            case ["orders", order_id] if request.method == "GET":
                return Answer(200, woo_order(self._order(order_id), request.base_url))
            case ["orders", order_id] if request.method in {"PUT", "POST", "PATCH"}:
                return self._update(self._order(order_id), request)
            case ["orders", order_id, "notes"] if request.method == "GET":
                return Answer(200, [woo_note(note) for note in reversed(self._order(order_id).notes)])
            case ["orders", order_id, "notes"] if request.method == "POST":
                return self._add_note(self._order(order_id), request)
            case ["orders", order_id, "notes", note_id] if request.method == "GET":
                return self._note(self._order(order_id), note_id)
            case ["customers", *rest]:
                return self._customers(rest, request)
        return _error(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _customers(self, rest: list[str], request: Request) -> Answer:
        match request.method, rest:
            case "GET", []:
                page, size = (
                    _whole(request.query, "page", 1, None),
                    _whole(request.query, "per_page", 10, 100),
                )
                return customers.list_accounts(self.store.accounts, request, page, size)
            case "POST", []:
                return customers.add_account(self.store.accounts, request)
            case "GET", [number]:
                return customers.show_account(self.store.accounts, number, request)
            case "PUT" | "POST" | "PATCH", [number]:
                return customers.change_account(self.store.accounts, number, request)
        return _error(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _list(self, request: Request) -> Answer:
        query = request.query
        page, size = _whole(query, "page", 1, None), _whole(query, "per_page", 10, 100)
        found = [order for order in self._wanted(query) if _matches(order, query)]
        found.sort(key=lambda order: order.id, reverse=query.get("order", "desc") != "asc")
        pages = -(-len(found) // size)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        links = [(page - 1, "prev")] * (1 < page <= pages + 1) + [(page + 1, "next")] * (page < pages)
        if links:
            url = f"{request.base_url}{PREFIX}/orders"
            headers["Link"] = ", ".join(
                f'<{url}?per_page={size}&page={number}>; rel="{name}"' for number, name in links
            )
        shown = found[(page - 1) * size : page * size]
        return Answer(200, [woo_order(order, request.base_url) for order in shown], headers)

    def _wanted(self, query: dict[str, str]) -> list[Order]:
        # Most searches are for a payment reference: the index spares them a walk over every order.
        exact = self.store.find(query.get("search", ""))
        return list(exact or self.store.orders.values())

    def _order(self, order_id: str) -> Order:
        order = self.store.orders.get(int(order_id)) if order_id.isdecimal() else None
        if order is None:
            _refuse(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return order

    def _update(self, order: Order, request: Request) -> Answer:
        members = request.json()
        status = members.get("status", order.status)
        if status not in STATUSES:
            _invalid("status", f"status is not one of {', '.join(sorted(STATUSES))}.")
        changed = self.store.set_status(order, status, "woocommerce")
        changed |= _take_members(order, members)
        if changed:
            order.modified_at = dt.datetime.now(dt.UTC)
            self.changed(order)
        return Answer(200, woo_order(order, request.base_url))

    def _add_note(self, order: Order, request: Request) -> Answer:
        members = request.json()
        text = members.get("note")
        if not isinstance(text, str) or not text:
            return _error(400, "rest_missing_callback_param", "Missing parameter(s): note", params=["note"])
        note = self.store.add_note(order, text, bool(members.get("customer_note", False)))
        return Answer(201, woo_note(note))

    def _note(self, order: Order, note_id: str) -> Answer:
        for note in order.notes:
            if str(note.id) == note_id:
                return Answer(200, woo_note(note))
        return _error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")


def _take_members(order: Order, members: dict[str, Any]) -> bool:
    before = (order.transaction_id, dict(order.meta))
    order.transaction_id = str(members.get("transaction_id", order.transaction_id))
    for entry in members.get("meta_data") or []:
        order.meta[str(entry["key"])] = str(entry["value"])
    return before != (order.transaction_id, order.meta)


def _matches(order: Order, query: dict[str, str]) -> bool:
    wanted = {name for name in query.get("status", "any").split(",") if name != "any"}
    if unknown := wanted - STATUSES:
        _invalid("status", f"status[0] is not one of any, {', '.join(sorted(STATUSES))}: {min(unknown)}.")
    if wanted and order.status not in wanted:
        return False
    if query.get("number", order.number) != order.number:
        return False
    if query.get("customer", str(order.sale.customer_id)) != str(order.sale.customer_id):
        return False
    text = query.get("search", "").casefold()
    return not text or any(text in field.casefold() for field in _searched(order))


def _searched(order: Order) -> list[str]:
    billing, shipping = order.sale.billing, order.sale.shipping
    names = [address.first_name + " " + address.last_name for address in (billing, shipping)]
    places = [f"{address.company} {address.address_1} {address.postcode}" for address in (billing, shipping)]
    items = [line.description for line in order.sale.lines]
    return [order.number, billing.email, order.transaction_id, *names, *places, *items, *order.meta.values()]


def _whole(query: dict[str, str], name: str, default: int, most: int | None) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        _invalid(name, f"{name} must be greater than or equal to 1")
    if most is not None and int(text) > most:
        _invalid(name, f"{name} must be between 1 (inclusive) and {most} (inclusive)")
    return int(text)


def _invalid(name: str, text: str) -> NoReturn:
    answer = _error(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: text})
    raise Refused(answer)


def _refuse(status: int, code: str, message: str) -> NoReturn:
    raise Refused(_error(status, code, message))


def _error(status: int, code: str, message: str, params: object = None) -> Answer:
    data: dict[str, object] = {"status": status}
    if params is not None:
        data["params"] = params
    return Answer(status, {"code": code, "message": message, "data": data})


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
