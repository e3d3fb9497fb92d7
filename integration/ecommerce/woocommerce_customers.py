"""Customer accounts over WooCommerce's REST API v3.

WooCommerce has no filter for customers by the time of their last change, so every page is read and what is older is
left out here. The ERP's code is kept as a meta datum of the account.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from integration.canonical.erp_records import Page
from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import CustomerPart, ShopCustomer
from integration.ecommerce.calls import Account, ShopApi
from integration.ecommerce.woocommerce_order import WooAddress, WooMeta, postal_address
from integration.errors import NotFound

API = "/wp-json/wc/v3"
ACCOUNT = "_syspro_customer"
"""The meta datum of a WooCommerce customer in which we keep the ERP's code."""

_MOST = 100
_EXISTS = frozenset(("registration-error-email-exists", "woocommerce_rest_customer_exists"))


class WooCustomer(Struct):
    """A customer, as far as we read it."""

    id: int
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    date_modified_gmt: datetime | None = None
    date_created_gmt: datetime | None = None
    billing: WooAddress = WooAddress()
    shipping: WooAddress = WooAddress()
    meta_data: list[WooMeta] = []

    def account(self) -> str:
        """The ERP's code that the account bears; empty when it bears none."""
        values = [each.value for each in self.meta_data if each.key == ACCOUNT]
        return values[-1] if values and isinstance(values[-1], str) else ""


class WooCommerceCustomers:
    """Reads and writes the accounts of one shop; the storefront is one of these."""

    _api: ShopApi

    async def customers(
        self, *, after: str = "", limit: int = 100, changed_since: datetime | None = None
    ) -> Page[ShopCustomer]:
        """Accounts by their numbers; `after` is the page to be read next, as text.

        Raises:
            Misconfigured, Rejected, Unreachable, Throttled: no answer, or no usable one.
        """
        size = max(1, min(limit, _MOST))
        page = int(after) if after.isdecimal() else 1
        found = await self._api.read(
            f"{API}/customers",
            list[WooCustomer],
            about="a page of customers",
            params={
                "orderby": "id",
                "order": "asc",
                "role": "all",
                "per_page": str(size),
                "page": str(page),
            },
        )
        read = [shop_customer(one) for one in found]
        kept = tuple(
            one for one in read if not changed_since or not one.changed_at or one.changed_at >= changed_since
        )
        return Page(items=kept, after=str(page + 1) if len(found) == size else None)

    async def customer(self, reference: str) -> ShopCustomer | None:
        """An account by its number, or `None`; errors as for `customers`."""
        path = f"{API}/customers/{quote(reference, safe='')}"
        try:
            return shop_customer(await self._api.read(path, WooCustomer, about=f"customer {reference}"))
        except NotFound:
            return None

    async def customer_by_email(self, email: str) -> ShopCustomer | None:
        """The account of an e-mail address, or `None`; errors as for `customers`."""
        found = await self._api.read(
            f"{API}/customers",
            list[WooCustomer],
            about="the customer of an e-mail address",
            params={"email": email, "role": "all"},
        )
        same = [one for one in found if one.email.casefold() == email.casefold()]
        return shop_customer(same[0]) if same else None

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
        account = Account(path=f"{API}/customers", reference=customer.reference, new=action == "add")
        answer = await self._api.write_account(account, _members(customer, only), _EXISTS)
        return shop_customer(answer.decode(WooCustomer))


def shop_customer(one: WooCustomer) -> ShopCustomer:
    """The canonical account."""
    changed = one.date_modified_gmt or one.date_created_gmt
    return ShopCustomer(
        reference=str(one.id),
        email=one.email or one.billing.email or "",
        first_name=one.first_name or one.billing.first_name,
        last_name=one.last_name or one.billing.last_name,
        company=one.billing.company,
        phone=one.billing.phone or "",
        billing=postal_address(one.billing),
        shipping=postal_address(one.shipping),
        account=one.account(),
        changed_at=changed.replace(tzinfo=UTC) if changed else None,
    )


def _members(customer: ShopCustomer, only: Collection[str]) -> dict[str, object]:
    names = {"first_name": customer.first_name, "last_name": customer.last_name}
    parts: dict[str, dict[str, str]] = {
        "name": {**names, "company": customer.company},
        "email": {"email": customer.email},
        "phone": {"phone": customer.phone},
        "billing": _address(customer.billing),
    }
    wanted = [part for part in parts if not only or part in only]
    billing = {name: value for part in wanted for name, value in parts[part].items()}
    members: dict[str, object] = {"billing": billing} if billing else {}
    if "email" in wanted:
        members["email"] = customer.email
    if "name" in wanted:
        members |= names
    if (not only or "shipping" in only) and customer.shipping.lines:
        members["shipping"] = _delivery(customer, names)
    if (not only or "account" in only) and customer.account:
        members["meta_data"] = [{"key": ACCOUNT, "value": customer.account}]
    return members


def _delivery(customer: ShopCustomer, names: dict[str, str]) -> dict[str, str]:
    first, _, last = customer.shipping.name.rpartition(" ")
    named = {"first_name": first, "last_name": last} if customer.shipping.name else names
    return {**named, "company": customer.shipping.company, **_address(customer.shipping)}


def _address(address: PostalAddress) -> dict[str, str]:
    first, second, *more = (*address.lines, "", "")
    # WooCommerce has two street lines and no locality: what is more goes on the second.
    rest = ", ".join(part for part in (second, *more, address.locality) if part)
    return {
        "address_1": first,
        "address_2": rest,
        "city": address.city,
        "state": address.region,
        "postcode": address.postcode,
        "country": address.country,
    }
