"""A mapping as people write and keep it: a versioned table of rows, one per target field."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from service.core.field_functions import ArgumentValue


class UnreadableMapping(ValueError):
    """A mapping that does not have the form of one; the text says where."""


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one target field gets its value.

    Several rows may name the same target: the first whose condition holds fills it.

    Attributes:
        target: the field: `CustomerPoNumber`, `Lines[].StockCode` in a repeated group, `Unapplied[0].X` in the
            first item of a list that is not repeated.
        source: a path into the source document, or several for a function that takes a list; none for a constant.
            `position` is the place, from 1, of the item that a repeated group is at.
        transforms: field functions in order, by name, or by name with arguments: `{cut: {length: 30}}`.
        required: an empty result stops the document.
        when: a condition over paths written with `_` for `.`; in a repeated group its item is `item_…`.
        default: what an empty result becomes.
        comment: why the row is as it is, for the next person.
    """

    target: str
    source: str | list[str] = []
    transforms: list[str | dict[str, dict[str, ArgumentValue] | None]] = []
    required: bool = False
    when: str = ""
    default: str | int | None = None
    comment: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The source paths, none, one or several."""
        return (self.source,) if isinstance(self.source, str) else tuple(self.source)

    @property
    def group(self) -> str:
        """The repeated group the target is in, or nothing."""
        group, mark, _ = self.target.partition("[].")
        return group if mark else ""

    def steps(self) -> list[tuple[str, dict[str, ArgumentValue]]]:
        """The functions in order, each with the arguments that are given."""
        listed: list[tuple[str, dict[str, ArgumentValue]]] = []
        for entry in self.transforms:
            named = {entry: None} if isinstance(entry, str) else entry
            listed.extend((name, arguments or {}) for name, arguments in named.items())
        return listed


class MappingDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping from a source document to one kind of ERP document.

    Attributes:
        version: 1 and up; a published version never changes.
        target: the kind of document it fills (`sales_order`, `ar_payment`).
        repeats: for each repeated group of the target the list of the source that it follows:
            `{Lines: "order.lines[]"}`.
        tables: value tables for `lookup`, by name.
    """

    name: str
    version: int
    target: str
    rows: tuple[Row, ...]
    description: str = ""
    repeats: dict[str, str] = {}
    tables: dict[str, dict[str, str]] = {}

    @classmethod
    def from_dict(cls, data: object) -> MappingDocument:
        """Read a mapping from what YAML or JSON gave.

        Raises:
            UnreadableMapping: it has not the form of one.
        """
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise UnreadableMapping(f"this is no mapping: {error}") from error
