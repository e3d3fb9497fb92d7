"""A customer account as a web shop keeps it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from integration.canonical.party import PostalAddress

CustomerPart = Literal["name", "email", "phone", "billing", "shipping", "account"]
"""Members of an account that are written together; `name` is person and company."""


class ShopCustomer(Struct, frozen=True, kw_only=True):
    """A customer account of a shop; guests have none.

    Attributes:
        reference: the shop's own number of the account; empty for one that is to be made.
        email: the account's; shops take each address once.
        billing, shipping: as the account keeps them; without street lines when it keeps none.
        account: the ERP's code of the customer, where the shop keeps it (our own mark on the account).
        changed_at: aware, when the shop last changed the account; `None` when it does not tell.
    """

    reference: str
    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    billing: PostalAddress = PostalAddress()
    shipping: PostalAddress = PostalAddress()
    account: str = ""
    changed_at: datetime | None = None
