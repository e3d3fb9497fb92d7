"""The control line of a file against its rows: they agree, or nothing of the file is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from integration.statements.layout import Footer, StatementLayout, plain
from integration.statements.recognise import Recognised
from integration.statements.refusal import LIMITS, FileRefused
from integration.statements.row import Cells, amount_of
from integration.statements.text import Line


class Totals(Struct, frozen=True, kw_only=True):
    """What the control line says, and what the rows come to, by amount, in major units.

    Attributes:
        state: `none` without a control line; `unproved` when a row's amount cannot be read, or the rows are in
            several currencies, so that the line proves nothing.
    """

    state: Literal["none", "agree", "unproved"]
    count: int | None = None
    told: dict[str, str] = {}
    found: dict[str, str] = {}


def is_footer(layout: StatementLayout, line: Line) -> bool:
    """Whether a line is the control line of a layout."""
    footer = layout.footer
    first = next((plain(cell) for cell in line.cells if cell), "")
    return footer is not None and any(first.startswith(plain(marker)) for marker in footer.marker)


def check(
    found: Recognised,
    rest: Sequence[Line],
    rows: Sequence[object],
    sums: Mapping[str, Mapping[str, Decimal] | None],
) -> Totals:
    """Hold the control line, the first of `rest`, against the rows.

    Raises:
        FileRefused: they do not agree, the line is missing or cannot be read, or there are more rows after it.
    """
    footer = found.layout.footer
    if footer is None or not rest:
        if footer is not None and footer.required:
            raise FileRefused(
                f"The file has no control line that begins with {footer.marker[0]}: it was cut off",
                code="file.truncated",
                hint="Fetch or export the file again.",
            )
        return Totals(state="none", found=_plain(sums))
    _nothing_after(found, rest)
    cells = Cells(found.layout, found.places, rest[0].cells, LIMITS.cell)
    count = _count(footer, found, cells)
    if count is not None and count != len(rows):
        raise _differ(f"The control line counts {count} rows, and there are {len(rows)}")
    told = {name: total for name in footer.totals if (total := _total(name, found, cells)) is not None}
    proved = [_agrees(name, value, sums[name]) for name, value in told.items()]
    state: Literal["agree", "unproved"] = "agree" if all(proved) else "unproved"
    return Totals(
        state=state,
        count=count,
        told={name: f"{value:f}" for name, value in told.items()},
        found=_plain(sums),
    )


def _nothing_after(found: Recognised, rest: Sequence[Line]) -> None:
    needed = [
        found.places[part]
        for part, _, required in found.layout.headers()
        if required and part in found.places
    ]
    for line in rest[1:]:
        filled = sum(1 for place in needed if place < len(line.cells) and line.cells[place])
        if filled > len(needed) / 2 and not is_footer(found.layout, line):
            raise FileRefused(
                f"Line {line.number} is a row after the control line",
                code="file.after-footer",
                hint="Two files may have been joined. Send them one by one.",
                evidence={"line": line.number},
            )


def _count(footer: Footer, found: Recognised, cells: Cells) -> int | None:
    if not footer.count:
        return None
    text = cells.cell(_part(found.layout, footer.count))
    if not text.isdigit():
        raise _unreadable(f"`{text[:20]}` is no number of rows")
    return int(text)


def _part(layout: StatementLayout, header: str) -> str:
    names = {plain(name): part for part, headers, _ in layout.headers() for name in headers}
    return names.get(plain(header), header)


def _total(name: str, found: Recognised, cells: Cells) -> Decimal | None:
    try:
        return amount_of(cells, name, found.layout.amounts[name], total=True)
    except ValueError as error:
        raise _unreadable(str(error)) from None


def _unreadable(why: str) -> FileRefused:
    return FileRefused(
        f"The control line cannot be read: {why}",
        code="file.totals-unreadable",
        hint="Fetch or export the file again.",
    )


def _agrees(name: str, told: Decimal, by_currency: Mapping[str, Decimal] | None) -> bool:
    """Whether it is proved that they agree; `False` where nothing can be proved."""
    if by_currency is None or len(by_currency) > 1:
        return False
    there = sum(by_currency.values(), Decimal(0))
    if there != told:
        raise _differ(f"The control line says {told:f} for {name}, and the rows come to {there:f}")
    return True


def _differ(title: str) -> FileRefused:
    return FileRefused(
        title,
        code="file.totals-differ",
        hint="Rows are missing, doubled or changed. Fetch the file again, or ask who made it.",
    )


def _plain(sums: Mapping[str, Mapping[str, Decimal] | None]) -> dict[str, str]:
    return {
        f"{name} {currency}": f"{value:f}"
        for name, by_currency in sums.items()
        for currency, value in (by_currency or {}).items()
    }
