"""The fields of a customer that SYSPRO and the shop share, in one form that both sides can hold.

A value is a tuple of texts: two for a name (company or person, and the person at the company), seven for an address
(line 1, line 2, city, locality, line 4, country, postcode, as SYSPRO keeps them), one for all else. An address is one
value, and so is a name: halves of two make none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec import structs

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import CustomerPart, ShopCustomer
from service.core.addresses import SysproAddress, to_syspro
from service.core.card_data import mask
from service.core.code_page import transliterate

FieldName = Literal["name", "email", "phone", "sold_to", "ship_to"]
Value: TypeAlias = tuple[str, ...]
Fields: TypeAlias = Mapping[FieldName, Value]

FIELDS: tuple[FieldName, ...] = get_args(FieldName)
_SOLD_TO = (
    "sold_to_addr1", "sold_to_addr2", "sold_to_addr3", "sold_to_addr3_loc", "sold_to_addr4", "sold_to_addr5",
    "sold_postal_code",
)  # fmt: skip
_SHIP_TO = tuple(name.replace("sold_", "ship_") for name in _SOLD_TO)
_MEMBERS: Mapping[FieldName, tuple[str, ...]] = {
    "name": ("name", "contact"),
    "email": ("email",),
    "phone": ("telephone",),
    "sold_to": _SOLD_TO,
    "ship_to": _SHIP_TO,
}
_LENGTHS: Mapping[FieldName, int] = {"name": 50, "email": 255, "phone": 20}
_PARTS: Mapping[FieldName, CustomerPart] = {
    "name": "name",
    "email": "email",
    "phone": "phone",
    "sold_to": "billing",
    "ship_to": "shipping",
}
_COUNTRY = 5
_NOT_DIGITS = re.compile(r"[^0-9+]")


# --- reading --------------------------------------------------------------------------------------


def fields_of_shop(account: ShopCustomer) -> dict[FieldName, Value]:
    """An account's fields as SYSPRO would hold them: in its letters, cut to its widths."""
    person = _words(f"{account.first_name} {account.last_name}")
    company = _words(account.company)
    return {
        "name": (_text("name", company or person), _text("name", person if company else "")),
        "email": (_text("email", account.email),),
        "phone": (_text("phone", account.phone),),
        "sold_to": _place(account.billing),
        "ship_to": _place(account.shipping),
    }


def fields_of_erp(record: CustomerRecord) -> dict[FieldName, Value]:
    """A SYSPRO customer's fields; what was not told is empty."""
    found: dict[FieldName, Value] = {}
    for field, members in _MEMBERS.items():
        values = tuple(mask(_words(transliterate(getattr(record, member) or ""))) for member in members)
        found[field] = (values[0].lower(),) if field == "email" else values
    return found


def _text(field: FieldName, text: str) -> str:
    # Whatever somebody typed into a name, a card number is not kept.
    kept = mask(_words(transliterate(text)))[: _LENGTHS[field]].strip()
    return kept.lower() if field == "email" else kept


def _place(address: PostalAddress) -> Value:
    if not (address.lines or address.city or address.postcode):
        return ("",) * len(_SOLD_TO)
    shaped = to_syspro(address)
    lines = (shaped.line1, shaped.line2, shaped.line3, shaped.locality, shaped.line4, shaped.line5)
    return tuple(mask(line) for line in (*lines, shaped.postcode))


def _words(text: str) -> str:
    return " ".join(text.split())


# --- comparing ------------------------------------------------------------------------------------


def is_empty(value: Value) -> bool:
    """Whether there is nothing in a value; of an address, nothing but its country."""
    return not any(part for place, part in enumerate(value) if place != _COUNTRY)


def comparable(field: FieldName, value: Value) -> Value:
    """The form in which values are compared: without case, a telephone number by its digits."""
    if field == "phone":
        return tuple(_NOT_DIGITS.sub("", part) for part in value)
    return tuple(" ".join(part.casefold().split()) for part in value)


def same(field: FieldName, one: Value, other: Value) -> bool:
    """Whether two values say the same."""
    return comparable(field, one) == comparable(field, other)


def digest(fields: Fields) -> str:
    """A hash of fields as they are compared: equal for what says the same."""
    parts = [list(comparable(field, fields.get(field, ("",)))) for field in FIELDS]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def shown(value: Value) -> str:
    """A value as one line for people."""
    return ", ".join(part for part in value if part)


# --- writing --------------------------------------------------------------------------------------


def erp_change(customer: str, values: Fields) -> CustomerRecord:
    """The change of a SYSPRO customer that gives some fields these values, and leaves alone all others."""
    members = {
        member: part
        for field, value in values.items()
        for member, part in zip(_MEMBERS[field], value, strict=True)
    }
    return structs.replace(CustomerRecord(customer=customer), **members)


def shop_change(current: ShopCustomer, values: Fields) -> tuple[ShopCustomer, frozenset[CustomerPart]]:
    """An account with some fields given these values, and the parts of it that are to be written."""
    changed = current
    if "name" in values:
        changed = _named(changed, *values["name"])
    if "email" in values:
        changed = structs.replace(changed, email=values["email"][0])
    if "phone" in values:
        changed = structs.replace(changed, phone=values["phone"][0])
    if "sold_to" in values:
        changed = structs.replace(changed, billing=_postal(values["sold_to"], current.billing))
    if "ship_to" in values:
        changed = structs.replace(changed, shipping=_postal(values["ship_to"], current.shipping))
    return changed, frozenset(_PARTS[field] for field in values)


def _named(account: ShopCustomer, name: str, contact: str) -> ShopCustomer:
    company, person = (name, contact) if contact else ("", name)
    if not contact and account.company:
        company, person = name, ""  # a company that names nobody
    first, _, last = person.rpartition(" ")
    return structs.replace(account, company=company, first_name=first, last_name=last)


def _postal(value: Value, current: PostalAddress) -> PostalAddress:
    line1, line2, city, locality, region, country, postcode = value
    shaped = SysproAddress(
        line1=line1, line2=line2, line3=city, locality=locality, line4=region, postcode=postcode
    )
    # Shops take ISO codes; a country that a clerk wrote out stays what it is in the shop.
    iso = country.upper() if len(country) == 2 and country.isalpha() else current.country
    return structs.replace(shaped.postal(), name=current.name, company=current.company, country=iso)
