"""One line of a table and its layout become a typed row, or problems that say what to correct."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct

from integration.canonical.money import Money
from integration.statements import values
from integration.statements.layout import Amount, StatementLayout, plain

T = TypeVar("T")
_GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DIGITS = re.compile(r"\d{1,4}")


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong with one cell, or with a row as a whole (`field` is empty then)."""

    code: str
    what: str
    how: str
    field: str = ""


class Cells:
    """The cells of a row by their part, and the problems found while they are read.

    Attributes:
        problems: what is wrong so far.
        marked: text fields that a spreadsheet would take for a formula; they are kept as text.
    """

    def __init__(
        self, layout: StatementLayout, places: dict[str, int], line: list[str], longest: int
    ) -> None:
        self.layout = layout
        self.problems: list[Problem] = []
        self.marked: list[str] = []
        self._places = places
        self._line = line
        self._longest = longest
        self.currency = self._currency()

    def cell(self, part: str) -> str:
        """The cell of a part as it stands in the file; empty without the column."""
        place = self._places.get(part)
        return self._line[place] if place is not None and place < len(self._line) else ""

    def wrong(self, field: str, code: str, what: str, how: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(code=code, what=what, how=how, field=field))

    def text(self, name: str) -> str:
        """A text field; its words are translated where the layout says how."""
        column = self.layout.columns.get(name)
        raw = self.cell(name)
        text = values.original(raw) or self.layout.constants.get(name, "")
        if column is not None and column.filled and not text:
            self.wrong(name, "row.empty", f"`{column.header[0]}` is empty", "Fill it in.")
        if len(text) > self._longest:
            self.wrong(name, "row.text-too-long", f"more than {self._longest} characters", "Shorten it.")
            return ""
        if column is not None and column.values and text:
            return self._word(name, text, column.values)
        if values.is_formula(text):
            self.marked.append(name)
        return text

    def _word(self, name: str, text: str, words: dict[str, str]) -> str:
        known = {plain(word): meaning for word, meaning in words.items()}
        found = known.get(plain(text))
        if found is None:
            self.wrong(
                name, "row.unknown-word", f"`{text[:40]}` is none of its words", f"Write {', '.join(words)}."
            )
        return found or ""

    def guid(self, name: str) -> str:
        """A transaction id: upper case, without braces; empty where there is none."""
        text = self.text(name).strip("{}").upper()
        if text and not _GUID.fullmatch(text):
            self.wrong(name, "row.bad-id", f"`{text[:40]}` is no transaction id", "Copy it from MyOpayo.")
        return text

    def last_four(self) -> str:
        """The last digits of a card; a spreadsheet may have dropped their zeros."""
        text = self.text("last_four").lstrip("*xX. ")
        if text and not _DIGITS.fullmatch(text):
            self.wrong("last_four", "row.bad-digits", "not four digits", "Leave only the last four digits.")
        return text.zfill(4) if text else ""

    def day(self, name: str) -> date | None:
        """A day, or none."""
        return self._read(name, values.day)

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC, or none."""
        return self._read(name, values.moment)

    def _read(self, name: str, reading: Callable[[str, StatementLayout], T]) -> T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return reading(text, self.layout)
        except ValueError as error:
            order = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year-month-day"}
            how = f"Write it as {order[self.layout.dates]} or 2025-06-30."
            self.wrong(name, "row.bad-date", str(error), how)
            return None

    def whole(self, name: str) -> int:
        """A number of a line; zero where there is none."""
        text = self.text(name)
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):
            self.wrong(name, "row.bad-number", f"`{text[:40]}` is no whole number", "Write digits only.")
            return 0
        return int(text or 0)

    def _currency(self) -> str:
        text = self.text("currency").upper() or self.layout.currency
        if not _CURRENCY.fullmatch(text):
            self.wrong("currency", "row.bad-currency", f"`{text[:10]}` is no currency", "Write it as in GBP.")
            return ""
        return text

    def money(self, name: str, *, needed: bool = False) -> Money | None:
        """An amount, or none where its cells are empty."""
        amount = self.layout.amounts.get(name)
        if amount is None or not self.currency:
            return None
        try:
            value = amount_of(self, name, amount)
            if value is None:
                if needed:
                    self.wrong(name, "row.empty", "the amount is empty", "Fill it in.")
                return None
            return Money.of(value, self.currency)
        except ValueError as error:
            how = f"Write it as 1234{self.layout.decimal}50, a negative one with a minus or in brackets."
            self.wrong(name, "row.bad-amount", str(error), how)
            return None


def amount_of(cells: Cells, name: str, amount: Amount, *, total: bool = False) -> Decimal | None:
    """The signed amount under its columns, `None` where they are empty; a total may have both sides.

    Raises:
        ValueError: the cells are no amount, or contradict each other.
    """
    if amount.style == "two_columns":
        return _two_columns(cells, name, amount, total)
    text = cells.cell(f"{name}.amount")
    if not text:
        return None
    value = values.amount(text, cells.layout)
    if amount.style == "indicator":
        word = cells.cell(f"{name}.indicator").upper()
        if word or not total:
            value = _signed(value, word, amount)
    elif amount.negative == "credit":
        value = -value
    return abs(value) if amount.absolute else value


def _signed(value: Decimal, word: str, amount: Amount) -> Decimal:
    sides = {
        "credit": [each.upper() for each in amount.credits],
        "debit": [each.upper() for each in amount.debits],
    }
    side = next((name for name, words in sides.items() if word in words), None)
    if side is None:
        raise ValueError(f"`{word[:20]}` says neither credit nor debit")
    if value < 0:
        raise ValueError("an amount with a sign of its own and an indicator")
    return -value if side == amount.negative else value


def _two_columns(cells: Cells, name: str, amount: Amount, total: bool) -> Decimal | None:
    texts = {side: cells.cell(f"{name}.{side}") for side in ("credit", "debit")}
    read = {side: values.amount(text, cells.layout) for side, text in texts.items() if text}
    filled = {side: value for side, value in read.items() if value}
    if len(filled) > 1 and not total:
        raise ValueError("both the column of credits and that of debits are filled")
    if not read:
        return None
    # Some files write the debit column with a minus: the column says it already.
    sums = {side: abs(value) for side, value in filled.items()}
    value = sums.get("credit", Decimal(0)) - sums.get("debit", Decimal(0))
    value = value if amount.negative == "debit" else -value
    return abs(value) if amount.absolute else value
