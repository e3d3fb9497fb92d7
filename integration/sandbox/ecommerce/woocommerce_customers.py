"""Customers over WooCommerce's REST interface v3: listed, read, made, changed.

WooCommerce lists only the role ``customer`` unless told otherwise, and has no filter by time of change. All accounts
here have that role. A site that does not make passwords by itself would want one; this one makes them.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from integration.sandbox.ecommerce.customers import Account, Accounts, EmailTaken, NewAccount
from integration.sandbox.ecommerce.rendering import SHOP_ZONE, shipping_address
from integration.sandbox.ecommerce.wire import Answer, Request

_SORTS = frozenset(("id", "include", "name", "registered_date"))


def list_accounts(accounts: Accounts, request: Request, page: int, size: int) -> Answer:
    """``GET /customers``; the caller has checked page and size."""
    query = request.query
    if query.get("orderby", "name") not in _SORTS:
        return _error(400, "rest_invalid_param", "Invalid parameter(s): orderby")
    found = list(accounts.by_id.values())
    if email := query.get("email", ""):
        found = [each for each in found if each.email.casefold() == email.casefold()]
    found.sort(key=lambda each: (each.last_name, each.id) if "orderby" not in query else ("", each.id))
    if query.get("order", "asc") == "desc":
        found.reverse()
    pages = -(-len(found) // size)
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    shown = found[(page - 1) * size : page * size]
    return Answer(200, [woo_customer(each, request.base_url) for each in shown], headers)


def show_account(accounts: Accounts, number: str, request: Request) -> Answer:
    """``GET /customers/{id}``."""
    account = _account(accounts, number)
    return Answer(200, woo_customer(account, request.base_url)) if account else _unknown()


def add_account(accounts: Accounts, request: Request) -> Answer:
    """``POST /customers``."""
    members = request.json()
    if members.get("id"):
        return _error(400, "woocommerce_rest_customer_exists", "Cannot create existing resource.")
    if not members.get("email"):
        return _error(400, "rest_missing_callback_param", "Missing parameter(s): email")
    try:
        account = accounts.create(NewAccount(str(members["email"])))
    except EmailTaken:
        text = "An account is already registered with your email address. Please log in."
        return _error(400, "registration-error-email-exists", text)
    except ValueError:
        return _error(400, "registration-error-invalid-email", "Please provide a valid email address.")
    account.writes += 1
    accounts.change(account, _taken(members))
    return Answer(201, woo_customer(account, request.base_url))


def change_account(accounts: Accounts, number: str, request: Request) -> Answer:
    """``PUT /customers/{id}``: the members sent, addresses member by member."""
    account = _account(accounts, number)
    if account is None:
        return _unknown()
    account.writes += 1
    try:
        accounts.change(account, _taken(request.json()))
    except EmailTaken:
        return _error(400, "woocommerce_rest_invalid_email", "Email address is invalid.")
    except msgspec.ValidationError:
        return _error(400, "rest_invalid_param", "Invalid parameter(s)")
    return Answer(200, woo_customer(account, request.base_url))


def woo_customer(account: Account, base_url: str) -> dict[str, object]:
    """Render one account as ``GET /customers/{id}`` does."""
    return {
        "id": account.id,
        "date_created": _time(account.created_at, SHOP_ZONE),
        "date_created_gmt": _time(account.created_at, dt.UTC),
        "date_modified": _time(account.modified_at, SHOP_ZONE),
        "date_modified_gmt": _time(account.modified_at, dt.UTC),
        "email": account.email,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "role": "customer",
        "username": account.email.partition("@")[0],
        "billing": msgspec.to_builtins(account.billing),
        "shipping": shipping_address(account.shipping),
        "is_paying_customer": False,
        "avatar_url": "",
        "meta_data": [
            {"id": account.id * 100 + place, "key": key, "value": value}
            for place, (key, value) in enumerate(account.meta.items())
        ],
        "_links": {"self": [{"href": f"{base_url}/wp-json/wc/v3/customers/{account.id}"}]},
    }


def _taken(members: dict[str, object]) -> dict[str, object]:
    told = members.get("meta_data")
    entries = told if isinstance(told, list) else []
    meta = {str(each["key"]): str(each["value"]) for each in entries if isinstance(each, dict)}
    return {**members, "meta": meta}


def _account(accounts: Accounts, number: str) -> Account | None:
    return accounts.by_id.get(int(number)) if number.isdecimal() else None


def _unknown() -> Answer:
    return _error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message, "data": {"status": status}})


def _time(at: dt.datetime, zone: dt.tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
