"""Customers over the generic storefront: listed from a time, read, made, changed."""

from __future__ import annotations

import datetime as dt

import msgspec

from integration.sandbox.ecommerce.address import Address
from integration.sandbox.ecommerce.customers import Account, Accounts, EmailTaken, NewAccount
from integration.sandbox.ecommerce.wire import Answer, Request

_ACCOUNT = "account"


def list_accounts(accounts: Accounts, request: Request) -> Answer:
    """``GET /generic/customers``."""
    query = request.query
    found = sorted(accounts.by_id.values(), key=lambda each: each.id)
    if email := query.get("email", ""):
        found = [each for each in found if each.email.casefold() == email.casefold()]
    if since := query.get("changed_since", ""):
        found = [each for each in found if each.modified_at >= dt.datetime.fromisoformat(since)]
    found = [each for each in found if each.id > int(query.get("after") or 0)]
    limit = int(query.get("limit") or 100)
    after = str(found[limit - 1].id) if len(found) > limit else ""
    return Answer(200, {"customers": [generic_customer(each) for each in found[:limit]], "after": after})


def show_account(accounts: Accounts, number: str) -> Answer:
    """``GET /generic/customers/{reference}``."""
    account = _account(accounts, number)
    return Answer(200, generic_customer(account)) if account else _error(404, "no_customer", "No such one.")


def save_account(accounts: Accounts, number: str, request: Request) -> Answer:
    """``POST /generic/customers`` (no number) and ``PUT /generic/customers/{reference}``."""
    members = request.json()
    try:
        account = _account(accounts, number) if number else accounts.create(NewAccount(str(members["email"])))
        if account is None:
            return _error(404, "no_customer", "No such one.")
        account.writes += 1
        accounts.change(account, _changes(account, members))
    except EmailTaken:
        return _error(409, "exists", "The e-mail address is taken.")
    except (KeyError, ValueError, msgspec.ValidationError) as error:
        return _error(422, "invalid", str(error))
    return Answer(200 if number else 201, generic_customer(account))


def generic_customer(account: Account) -> dict[str, object]:
    """Render one account."""
    return {
        "reference": str(account.id),
        "email": account.email,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "company": account.billing.company,
        "phone": account.billing.phone,
        "billing": _address(account.billing),
        "shipping": _address(account.shipping),
        "account": account.meta.get(_ACCOUNT, ""),
        "changed_at": account.modified_at,
    }


def _changes(account: Account, members: dict[str, object]) -> dict[str, object]:
    billing: dict[str, object] = {
        name: members[name] for name in ("first_name", "last_name", "company", "phone") if name in members
    }
    wanted: dict[str, object] = {**members, "meta": {}}
    if isinstance(told := members.get("billing"), dict):
        billing |= _wire_address(told)
    if isinstance(told := members.get("shipping"), dict):
        wanted["shipping"] = _wire_address(told)
    if members.get("account"):
        wanted["meta"] = {_ACCOUNT: str(members["account"])}
    wanted["billing"] = billing
    return wanted


def _wire_address(told: dict[str, object]) -> dict[str, object]:
    lines = told.get("lines")
    first, second = [*(lines if isinstance(lines, list) else []), "", ""][:2]
    same: dict[str, object] = {name: told[name] for name in ("city", "postcode", "country") if name in told}
    return {"address_1": first, "address_2": second, "state": told.get("region", ""), **same}


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


def _account(accounts: Accounts, number: str) -> Account | None:
    return accounts.by_id.get(int(number)) if number.isdecimal() else None


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})
