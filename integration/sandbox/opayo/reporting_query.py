"""A signed Reporting request as its command sees it, with the checks all commands share."""

from __future__ import annotations

import calendar
from datetime import datetime
from html import escape

from integration.sandbox.opayo.clock import UK, parse_reporting
from integration.sandbox.opayo.engine import Engine
from integration.sandbox.opayo.store import Store, Transaction

_SPAN = 50


class ReportingError(Exception):
    """A Reporting error code with its text; the answer is still HTTP 200."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Query:
    """One command of one vendor: its parameters, read and checked."""

    def __init__(self, engine: Engine, vendor: str, fields: dict[str, str]) -> None:
        self.engine = engine
        self.vendor = vendor
        self.fields = fields

    @property
    def store(self) -> Store:
        """The store the vendor's data live in."""
        return self.engine.store

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            ReportingError: 3001.
        """
        value = self.fields.get(name, "")
        if not value:
            raise ReportingError("3001", f"The {name} element is missing.")
        return value

    def transaction(self) -> Transaction:
        """The transaction named by exactly one of ``vendortxcode`` and ``vpstxid``.

        Raises:
            ReportingError: 0042 for none or both, 0043 when there is none such.
        """
        code, identifier = self.fields.get("vendortxcode", ""), self.fields.get("vpstxid", "")
        if bool(code) == bool(identifier):
            raise ReportingError("0042", "Either the vendortxcode or the vpstxid is required, not both.")
        found = self.store.by_code(self.vendor, code) if code else self.store.get(self.vendor, identifier)
        if found is None:
            raise ReportingError("0043", "The transaction was not found.")
        return found

    def by_id(self, missing: str = "2238") -> Transaction:
        """The transaction named by ``vpstxid``.

        Raises:
            ReportingError: 3001 or ``missing``.
        """
        found = self.store.get(self.vendor, self.required("vpstxid"))
        if found is None:
            raise ReportingError(missing, "The vpstxid was not found.")
        return found

    def period(self) -> tuple[datetime, datetime]:
        """``startdate`` and ``enddate``, at most one month apart, both inclusive.

        Raises:
            ReportingError: 3001, 3009, 0038 or 0039.
        """
        start, end = self._date("startdate"), self._date("enddate")
        if start > end:
            raise ReportingError("0038", "The start date is after the end date.")
        if end > _month_later(start):
            raise ReportingError("0039", "The date range is over one month.")
        return start, end

    def _date(self, name: str) -> datetime:
        try:
            return parse_reporting(self.required(name))
        except ValueError as error:
            raise ReportingError("3009", f"The {name} must be in the format dd/MM/yyyy HH:mm:ss.") from error

    def page(self, rows: list[Transaction]) -> tuple[int, list[tuple[int, Transaction]]]:
        """The page asked for: its first row number, and rows with their 1-based numbers, ends included.

        Raises:
            ReportingError: 3006, 2244, 2222, 0099, 2243 or 0235.
        """
        first, last = self._row("startrow"), self._row("endrow")
        if last == 0:
            raise ReportingError("2244", "The endrow must not be zero.")
        if first is None and last is not None and last > _SPAN:
            raise ReportingError("2243", "Without a startrow the endrow must not be over 50.")
        start = first if first is not None else 1
        end = last if last is not None else start + _SPAN - 1
        if end < start:
            raise ReportingError("2222", "The endrow is before the startrow.")
        if end - start > _SPAN:
            raise ReportingError("0099", "The range of rows is over 50.")
        if len(rows) > self.engine.config.list_maximum:
            raise ReportingError("0235", f"More than {self.engine.config.list_maximum:,} rows match.")
        begin = max(start, 1)
        return start, list(enumerate(rows[begin - 1 : end], start=begin))

    def _row(self, name: str) -> int | None:
        value = self.fields.get(name, "")
        if not value:
            return None
        if not value.isdigit():
            raise ReportingError("3006", f"The {name} must be numeric.")
        return int(value)


def element(name: str, value: object) -> str:
    """One element, escaped; empty when the value is."""
    return f"<{name}>{escape(str(value), quote=False)}</{name}>"


def elements(values: dict[str, object]) -> str:
    """Elements in the order given."""
    return "".join(element(name, value) for name, value in values.items())


def yes(flag: bool) -> str:
    """Reporting's booleans."""
    return "YES" if flag else "NO"


def _month_later(moment: datetime) -> datetime:
    local = moment.astimezone(UK)
    year, month = local.year + local.month // 12, local.month % 12 + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day)
