"""Customer accounts of a generic storefront: what a shop offers that wants its customers kept in step.

- `GET {base}/customers?changed_since=…&after=…&limit=…` answers `{"customers": [customer, …], "after": "…"}` in the
  order in which they were made; `after` is empty on the last page. `changed_since` is ISO 8601 with its zone.
- `GET {base}/customers?email=…` answers those of the address: one, or none.
- `GET {base}/customers/{reference}` answers one, or 404.
- `POST {base}/customers` makes one: 201 with it, or 409 with the code `exists` when the address is taken.
- `PUT {base}/customers/{reference}` changes the members sent and answers the whole account.

A customer has `reference`, `email`, `first_name`, `last_name`, `company`, `phone`, `billing`, `shipping`, `account`
(the ERP's code, kept for us) and `changed_at`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from integration.canonical.erp_records import Page
from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import CustomerPart, ShopCustomer
from integration.ecommerce.calls import Account, ShopApi
from integration.errors import NotFound

_EXISTS = frozenset(("exists",))
_PARTS: dict[CustomerPart, tuple[str, ...]] = {
    "name": ("first_name", "last_name", "company"),
    "email": ("email",),
    "phone": ("phone",),
    "billing": ("billing",),
    "shipping": ("shipping",),
    "account": ("account",),
}


class GenericAccount(Struct):
    """A customer account on the wire."""

    reference: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    billing: PostalAddress = PostalAddress()
    shipping: PostalAddress = PostalAddress()
    account: str = ""
    changed_at: datetime | None = None


class _Found(Struct):
    customers: list[GenericAccount]
    after: str = ""


class GenericCustomers:
    """Reads and writes the accounts of one shop; the storefront is one of these."""

    _api: ShopApi

    async def customers(
        self, *, after: str = "", limit: int = 100, changed_since: datetime | None = None
    ) -> Page[ShopCustomer]:
        """Accounts in the shop's order.

        Raises:
            Misconfigured, Rejected, Unreachable, Throttled: no answer, or no usable one.
        """
        since = changed_since.isoformat() if changed_since else ""
        asked = {"changed_since": since, "after": after, "limit": str(limit)}
        params = {name: value for name, value in asked.items() if value}
        found = await self._api.read("/customers", _Found, about="a page of customers", params=params)
        return Page(items=tuple(_canonical(one) for one in found.customers), after=found.after or None)

    async def customer(self, reference: str) -> ShopCustomer | None:
        """An account by its number, or `None`; errors as for `customers`."""
        path = f"/customers/{quote(reference, safe='')}"
        try:
            return _canonical(await self._api.read(path, GenericAccount, about=f"customer {reference}"))
        except NotFound:
            return None

    async def customer_by_email(self, email: str) -> ShopCustomer | None:
        """The account of an e-mail address, or `None`; errors as for `customers`."""
        found = await self._api.read(
            "/customers", _Found, about="the customer of an e-mail address", params={"email": email}
        )
        same = [one for one in found.customers if one.email.casefold() == email.casefold()]
        return _canonical(same[0]) if same else None

    async def save_customer(
        self, customer: ShopCustomer, action: Literal["add", "change"], only: Collection[CustomerPart] = ()
    ) -> ShopCustomer:
        """Make an account, or write some parts of one, and all when none are named.

        Raises:
            AlreadyPosted: the shop has an account of this e-mail address.
            NotFound: there is no account to change.
            OutcomeUnknown: sent, and the answer lost.
            Misconfigured, Rejected, Unreachable, Throttled: no answer, or no usable one.
        """
        whole = msgspec.to_builtins(customer)
        names = [name for part in (only or _PARTS) for name in _PARTS[part]]
        account = Account(path="/customers", reference=customer.reference, new=action == "add")
        answer = await self._api.write_account(account, {name: whole[name] for name in names}, _EXISTS)
        return _canonical(answer.decode(GenericAccount))


def _canonical(one: GenericAccount) -> ShopCustomer:
    changed = one.changed_at
    if changed is not None:
        changed = changed.astimezone(UTC) if changed.tzinfo else changed.replace(tzinfo=UTC)
    return msgspec.convert(
        {**msgspec.structs.asdict(one), "changed_at": changed}, ShopCustomer, from_attributes=True
    )
