"""Reporting's times: local to the United Kingdom, without a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_TEXT = "%d/%m/%Y %H:%M:%S"
_TIMES = (_TEXT, f"{_TEXT}.%f")


def utc(text: str) -> datetime | None:
    """A naive British time (`04/11/2013 11:45:32`, perhaps with a fraction) as aware UTC.

    In the hour that the clocks repeat, the first occurrence is taken. Text of another shape gives `None`.
    """
    for form in _TIMES:
        try:
            local = datetime.strptime(text.strip(), form).replace(tzinfo=LONDON, fold=0)
        except ValueError:
            continue
        return local.astimezone(UTC)
    return None


def uk_text(moment: datetime) -> str:
    """An aware moment as Reporting takes it; which of two like-named hours it was, is not in the text."""
    return moment.astimezone(LONDON).strftime(_TEXT)
