"""A file is opened, recognised and read: good rows, bad rows with their problems, and its control totals."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Literal

import msgspec
from msgspec import Struct

from integration.canonical.statement import Row
from integration.statements.kinds import READERS
from integration.statements.layout import Kind, StatementLayout
from integration.statements.recognise import Recognised, recognise, unknown
from integration.statements.refusal import LIMITS, FileRefused, Limits
from integration.statements.row import Cells, Problem
from integration.statements.text import DELIMITERS, Line, check_lines, decode, is_unfinished, lines_of
from integration.statements.totals import Totals, check, is_footer
from integration.statements.workbook import is_workbook, sheets_of

__all__ = ["BadRow", "GoodRow", "Opened", "Reading", "open_file", "read"]


class Opened(Struct, frozen=True):
    """A file whose bytes were understood.

    Attributes:
        text: everything that is written in it, for whoever must look for card numbers.
        sheets: the lines of each sheet of a workbook; none of a text file, whose delimiter is not known yet.
    """

    text: str
    sheets: tuple[list[Line], ...]
    form: Literal["csv", "xlsx"]


class GoodRow(Struct, frozen=True, kw_only=True):
    """A row that is taken.

    Attributes:
        line: its line in the file.
        row_hash: SHA-256 of what it says: the same in whichever file, encoding and order of columns it stands.
        marked: fields that a spreadsheet would take for a formula.
    """

    line: int
    row: Row
    row_hash: str
    marked: tuple[str, ...] = ()


class BadRow(Struct, frozen=True, kw_only=True):
    """A row that is not taken: its cells as they came, and what is wrong with them."""

    line: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


class Reading(Struct, frozen=True, kw_only=True):
    """What a file says."""

    layout: str
    kind: Kind
    header: tuple[str, ...]
    rows: tuple[GoodRow, ...]
    bad: tuple[BadRow, ...]
    totals: Totals


def open_file(content: bytes, limits: Limits = LIMITS) -> Opened:
    """Understand the bytes of a file.

    Raises:
        FileRefused: it is empty, too large, damaged, no table, or made to do harm.
    """
    if not content.strip():
        raise FileRefused("The file is empty", code="file.empty")
    if len(content) > limits.size:
        raise FileRefused(
            f"The file has more than {limits.size} bytes",
            code="file.too-large",
            hint="Split it into several files.",
        )
    if is_workbook(content):
        sheets = tuple(sheets_of(content, limits))
        text = "\n".join(cell for lines in sheets for line in lines for cell in line.cells if cell)
        return Opened(text, sheets, "xlsx")
    text = decode(content)
    if not text.strip():
        raise FileRefused("The file is empty", code="file.empty")
    check_lines(text, limits)
    return Opened(text, (), "csv")


def read(opened: Opened, layouts: Sequence[StatementLayout], limits: Limits = LIMITS) -> Reading:
    """Read a file by the layout that its columns have.

    Raises:
        FileRefused: no layout or several fit, it was cut off, or its control totals do not agree.
    """
    lines, found = _recognised(opened, layouts)
    header = lines[found.at].cells
    width = len(header)
    if len(header) > limits.columns:
        raise FileRefused(f"The file has more than {limits.columns} columns", code="file.too-large")
    if opened.form == "csv" and is_unfinished(opened.text, lines[found.at + 1 :], width):
        _insist_footer(lines, found)
    body = [line for line in lines[found.at + 1 :] if any(line.cells)]
    data = list(takewhile(lambda line: not is_footer(found.layout, line), body))
    rows, bad, sums = _rows(data, found, width, limits)
    totals = check(found, body[len(data) :], [*rows, *bad], sums)
    return Reading(
        layout=found.layout.name,
        kind=found.layout.kind,
        header=tuple(header),
        rows=tuple(rows),
        bad=tuple(bad),
        totals=totals,
    )


def _insist_footer(lines: Sequence[Line], found: Recognised) -> None:
    """A last line that is short is the end of a file that was cut off, unless it is the control line."""
    last = next(line for line in reversed(lines) if any(line.cells))
    if not is_footer(found.layout, last):
        raise FileRefused(
            f"The last line ({last.number}) is not complete: the file was cut off",
            code="file.truncated",
            hint="Fetch or export the file again.",
            evidence={"line": last.number},
        )


def _recognised(opened: Opened, layouts: Sequence[StatementLayout]) -> tuple[list[Line], Recognised]:
    near: object = None
    trouble: FileRefused | None = None
    for table in _tables(opened):
        if isinstance(table, FileRefused):
            trouble = trouble or table
            continue
        found = recognise(table, layouts)
        if isinstance(found, Recognised):
            return table, found
        near = near or found
    raise trouble or unknown(near)


def _tables(opened: Opened) -> Iterator[list[Line] | FileRefused]:
    """The sheets of a workbook, or the text cut at each delimiter, of which the first that makes sense is the one."""
    if opened.form == "xlsx":
        yield from opened.sheets
        return
    for delimiter in DELIMITERS:
        try:
            yield lines_of(opened.text, delimiter)
        except FileRefused as error:
            yield error


def _rows(
    data: Sequence[Line], found: Recognised, width: int, limits: Limits
) -> tuple[list[GoodRow], list[BadRow], dict[str, dict[str, Decimal] | None]]:
    """Good and bad rows, and the sum of each amount by currency: `None` where a row does not tell it."""
    layout = found.layout
    rows: list[GoodRow] = []
    bad: list[BadRow] = []
    sums: dict[str, dict[str, Decimal] | None] = {name: {} for name in layout.amounts}
    seen: Counter[str] = Counter()
    for line in data:
        cells = Cells(layout, found.places, line.cells, limits.cell)
        shifted = len(line.cells) != width
        _add(sums, cells, shifted=shifted)
        row = None if shifted else READERS[layout.kind](cells)
        if row is None or cells.problems:
            problems = (_shifted(line, width),) if shifted else _once(cells.problems)
            bad.append(BadRow(line=line.number, cells=tuple(line.cells), problems=problems))
            continue
        said = layout.kind.encode() + msgspec.json.encode(_told(msgspec.to_builtins(row)), order="sorted")
        seen[said.decode()] += 1
        if layout.repeats:
            said += b"#%d" % seen[said.decode()]
        digest = hashlib.sha256(said).hexdigest()
        rows.append(GoodRow(line=line.number, row=row, row_hash=digest, marked=tuple(cells.marked)))
    return rows, bad, sums


def _told(document: object) -> object:
    """Only what a row tells: a member that is added to the kind later changes the hash of no row that lacks it."""
    if not isinstance(document, dict):
        return document
    return {name: _told(value) for name, value in document.items() if value not in (None, "")}


def _shifted(line: Line, width: int) -> Problem:
    """A row of another width: which cell belongs to which column is not known."""
    few = "fewer" if len(line.cells) < width else "more"
    what = f"{few} cells than the header has columns ({len(line.cells)}, not {width})"
    return Problem(code="row.cells", what=what, how="Look for a missing or an unquoted delimiter.")


def _once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))


def _add(sums: dict[str, dict[str, Decimal] | None], cells: Cells, *, shifted: bool) -> None:
    for name, by_currency in sums.items():
        if by_currency is None:
            continue
        known = len(cells.problems)
        money = None if shifted else cells.money(name)
        if shifted or not cells.currency or len(cells.problems) > known:
            sums[name] = None
        elif money is not None:
            before = by_currency.get(money.currency, Decimal(0))
            by_currency[money.currency] = before + money.decimal()
