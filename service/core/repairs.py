"""Automatic repair: what may be changed on a payment that would become a dead letter, and what never may.

A repair is a proposal with before and after. It applies itself only where the pair allows that for its class, and
only when nothing is lost by it. Money is never repaired: `amended` refuses whatever would change an amount, a price,
a quantity or which currency it is in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from service.core.overrides import put, steps_of, value_at
from service.core.source_document import Json

RepairClass = Literal[
    "address", "reference", "customer-code", "currency-alias", "stock-code", "closed-period", "rule"
]
Mode = Literal["off", "propose", "apply"]
Places = Mapping[str, Json]

CLASSES: Mapping[RepairClass, str] = {
    "address": "over-long or ill-formed addresses and names",
    "reference": "over-long or ill-formed references",
    "customer-code": "padding and case of a customer's code",
    "currency-alias": "another spelling of the payment's own currency",
    "stock-code": "another spelling of a stock code",
    "closed-period": "a closed period: the next one that may be open",
    "rule": "a correction that a person kept as a rule",
}
"""Every class of repair, and what it puts right."""

# Anchored to what has no money in it; lines only by code and text.
_OF_THE_ORDER = re.compile(
    r"order\.(?:(?:customer|billing|shipping)\.[a-z_]+(?:\[\d{1,4}\])?"
    r"|lines\[\d{1,4}\]\.(?:stock_code|description)|number|note)"
)
_OF_A_DOCUMENT = re.compile(r"mapped\.[a-z_]+\.[A-Z]\w*(?:\[\d{1,4}\]\.[A-Z]\w*)?")
_AMOUNTS = frozenset({"quantity", "unit_price", "Price", "OrderQty", "kind", "Kind"})
_CURRENCIES = frozenset({"currency", "Currency"})

CURRENCY_ALIASES: Mapping[str, str] = {
    "£": "GBP", "UKP": "GBP", "STG": "GBP", "UK": "GBP", "POUND": "GBP", "POUNDS": "GBP", "STERLING": "GBP",
    "POUND STERLING": "GBP", "POUNDS STERLING": "GBP", "€": "EUR", "EURO": "EUR", "EUROS": "EUR",
    "US$": "USD", "US DOLLAR": "USD", "US DOLLARS": "USD",
}  # fmt: skip
"""Other spellings of currencies, in capitals; `$` alone is in none, since many countries' money is called so."""


class NotRepairable(ValueError):
    """A change that is refused: of money, of a path that may not be repaired, or of a value that is not there."""


class Change(Struct, frozen=True, kw_only=True):
    """One value and what it becomes.

    Attributes:
        path: `customer`, a path into the order (`order.lines[0].stock_code`), or a field of a mapped document
            (`mapped.sales_order.ShipAddress1`).
        before: what is there now; nothing when the field is empty.
    """

    path: str
    before: Json
    after: Json


class Proposal(Struct, frozen=True, kw_only=True):
    """A repair that could be made.

    Attributes:
        reason: one sentence for a person: what is wrong, and by what the new value was found.
        certain: nothing is lost or guessed, so that it may apply itself where the pair allows its class.
        from_start: the payment walks again from validation; else from the step that failed.
    """

    repair: RepairClass
    changes: tuple[Change, ...]
    reason: str
    certain: bool = True
    from_start: bool = True


def mode_of(settings: Mapping[RepairClass, Mode], repair: RepairClass) -> Mode:
    """What a pair lets a class do. A rule was made by a person, so it applies unless it is told otherwise."""
    return settings.get(repair, "apply" if repair == "rule" else "propose")


def is_repairable(path: str) -> bool:
    """Whether the service may change what is at a path by itself; nothing of the order's money is."""
    return path == "customer" or bool(_OF_THE_ORDER.fullmatch(path) or _OF_A_DOCUMENT.fullmatch(path))


def iso_currency(text: str) -> str:
    """The ISO 4217 code that a spelling of a currency means; the spelling in capitals when nobody knows it."""
    plain = " ".join(text.upper().split())
    return CURRENCY_ALIASES.get(plain, plain)


def amended(places: Places, changes: Sequence[Change]) -> dict[str, Json]:
    """The documents of a payment (`customer`, `order`, `mapped`) with changes made; the ones given stay as they are.

    Raises:
        NotRepairable: a path may not be repaired, a value is no longer what it was, or money would change.
    """
    found: Json = dict(places)
    for change in changes:
        if not is_repairable(change.path):
            raise NotRepairable(f"`{change.path}` is never repaired")
        steps = steps_of(change.path)
        if value_at(found, steps) != change.before:
            raise NotRepairable(f"`{change.path}` is no longer what the repair was made for")
        try:
            found = put(found, steps, change.after)
        except LookupError as error:
            raise NotRepairable(f"`{change.path}`: {error}") from error
    assert isinstance(found, dict)
    if money_of(found) != money_of(dict(places)):
        raise NotRepairable("money is never repaired")
    return found


def undone(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes that take changes back, the last first."""
    return tuple(
        Change(path=each.path, before=each.after, after=each.before) for each in reversed(tuple(changes))
    )


def money_of(value: Json, path: str = "") -> dict[str, Json]:
    """Everything that says how much and in which currency, by its path: amounts, prices, quantities."""
    found: dict[str, Json] = {}
    if isinstance(value, list):
        for index, item in enumerate(value):
            found |= money_of(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, member in value.items():
            here = f"{path}.{name}"
            if name == "minor" or name in _AMOUNTS:
                found[here] = member
            elif name in _CURRENCIES and isinstance(member, str):
                found[here] = iso_currency(member)
            else:
                found |= money_of(member, here)
    return found
