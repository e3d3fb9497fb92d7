"""What a mapping reads: one payment with its order and pair as a JSON-like document, and the paths into it.

The document holds text, whole numbers, booleans, nothing, lists and objects. Dates and decimals are text; money
is `{"minor": 12995, "currency": "GBP"}`. A path names members with dots, all items of a list with `[]` and one
item with `[0]`: `order.lines[].stock_code`, `order.shipping.lines[0]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal, TypeAlias

import msgspec
from msgspec import inspect

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from integration.canonical.order import Order
from integration.canonical.payment import GatewayTransaction
from service.core.addresses import SysproAddress, to_syspro
from service.core.circumstances import Circumstances, Original, SubscriptionFacts
from service.core.gl_accounts import PURPOSES

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
Kind = Literal["text", "integer", "flag", "money"]

_STEP = r"[A-Za-z_]\w*(?:\[\d{0,4}\])?"
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP})*")


def payment_document(
    transaction: GatewayTransaction,
    order: Order | None,
    pair: Mapping[str, str],
    customer: str,
    circumstances: Circumstances | None = None,
) -> dict[str, Json]:
    """The source document of a payment.

    Args:
        transaction: as the gateway holds it now.
        order: the order it pays, or `None` for a payment without one; its shipping address comes also in the
            ERP's shape, as `ship_to`.
        pair: the defaults of the integration pair (warehouse, branch, bank, …).
        customer: the ERP's code of the customer that owes the money.
        circumstances: for a refund or chargeback what it is about, for a subscription its plan; and the ledger
            codes.
    """
    further = circumstances or Circumstances()
    parts = {
        "transaction": transaction,
        "order": order,
        "ship_to": None if order is None else to_syspro(order.shipping),
        "pair": pair,
        "customer": customer,
        "original": further.original,
        "chargeback": further.chargeback,
        "subscription": further.subscription,
        "accounts": further.accounts,
    }
    # Through JSON and back: what is mapped in a test run from the database is then the same document.
    document: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(parts))
    return document


def is_path(text: str) -> bool:
    """Whether the text has the form of a path."""
    return _PATH.fullmatch(text) is not None


def read(document: Json, path: str) -> Json:
    """What the document has at a path, or `None`; a path with `[]` gives a list, without the empty places."""
    return _walk(document, _steps(path))


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(re.split(r"\.|(?=\[)", path))


def _walk(value: Json, steps: tuple[str, ...]) -> Json:
    for index, step in enumerate(steps):
        if step[0] != "[":
            value = value.get(step) if isinstance(value, dict) else None
        elif step == "[]":
            items = value if isinstance(value, list) else []
            found = [_walk(item, steps[index + 1 :]) for item in items]
            return [item for item in found if item is not None]
        else:
            place = int(step[1:-1])
            value = value[place] if isinstance(value, list) and place < len(value) else None
    return value


@cache
def payment_paths() -> Mapping[str, Kind]:
    """Every path into a payment's source document with the kind of what is there, lists written `[]`.

    The pair's defaults are open: `pair.` and any name is a text.
    """
    found: dict[str, Kind] = {"customer": "text"}
    found.update({f"accounts.{purpose}": "text" for purpose in PURPOSES})
    for root, struct in (
        ("transaction", GatewayTransaction),
        ("order", Order),
        ("ship_to", SysproAddress),
        ("original", Original),
        ("chargeback", ChargebackNotice),
        ("subscription", SubscriptionFacts),
    ):
        found.update(_paths(root, inspect.type_info(struct)))
    return found


def _paths(path: str, info: inspect.Type) -> dict[str, Kind]:
    if isinstance(info, inspect.UnionType):
        return {name: kind for part in info.types for name, kind in _paths(path, part).items()}
    if isinstance(info, inspect.VarTupleType):
        return _paths(f"{path}[]", info.item_type)
    if isinstance(info, inspect.StructType):
        found: dict[str, Kind] = {path: "money"} if info.cls is Money else {}
        for field in info.fields:
            found.update(_paths(f"{path}.{field.encode_name}", field.type))
        return found
    if isinstance(info, inspect.NoneType):
        return {}
    return {path: "integer" if isinstance(info, inspect.IntType) else "text"}
