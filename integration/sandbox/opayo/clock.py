"""The stand-in's clock: real time plus an offset, and Opayo's ways of writing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

UK = ZoneInfo("Europe/London")


class SandboxClock:
    """A clock that can be moved; settlement, expiry and voids follow it, timers do not.

    Args:
        real: the time it is set from, aware and in UTC.
    """

    def __init__(self, real: Callable[[], datetime] | None = None) -> None:
        self.offset = timedelta(0)
        self._real = real or _utc_now

    def now(self) -> datetime:
        """The stand-in's time, aware and in UTC."""
        return self._real() + self.offset

    def advance(self, seconds: float) -> None:
        """Move forward, or back when negative."""
        self.offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Make it ``moment`` (aware) now."""
        self.offset = moment - self._real()


def _utc_now() -> datetime:
    return datetime.now(UTC)


def uk_day(moment: datetime) -> date:
    """The UK calendar day of an aware moment."""
    return moment.astimezone(UK).date()


def uk_midnight(day: date, minute: int = 0) -> datetime:
    """00:``minute`` UK time of ``day``, in UTC."""
    return datetime.combine(day, time(0, minute), UK).astimezone(UTC)


def iso_uk(moment: datetime) -> str:
    """Pi's style: ``2020-09-15T12:35:38.945+01:00``."""
    return moment.astimezone(UK).isoformat(timespec="milliseconds")


def iso_utc(moment: datetime) -> str:
    """The webhook's style: ``2025-06-01T09:30:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reporting(moment: datetime) -> str:
    """Reporting's style: ``dd/MM/yyyy HH:mm:ss``, UK local time without a zone."""
    return moment.astimezone(UK).strftime("%d/%m/%Y %H:%M:%S")


def reporting_ms(moment: datetime) -> str:
    """Reporting's style with milliseconds, as batches write it."""
    return f"{reporting(moment)}.{moment.microsecond // 1000:03d}"


def parse_reporting(text: str) -> datetime:
    """Read ``dd/MM/yyyy HH:mm:ss`` as UK local time; an ambiguous hour is its first occurrence.

    Raises:
        ValueError: for any other form.
    """
    return datetime.strptime(text.strip(), "%d/%m/%Y %H:%M:%S").replace(tzinfo=UK).astimezone(UTC)
