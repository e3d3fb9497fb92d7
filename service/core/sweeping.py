"""Which windows a sweep asks for, and when an open transaction is looked at again.

Opayo lists transactions by the time they *started*, in the United Kingdom's local time without a zone. In autumn one
hour is there twice, and nobody has said which of the two a written time then means; so no window begins or ends in
it. Windows are closed in the past, since new rows appear while a list is paged.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

LONDON = ZoneInfo("Europe/London")
LAG = timedelta(minutes=15)
"""How far behind now a window ends."""
OVERLAP = timedelta(hours=2)
OVERLAP_AT_CHANGE = timedelta(hours=25)
"""Windows overlap by so much; by more where the clocks change between them."""
MOST_DAYS = 26
"""With its overlap a window is then shorter than the shortest month."""

LISTED = "transaction.listed"
CHANGED = "transaction.changed"
RECORDED = "transaction.recorded"
"""Kinds of messages: a list told of a transaction; its detail tells another state than we have; a list told of one
that is history: it is kept, and not posted."""

_SECOND = timedelta(seconds=1)
_NARROWEST = timedelta(minutes=1)


class Window(Struct, frozen=True, kw_only=True):
    """A stretch of time, aware UTC in whole seconds; both ends belong to it."""

    start: datetime
    end: datetime


class SweepSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """How the gateway's lists are read.

    Attributes:
        enabled: whether they are read by themselves at all.
        look_back_hours: how far each turn looks back; further where earlier turns were missed.
        nightly_days: how far the turn of the night looks back.
        nightly_hour: when that is, in UK local time.
        go_live: what started before it (aware) is recorded and not posted: another way posted it already.
        window_days: the longest window asked for at once, 1 to 26.
        calls_per_minute: of Opayo's Reporting, by one turn or backfill.
        alert_percent: of the new transactions of a day, the share found by a sweep alone above which an alert
            says that a webhook is probably broken; `alert_at_least` so many of them.
        open_days: how long a transaction whose fate is open is looked at again.
        settled_days: how long after its start a settled one still is, for settlements that fail late.
        backfill: what a backfill does with what it finds, unless it is told: record it or post it.
    """

    enabled: bool = True
    look_back_hours: int = 48
    nightly_days: int = 7
    nightly_hour: int = 2
    go_live: datetime | None = None
    window_days: int = 7
    calls_per_minute: int = 240
    alert_percent: int = 5
    alert_at_least: int = 5
    open_days: int = 120
    settled_days: int = 14
    backfill: Literal["record", "post"] = "record"

    def __post_init__(self) -> None:
        if not 1 <= self.window_days <= MOST_DAYS:
            raise ValueError(f"window_days is 1 to {MOST_DAYS}, not {self.window_days}")
        if self.go_live is not None and self.go_live.tzinfo is None:
            raise ValueError("go_live needs a time zone")
        if self.calls_per_minute < 1 or self.look_back_hours < 1 or self.nightly_days < 1:
            raise ValueError("calls_per_minute, look_back_hours and nightly_days are at least 1")


def _offset(moment: datetime) -> timedelta:
    offset = moment.astimezone(LONDON).utcoffset()
    assert offset is not None
    return offset


def outside_repeated_hour(moment: datetime) -> datetime:
    """The moment in whole seconds, or the last one before the hour that the clocks repeat if it is in that hour."""
    moment = moment.astimezone(UTC).replace(microsecond=0)
    local = moment.astimezone(LONDON).replace(tzinfo=None)
    first, second = (local.replace(tzinfo=LONDON, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return moment
    return first.replace(minute=0, second=0).astimezone(UTC) - _SECOND


def closed_end(now: datetime) -> datetime:
    """The last moment that a list read now can be relied on."""
    return outside_repeated_hour(now - LAG)


def overlap_before(start: datetime) -> timedelta:
    """How far before a moment the next window begins: further where the clocks change nearby."""
    around = {_offset(start + step) for step in (-OVERLAP_AT_CHANGE, timedelta(0), OVERLAP_AT_CHANGE)}
    return OVERLAP if len(around) == 1 else OVERLAP_AT_CHANGE


def windows(start: datetime, end: datetime, days: int = 7) -> tuple[Window, ...]:
    """Windows that cover every second from `start` to `end`, each overlapping the one before; none if reversed.

    The first begins a little earlier than `start` where that lies in the repeated hour; the last ends at `end`, which
    the caller took out of that hour.
    """
    span = timedelta(days=min(days, MOST_DAYS))
    found: list[Window] = []
    edge, last = outside_repeated_hour(start), end.astimezone(UTC).replace(microsecond=0)
    while edge < last:
        until = min(outside_repeated_hour(edge + span), last)
        begin = outside_repeated_hour(edge - overlap_before(edge)) if found else edge
        found.append(Window(start=begin, end=until))
        edge = until
    return tuple(found)


def halved(window: Window) -> tuple[Window, Window] | None:
    """Two windows in place of one with too many rows; `None` when it cannot be narrower."""
    middle = outside_repeated_hour(window.start + (window.end - window.start) // 2)
    if middle - window.start < _NARROWEST or window.end - middle < _NARROWEST:
        return None
    return Window(start=window.start, end=middle), Window(start=middle, end=window.end)


def sweep_windows(
    now: datetime, cursor: datetime | None, look_back: timedelta, days: int = 7
) -> tuple[Window, ...]:
    """The windows of a turn: what is looked back at, and further, to where the last complete turn ended."""
    end = closed_end(now)
    start = end - look_back
    if cursor is not None:
        start = min(start, cursor - overlap_before(cursor))
    return windows(start, end, days)


def nightly_due(now: datetime, last: datetime | None, hour: int) -> bool:
    """Whether the turn of this UK night is due: it is past its hour, and the last one began before it."""
    begins = datetime.combine(now.astimezone(LONDON).date(), time(hour, 30), LONDON).astimezone(UTC)
    return now >= begins and (last is None or last < begins)


# --- open transactions ----------------------------------------------------------------------------

_WAITING = frozenset({"", "held", "authenticated", "pending", "unknown"})
_SOONEST, _LATEST = timedelta(minutes=15), timedelta(days=1)
_SETTLED_LOOKS = (2, 7, 14)


class Watched(Struct, frozen=True, kw_only=True):
    """A transaction as it was last seen.

    Attributes:
        state: our word for its state; empty when only a list told of it.
        settled: whether it is in a settlement batch.
    """

    state: str
    settled: bool
    started_at: datetime


def state_of_row(kind: str) -> str:
    """What a successful row of a list surely is by its kind; empty where its detail must be read."""
    return "captured" if kind in ("payment", "refund", "authorise", "manual") else ""


def next_look(row: Watched, now: datetime, rules: SweepSettings) -> datetime | None:
    """When a transaction is to be read again; `None` when nothing can become of it any more.

    Money that was promised is looked at often while it is young, since it may be taken or let go at any time. Money
    that was taken can be voided until midnight in the United Kingdom, and is settled in the night: it is looked at
    after that, until it is in a batch; then thrice more, since a bank may refuse a settled row.
    """
    age = now - row.started_at
    if row.state in _WAITING:
        if age > timedelta(days=rules.open_days):
            return None
        return now + min(max(age // 8, _SOONEST), _LATEST)
    if row.state != "captured":
        return None
    if not row.settled:
        # Older money without a batch was settled where Opayo does not show it; it is not asked for ever.
        return _next_morning(now, rules) if age <= 2 * timedelta(days=rules.settled_days) else None
    looks = (row.started_at + timedelta(days=days) for days in _SETTLED_LOOKS if days <= rules.settled_days)
    return next((look for look in looks if look > now), None)


def _next_morning(now: datetime, rules: SweepSettings) -> datetime:
    day = now.astimezone(LONDON).date() + timedelta(days=1)
    return datetime.combine(day, time(rules.nightly_hour, 30), LONDON).astimezone(UTC)


def is_history(started_at: datetime | None, mode: str, rules: SweepSettings) -> bool:
    """Whether a listed transaction is recorded and not posted: the run says so, or it is from before go-live."""
    before = rules.go_live is not None and started_at is not None and started_at < rules.go_live
    return before or mode == "record"


def webhook_is_broken(new: int, alone: int, rules: SweepSettings) -> bool:
    """Whether so many of a day's new transactions were found by a sweep alone that a person should know."""
    return alone >= rules.alert_at_least and alone * 100 > new * rules.alert_percent
