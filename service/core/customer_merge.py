"""Two records of one customer compared: what differs, who wins each field and why, and what is to be written where.

Of each side the values are remembered that were there when both sides were last in step. A value that is still the
remembered one was not changed, whatever the other side made of it: so our own change is never taken for somebody
else's, and never sent back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from service.core.customer_fields import FIELDS, FieldName, Fields, Value, is_empty, same

Side = Literal["shop", "syspro"]
Owner = Literal["shop", "syspro", "newest", "person"]
SIDES: tuple[Side, ...] = ("shop", "syspro")

_NOTHING: Value = ("",)


class View(Struct, frozen=True, kw_only=True):
    """One side of a customer.

    Attributes:
        fields: as they are now.
        remembered: as they were when the field was last settled; a field that never was is missing.
        changed_at: when the side changed, as well as is known.
    """

    fields: Fields
    remembered: Fields = {}
    changed_at: datetime | None = None

    def changed(self, field: FieldName) -> bool:
        """Whether a field is another than the remembered one."""
        kept = self.remembered.get(field)
        return kept is None or not same(field, kept, self.fields.get(field, _NOTHING))


class Rules(Struct, frozen=True, kw_only=True):
    """Who decides.

    Attributes:
        owners: by field; the others take `otherwise`.
        decided: what a person said of a field; it goes before every rule.
    """

    owners: Mapping[FieldName, Owner] = {}
    otherwise: Owner = "newest"
    decided: Mapping[FieldName, Side] = {}

    def owner(self, field: FieldName) -> Owner:
        """Who owns a field."""
        return self.owners.get(field, self.otherwise)


class Difference(Struct, frozen=True, kw_only=True):
    """A field in which the sides differ.

    Attributes:
        winner: the side whose value counts; `None` when nothing is written.
        conflict: a person must decide.
    """

    field: FieldName
    shop: Value
    syspro: Value
    winner: Side | None
    why: str
    conflict: bool = False

    def of(self, side: Side) -> Value:
        """What a side has."""
        return self.shop if side == "shop" else self.syspro

    @property
    def value(self) -> Value:
        """What both sides will have."""
        taken = self.of(self.winner or "syspro")
        if self.field == "name" and self.winner == "syspro" and not taken[1]:
            # SYSPRO names nobody at the company, which is no reason to forget whom the shop knows there.
            return (taken[0], self.shop[1])
        return taken


def compare(shop: View, syspro: View, rules: Rules) -> tuple[Difference, ...]:
    """Every field in which the sides differ, with what is to be done about it."""
    found = [_difference(field, shop, syspro, rules) for field in FIELDS]
    return tuple(each for each in found if each is not None)


def writes(differences: Iterable[Difference], side: Side) -> dict[FieldName, Value]:
    """The values that a side is to be given."""
    return {
        each.field: each.value
        for each in differences
        if each.winner and not same(each.field, each.value, each.of(side))
    }


def conflicts(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences that a person must decide."""
    return tuple(each for each in differences if each.conflict)


def remember(before: Fields, now: Fields, left: Collection[FieldName]) -> dict[FieldName, Value]:
    """What to remember of a side: its values now, but of the fields that were left open what was before."""
    kept = {field: (before if field in left else now).get(field) for field in FIELDS}
    return {field: value for field, value in kept.items() if value is not None}


def _difference(field: FieldName, shop: View, syspro: View, rules: Rules) -> Difference | None:
    ours, theirs = shop.fields.get(field, _NOTHING), syspro.fields.get(field, _NOTHING)
    if same(field, ours, theirs) or (is_empty(ours) and is_empty(theirs)):
        return None
    winner, why = _winner(field, shop, syspro, rules)
    return Difference(
        field=field,
        shop=ours,
        syspro=theirs,
        winner=None if winner == "person" else winner,
        why=why,
        conflict=winner == "person",
    )


def _winner(
    field: FieldName, shop: View, syspro: View, rules: Rules
) -> tuple[Side | Literal["person"] | None, str]:
    if (decided := rules.decided.get(field)) is not None:
        return decided, "a person decided"
    # To delete a value for good it is deleted on both sides: a gap may be a slip, and is filled.
    if is_empty(shop.fields.get(field, _NOTHING)):
        return "syspro", "the shop has none"
    if is_empty(syspro.fields.get(field, _NOTHING)):
        return "shop", "SYSPRO has none"
    if field == "name" and (named := _only_one_names_a_person(shop.fields[field], syspro.fields[field])):
        return named, "the other side names nobody at the company"
    changed = [side for side, view in zip(SIDES, (shop, syspro), strict=True) if view.changed(field)]
    if not changed:
        return None, "neither side changed it: they cannot hold the same"
    return _owner_says(rules.owner(field), changed, shop, syspro)


def _only_one_names_a_person(ours: Value, theirs: Value) -> Side | None:
    if not same("name", ours[:1], theirs[:1]) or (ours[1] and theirs[1]):
        return None
    return "shop" if ours[1] else "syspro"


def _owner_says(
    owner: Owner, changed: list[Side], shop: View, syspro: View
) -> tuple[Side | Literal["person"], str]:
    if owner in SIDES:
        return owner, f"{'SYSPRO' if owner == 'syspro' else 'the shop'} owns it"
    if len(changed) == 1:
        return changed[0], "only this side changed it"
    if owner == "person":
        return "person", "both sides changed it, and a person decides"
    if shop.remembered and shop.changed_at and syspro.changed_at and shop.changed_at > syspro.changed_at:
        return "shop", "the shop changed it last"
    return "syspro", "SYSPRO changed it last, or nobody knows"
