"""Texts become days, times and amounts, exactly or not at all."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from integration.statements.layout import StatementLayout

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_LOCAL = re.compile(
    r"(?P<a>\d{4}|\d{1,2})(?P<sep>[/.\- ])(?P<b>\d{1,2}|[A-Za-z]{3,9})(?P=sep)(?P<c>\d{4}|\d{1,2})"
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,6})?)?(?:\s*(?P<half>[AaPp][Mm]))?)?"
)
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_AMOUNT = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<digits>[\d.,' \u00a0\u202f]*\d)\s*(?P<minus>-)?\s*(?P<close>\))?\s*(?P<word>DR|CR|D|C)?"
)
_SIGNS = re.compile(r"[£€$¥]|\b[A-Z]{3}\b")


class Number(str):
    """A cell that was a number in a workbook: its decimal sign is a point, whatever the layout says."""

    __slots__ = ()


def day(text: str, layout: StatementLayout) -> date:
    """A calendar day.

    Raises:
        ValueError: the text is none, or one that cannot be meant.
    """
    return _when(text, layout).date()


def moment(text: str, layout: StatementLayout) -> datetime:
    """A moment in UTC; a time without a zone is the layout's.

    Raises:
        ValueError: the text is none, or one that cannot be meant.
    """
    return _when(text, layout).astimezone(UTC)


def _when(text: str, layout: StatementLayout) -> datetime:
    """A time in the layout's zone."""
    zone = ZoneInfo(layout.time_zone)
    if found := _ISO.fullmatch(text):
        clock = found["time"] or "00:00"
        read = datetime.fromisoformat(f"{found['day']}T{clock}{found['zone'] or ''}")
        return _plausible(read.astimezone(zone) if read.tzinfo else read.replace(tzinfo=zone), text)
    if found := _COMPACT.fullmatch(text):
        whole = datetime.combine(date(*map(int, found.groups())), time(), zone)
        return _plausible(whole, text)
    found = _LOCAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{_short(text)} is no date")
    return _plausible(datetime.combine(_date(found, layout), _time(found), zone), text)


def _date(found: re.Match[str], layout: StatementLayout) -> date:
    parts = (found["a"], found["b"], found["c"])
    order = "ymd" if len(found["a"]) == 4 else layout.dates
    if len(found["a"]) == 4 and len(found["c"]) != 2:
        raise ValueError(f"{_short(found[0])} was cut off")  # the first digit of a day would be another day
    # A month in letters says for itself which part it is.
    if found["b"].isalpha() and order == "mdy":
        order = "dmy"
    by_name = dict(zip(order, parts, strict=True))
    return date(_year(by_name["y"], layout.pivot), _month(by_name["m"]), int(by_name["d"]))


def _year(text: str, pivot: int) -> int:
    if len(text) == 4:
        return int(text)
    if len(text) != 2:
        raise ValueError(f"{text} is no year: it has two or four digits")
    return int(text) + (2000 if int(text) < pivot else 1900)


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text[:3].lower() not in _MONTHS:
        raise ValueError(f"{text} is no month")
    return _MONTHS.index(text[:3].lower()) + 1


def _time(found: re.Match[str]) -> time:
    if found["hour"] is None:
        return time()
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} {found['half']} is no hour")
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    return time(hour, int(found["minute"]), int(found["second"] or 0))


def _plausible(read: datetime, text: str) -> datetime:
    if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
        raise ValueError(f"{_short(text)} would be in the year {read.year}")
    return read


def amount(text: str, layout: StatementLayout) -> Decimal:
    """An amount in major units. Brackets, a minus on either side and a trailing DR make it negative.

    Raises:
        ValueError: the text is none, or its separators contradict the layout.
    """
    plain = _SIGNS.sub("", text.replace("\u2212", "-").upper()).strip()
    found = _AMOUNT.fullmatch(plain)
    if found is None or bool(found["open"]) != bool(found["close"]):
        raise ValueError(f"{_short(text)} is no amount")
    negatives = [
        bool(found["open"]),
        found["sign"] == "-",
        bool(found["minus"]),
        (found["word"] or "")[:1] == "D",
    ]
    if sum(negatives) > 1:
        raise ValueError(f"{_short(text)} is negative more than once")
    value = _digits(found["digits"], "." if isinstance(text, Number) else layout.decimal, text)
    return -value if any(negatives) else value


def _digits(digits: str, decimal: str, text: str) -> Decimal:
    whole, mark, part = digits.partition(decimal)
    if mark and not part.isdigit():
        raise ValueError(f"{_short(text)} has its decimals not after `{decimal}`")
    separators = {sign for sign in whole if not sign.isdigit()}
    if len(separators) > 1:
        raise ValueError(f"{_short(text)} separates thousands in two ways")
    for sign in separators:
        first, *groups = whole.split(sign)
        if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
            raise ValueError(f"{_short(text)} does not have its decimals after `{decimal}`")
        whole = first + "".join(groups)
    if len(whole) > 15:
        raise ValueError(f"{_short(text)} is too large")
    return Decimal(f"{whole or '0'}.{part or '0'}")


def _short(text: str) -> str:
    return f"`{text[:40]}`"


_PLAIN_NUMBER = re.compile(r"[+-]?[\d.,' \u00a0]+")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take the text for a formula: `=`, `+`, `-`, `@` first, and no plain number."""
    return len(text) > 1 and text.startswith(_DANGEROUS) and not _PLAIN_NUMBER.fullmatch(text)


def neutral(text: str) -> str:
    """The text as it may be shown in a spreadsheet: with an apostrophe before what would be a formula."""
    return f"'{text}" if is_formula(text) else text


def original(text: str) -> str:
    """The opposite of `neutral`."""
    return text[1:] if text.startswith("'") and is_formula(text[1:]) else text
