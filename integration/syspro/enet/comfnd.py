"""COMFND, SYSPRO's search of any table: what is asked, cut to the length of a query string, and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from urllib.parse import quote

from lxml import etree
from msgspec import Struct, structs

from integration.syspro.enet.building import Part, Parts, filled, xml
from integration.syspro.enet.parsing import content, count, every, is_named, local_name, text_of

Condition = Literal["EQ", "NE", "GT", "GE", "LT", "LE", "LIKE"]
Term = tuple[str, Condition, str]
"""Column, condition, value."""

# Token, path and the rest of the request line.
_OVERHEAD = 400


class Find(Struct, frozen=True, kw_only=True):
    """A search of a table.

    Attributes:
        where: groups, any of which will do; all terms of a group must hold.
        limit: rows at most; `None` is all.
        order_by: columns to sort by, upwards; none leaves it to SYSPRO.
    """

    table: str
    columns: tuple[str, ...]
    where: tuple[tuple[Term, ...], ...] = ()
    limit: int | None = None
    order_by: tuple[str, ...] = ()

    def xml(self) -> str:
        """The document for `XmlIn`: one `Where` with all expressions, for sources disagree on several."""
        expressions = [part for n, group in enumerate(self.where) for part in _group(group, n > 0)]
        return xml("Query", self._parts(expressions))

    def _parts(self, expressions: Parts) -> Parts:
        return filled(
            [
                ("TableName", self.table),
                ("ReturnRows", str(self.limit) if self.limit is not None else ""),
                ("AllColumns", "N"),
                ("Columns", [("Column", column) for column in self.columns]),
                ("Where", expressions),
                ("OrderBy", [("Column", column) for column in self.order_by]),
            ]
        )


class Row(Struct, frozen=True):
    """A row by column name, in any case."""

    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column.lower(), "")

    def told(self, column: str) -> str | None:
        """A column's value, or `None` when the answer does not hold the column."""
        return self.values.get(column.lower())


def any_of(column: str, values: Iterable[str]) -> tuple[tuple[Term, ...], ...]:
    """Groups for a column that equals any of some values; blank ones name nothing."""
    return tuple(((column, "EQ", value),) for value in dict.fromkeys(values) if value)


def _group(terms: Sequence[Term], follows: bool) -> Iterator[Part]:
    """The expressions of a group. Brackets stand only where they matter, since they are most of the length."""
    last = len(terms) - 1
    for n, (column, condition, value) in enumerate(terms):
        joint = ("And" if n else "Or") if n or follows else ""
        yield (
            "Expression",
            filled(
                [
                    ("AndOr", joint),
                    ("OpenBracket", "(" if last and n == 0 else ""),
                    ("Column", column),
                    ("Condition", condition),
                    ("Value", value),
                    ("CloseBracket", ")" if last and n == last else ""),
                ]
            ),
        )


def split(find: Find, room: int) -> Iterator[Find]:
    """The search in parts whose encoded documents fit the room, each group once."""
    if len(find.where) < 2:
        yield find
        return
    base = len(quote(structs.replace(find, where=()).xml(), safe="")) + _OVERHEAD
    batch: list[tuple[Term, ...]] = []
    used = base
    for group in find.where:
        size = len(quote(xml("Where", list(_group(group, True))), safe=""))
        if batch and used + size > room:
            yield structs.replace(find, where=tuple(batch))
            batch, used = [], base
        batch.append(group)
        used += size
    yield structs.replace(find, where=tuple(batch))


def rows_of(root: etree._Element, find: Find) -> list[Row]:
    """The rows of an answer.

    Raises:
        ValueError: it is another table's, or holds other than the number of rows it tells.
    """
    if not is_named(root, find.table.rstrip("+")):
        raise ValueError(f"the search of {find.table} was answered {local_name(root)}")
    rows = [
        Row({local_name(column).lower(): content(column) for column in row}) for row in every(root, "Row")
    ]
    told = text_of(root, "RowsReturned")
    if told and count(told) != len(rows):
        raise ValueError(f"the search of {find.table} tells of {told} rows and holds {len(rows)}")
    return rows
