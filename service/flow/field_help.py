"""What each field of a dead payment may be: where it goes in SYSPRO's documents, and what SYSPRO allows there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import cast

from msgspec import Struct

from service import resources
from service.core.field_dictionary import Field, FieldDictionary
from service.core.overrides import may_be_set
from service.core.repairs import is_repairable
from service.core.source_document import Json
from service.flow.amend import overrides_of, places_of, traced_of
from service.store.payments import Payment


class Feeds(Struct, frozen=True, kw_only=True):
    """A field of SYSPRO's that a value goes to, and what it may be.

    Attributes:
        length: most characters, or digits before the point.
        fault: what is wrong with the value that was made of it; empty when it fits.
    """

    document: str
    target: str
    description: str
    type: str
    length: int
    places: int
    choices: tuple[str, ...]
    required: bool
    fault: str


class FieldHelp(Struct, frozen=True, kw_only=True):
    """A field that can be corrected.

    Attributes:
        path: as a correction names it.
        keepable: whether a correction of it may be kept as a rule; nothing that says how much may.
        overridden: it was set for this payment, in place of what the mapping made.
    """

    path: str
    value: Json
    feeds: list[Feeds]
    keepable: bool
    overridden: bool = False


@cache
def dictionary_of(kind: str) -> FieldDictionary:
    """What SYSPRO allows in the fields of a kind of document."""
    return FieldDictionary.from_dict(resources.document(f"reference/syspro_{kind}.yaml"))


def fields_of(payment: Payment) -> list[FieldHelp]:
    """Every field of a payment that can be corrected, with what it may be."""
    places = places_of(payment)
    feeds: dict[str, list[Feeds]] = {}
    own: list[FieldHelp] = []
    for kind, field, known in _traced(payment):
        target = str(field["target"])
        fed = _feeds(
            kind, target, known, str(field.get("reason") or "") if field["outcome"] == "failed" else ""
        )
        for source in cast(list[str], field.get("sources") or []):
            feeds.setdefault(_source(source, target), []).append(fed)
        if may_be_set(target, known):
            path = f"mapped.{kind}.{target}"
            own.append(
                FieldHelp(
                    path=path,
                    value=field.get("value"),
                    feeds=[fed],
                    keepable=is_repairable(path),
                    overridden=target in overrides_of(payment).get(kind, {}),
                )
            )
    leaves = [("customer", places["customer"]), *_leaves("order", places["order"])]
    read = [
        FieldHelp(path=path, value=value, feeds=_of(path, feeds), keepable=is_repairable(path))
        for path, value in leaves
    ]
    return read + own


def _of(path: str, feeds: dict[str, list[Feeds]]) -> list[Feeds]:
    shaped = feeds.get("ship_to", []) if path.startswith("order.shipping.") else []
    return feeds.get(path, []) + shaped


def _traced(payment: Payment) -> Iterator[tuple[str, dict[str, Json], Field]]:
    for kind, fields in traced_of(payment).items():
        for field in fields:
            known = dictionary_of(kind).field(str(field["target"]))
            if known is not None:
                yield kind, field, known


def _source(source: str, target: str) -> str:
    """The place that a row read: of a repeated group, the item that the target stands for."""
    if source.startswith("ship_to."):
        return "ship_to"
    index = target.partition("[")[2].partition("]")[0]
    return source.replace("[]", f"[{index}]", 1) if index else source


def _feeds(kind: str, target: str, known: Field, fault: str) -> Feeds:
    return Feeds(
        document=kind,
        target=target,
        description=known.description,
        type=known.type,
        length=known.length,
        places=known.places,
        choices=known.choices,
        required=known.required,
        fault=fault,
    )


def _leaves(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(f"{path}.{name}", member)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    elif path != "order":
        yield path, value
