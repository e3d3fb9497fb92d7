"""Lists: filters that combine with AND, comma lists as IN, ``*`` as LIKE, keyed paging."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from integration.sandbox.syspro.harmony.answers import HarmonyError
from integration.sandbox.syspro.tables import Table

Row = TypeVar("Row")
MAX_LIMIT = 500
DEFAULT_LIMIT = 100


def _same(value: str) -> str:
    return value


class Listing(msgspec.Struct, Generic[Row], frozen=True):
    """What may be asked of one table.

    Attributes:
        columns: filter name to the row's value; filters named as an index of the table use it.
        stored: filter name to how a value looks as stored (padding); ``StartAt`` too.
        ranges: filter name to the column it bounds; names end in From or To.
        only: rows that belong to the list at all.
    """

    table: Table[Row]
    render: Callable[[Row], dict[str, object]]
    columns: Mapping[str, Callable[[Row], str]]
    stored: Mapping[str, Callable[[str], str]] = {}
    ranges: Mapping[str, Callable[[Row], str]] = {}
    only: Callable[[Row], bool] | None = None


class _Filter(Generic[Row]):
    """One element with the values it may have."""

    def __init__(self, name: str, text: str, listing: Listing[Row]) -> None:
        self.name = name
        self.column = listing.columns[name]
        stored = listing.stored.get(name, _same)
        values = [part.strip() for part in text.split(",") if part.strip()]
        self.exact = {stored(value) for value in values if "*" not in value}
        self.patterns = [_like(value) for value in values if "*" in value]

    def fits(self, row: Row) -> bool:
        value = self.column(row)
        return value in self.exact or any(pattern.fullmatch(value) for pattern in self.patterns)


def _like(value: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in value.split("*")), re.DOTALL)


def listed(listing: Listing[Row], query: list[tuple[str, str]]) -> dict[str, object]:
    """Answer one page.

    Raises:
        HarmonyError: ``UNKNOWN_ELEMENT`` for a filter the list does not have, ``BAD_TYPE`` for its Limit.
    """
    asked = {name: value for name, value in query if value.strip()}
    for name, _ in query:
        if name not in {"StartAt", "Limit"} and name not in listing.columns and name not in listing.ranges:
            raise HarmonyError("UNKNOWN_ELEMENT", f"{name} is not a filter of this list")
    limit = _limit(asked.get("Limit", ""))
    start = listing.stored.get("StartAt", _same)(asked["StartAt"]) if "StartAt" in asked else ""
    filters = [_Filter(name, value, listing) for name, value in asked.items() if name in listing.columns]
    bounds = {name: value for name, value in asked.items() if name in listing.ranges}
    page: list[str] = []
    for key in _candidates(listing, filters, start):
        row = listing.table[key]
        if not _fits(listing, row, filters, bounds):
            continue
        if len(page) == limit:
            return _page(listing, page, page[-1])
        page.append(key)
    return _page(listing, page, None)


def _candidates(listing: Listing[Row], filters: list[_Filter[Row]], start: str) -> list[str]:
    table = listing.table
    usable = [one for one in filters if not one.patterns and table.has_index(one.name)]
    if not usable:
        return table.keys_after(start)
    # One web account may hold every payment there is: take the index that names the fewest rows.
    best = min(usable, key=lambda one: sum(table.count_by(one.name, value) for value in one.exact))
    keys = (key for value in best.exact for key in table.keys_by(best.name, value))
    return sorted({key for key in keys if key > start})


def _fits(listing: Listing[Row], row: Row, filters: list[_Filter[Row]], bounds: Mapping[str, str]) -> bool:
    if listing.only is not None and not listing.only(row):
        return False
    for name, bound in bounds.items():
        value = listing.ranges[name](row)
        if value < bound if name.endswith("From") else value > bound:
            return False
    return all(one.fits(row) for one in filters)


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT):
        raise HarmonyError("BAD_TYPE", f"Limit must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def _page(listing: Listing[Row], keys: list[str], following: str | None) -> dict[str, object]:
    items = [listing.render(listing.table[key]) for key in keys]
    return {"Items": items, "RowsReturned": len(items), "NextStartAt": following}
