"""What the service asks of a web shop besides orders: customer accounts, read and written.

Part of the port `Storefront` (`integration.ports`), under the same rules.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, Protocol

from integration.canonical.erp_records import Page
from integration.canonical.shop_customer import CustomerPart, ShopCustomer


class ShopCustomers(Protocol):
    """The customer accounts of one shop."""

    async def customers(
        self, *, after: str = "", limit: int = 100, changed_since: datetime | None = None
    ) -> Page[ShopCustomer]:
        """Accounts in the order in which they were made; with `changed_since`, those changed later or at no known time.

        `limit` is about how many are read in one call: a page may hold fewer and not be the last.
        """
        ...

    async def customer(self, reference: str) -> ShopCustomer | None:
        """An account by its number, or `None`."""
        ...

    async def customer_by_email(self, email: str) -> ShopCustomer | None:
        """The account of an e-mail address, in any case; or `None`."""
        ...

    async def save_customer(
        self, customer: ShopCustomer, action: Literal["add", "change"], only: Collection[CustomerPart] = ()
    ) -> ShopCustomer:
        """Make an account, or write some parts of one (all, when none are named); gives it back as kept now.

        A change may be made again after an unknown outcome; before an addition is, look with `customer_by_email`.

        Raises:
            AlreadyPosted: the shop has an account of this e-mail address already.
            NotFound: there is no account to change.
            Rejected: the shop does not take it.
        """
        ...
