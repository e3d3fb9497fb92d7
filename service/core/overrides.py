"""Values that a person or a repair set in a mapped document: they stay when the payment is mapped again."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from service.core.field_dictionary import Field
from service.core.mapped_document import FieldTrace, MappedDocument
from service.core.source_document import Json

_SET_TYPES = frozenset({"text", "date", "integer"})
# Money in words: which money it is, is the gateway's to say.
_NEVER = frozenset({"Currency"})


def may_be_set(target: str, field: Field | None) -> bool:
    """Whether a person may set a field of a mapped document; money, prices, quantities and currencies never."""
    if field is None or field.type not in _SET_TYPES:
        return False
    return target.rpartition(".")[2] not in _NEVER


def steps_of(path: str) -> tuple[str | int, ...]:
    """The members and places that a path names: `Lines[0].StockCode` is `Lines`, 0, `StockCode`."""
    found = re.findall(r"\[(\d{1,4})\]|([A-Za-z_]\w*)", path)
    return tuple(int(place) if place else name for place, name in found)


def value_at(document: Json | Mapping[str, Json], steps: tuple[str | int, ...]) -> Json:
    """What a document has where the steps lead, or `None`."""
    found: Json = dict(document) if isinstance(document, Mapping) else document
    for step in steps:
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


def put(document: Json, steps: tuple[str | int, ...], value: Json) -> Json:
    """A copy of a document with a value where the steps lead; nothing as the value takes a member out.

    Raises:
        LookupError: the way there does not exist; only the last member may be new.
    """
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(document, list) or step >= len(document):
            raise LookupError(f"there is no item {step}")
        items = list(document)
        items[step] = put(items[step], rest, value) if rest else value
        return items
    if not isinstance(document, dict) or (rest and step not in document):
        raise LookupError(f"there is no member `{step}`")
    members = dict(document)
    if rest:
        members[step] = put(members[step], rest, value)
    elif value is None:
        members.pop(step, None)
    else:
        members[step] = value
    return members


def rebuilt(fields: Mapping[str, Json]) -> dict[str, Json]:
    """A document from its fields by target path; those of a group become its items."""
    found: dict[str, Json] = {}
    for target, value in fields.items():
        if value is None:
            continue
        group, *rest = steps_of(target)
        if not rest:
            found[str(group)] = value
            continue
        items = found.setdefault(str(group), [])
        assert isinstance(items, list), "a group's name is no field of its own"
        place, member = int(rest[0]), str(rest[1])
        items.extend({} for _ in range(place + 1 - len(items)))
        item = items[place]
        assert isinstance(item, dict), "a group's items are objects"
        item[member] = value
    return found


def overridden(document: MappedDocument, given: Mapping[str, Json]) -> MappedDocument:
    """A mapped document with the values that were set in place of the mapping's; their problems are gone.

    A value whose place the document no longer has is left out: the order may have been read anew.
    """
    values: Json = document.values
    set_now: dict[str, Json] = {}
    for target, value in given.items():
        try:
            values = put(values, steps_of(target), value)
        except LookupError:
            continue
        set_now[target] = value
    assert isinstance(values, dict)
    return msgspec.structs.replace(
        document,
        values=values,
        problems=tuple(each for each in document.problems if each.target not in set_now),
        trace=tuple(_traced(each, set_now) for each in document.trace),
    )


def _traced(field: FieldTrace, given: Mapping[str, Json]) -> FieldTrace:
    if field.target not in given:
        return field
    return msgspec.structs.replace(
        field, outcome="mapped", value=given[field.target], reason="set for this payment"
    )
