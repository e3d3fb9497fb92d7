"""How a pair keeps its customers: the settings, the keys of new ones, and the document that a mapping reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

import msgspec
from msgspec import Struct

from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import ShopCustomer
from service.core.addresses import SysproAddress, to_syspro
from service.core.customer_fields import FieldName
from service.core.customer_match import Bars
from service.core.customer_merge import Owner
from service.core.source_document import Json, Kind

_MOST = 15
_TRIES = 20
GUEST = "guest:"
"""What stands before the e-mail address where an account's number would be."""


class NewKeys(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How keys of new SYSPRO customers are made of the shop's numbers.

    Attributes:
        policy: `alpha`: prefix and number; `numeric`: `first` and the number added, for sites with numeric keys.
        digits: the number is padded with zeros to so many digits; with numeric keys, as many as the site's have.
    """

    policy: Literal["alpha", "numeric"] = "alpha"
    prefix: str = "WEB"
    digits: int = 4
    first: int = 500_000


class CustomerSettings(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a pair keeps the customers of its shop and of SYSPRO in step. Nothing is done unless it is switched on.

    Attributes:
        sync: poll both sides and carry changes over.
        on_orders: the customer of an order is looked for by its link, e-mail address and name, not by its number.
        create_in_syspro, create_in_shop: whether a customer that is nobody's is set up on the other side.
        numbers_are_accounts: the shop's customer numbers are SYSPRO's codes.
        link_at, propose_at: from which score a customer is taken, and from which a person is asked.
        owners: by field, whose value counts: `shop`, `syspro`, `newest`, or `person` where both changed.
        owner: of the fields that `owners` does not name.
    """

    sync: bool = False
    on_orders: bool = False
    create_in_syspro: bool = False
    create_in_shop: bool = False
    numbers_are_accounts: bool = False
    link_at: int = 95
    propose_at: int = 70
    owner: Owner = "newest"
    owners: dict[FieldName, Owner] = {}
    # A factory: the OpenAPI generator hashes defaults.
    keys: NewKeys = msgspec.field(default_factory=NewKeys)

    @property
    def bars(self) -> Bars:
        """The scores at which something follows."""
        return Bars(link_at=self.link_at, propose_at=self.propose_at)


def new_keys(reference: str, keys: NewKeys) -> Iterator[str]:
    """Keys for a customer of the shop, in the order in which they are tried; the same for the same one for ever."""
    if keys.policy == "numeric":
        number = int(reference) if _is_number(reference) else int(_mark(reference), 16) % 100_000
        yield from (str(keys.first + number + step).zfill(keys.digits) for step in range(_TRIES))
        return
    room = _MOST - len(keys.prefix) - 1
    plain = reference.zfill(keys.digits) if _is_number(reference) else reference.upper()
    if not (plain.isascii() and plain.isalnum() and len(plain) <= room):
        plain = _mark(reference)[:room].upper()
    yield f"{keys.prefix}{plain}"
    yield from (f"{keys.prefix}{plain}{chr(ord('A') + step)}" for step in range(_TRIES - 1))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _MOST


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def guest_reference(email: str) -> str:
    """What stands for the number of an account where there is none: a guest is known by the e-mail address."""
    return f"{GUEST}{email.strip().casefold()}"


# --- what the mapping `customer` reads ------------------------------------------------------------


def customer_document(key: str, account: ShopCustomer, pair: Mapping[str, str]) -> dict[str, Json]:
    """The source document of a new SYSPRO customer."""
    person = f"{account.first_name} {account.last_name}".strip()
    parts = {
        "customer": key,
        "shop": {
            "reference": account.reference,
            "email": account.email,
            "phone": account.phone,
            "company": account.company,
            "person": person,
            "contact": person if account.company else "",
        },
        "sold_to": _shaped(account.billing),
        "ship_to": _shaped(account.shipping),
        "pair": dict(pair),
    }
    document: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(parts))
    return document


def _shaped(address: PostalAddress) -> SysproAddress:
    return to_syspro(address) if address.lines or address.city or address.postcode else SysproAddress()


@cache
def customer_paths() -> Mapping[str, Kind]:
    """Every path into that document; `pair.` and any name is a text."""
    place = [name for name in SysproAddress.__struct_fields__ if name != "notes"]
    paths = [f"shop.{name}" for name in ("reference", "email", "phone", "company", "person", "contact")]
    paths += [f"{root}.{name}" for root in ("sold_to", "ship_to") for name in place]
    return dict.fromkeys(("customer", *paths), "text")
