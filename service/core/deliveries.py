"""Delivering an event: when to try again, when to give up, and what an answer means."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)


class Try(Struct, frozen=True, kw_only=True):
    """An attempt that failed.

    Attributes:
        attempts: how many were made so far, this one included.
        first_failed_at, now: aware UTC.
        pace: what waits are divided by.
        jitter: 0 to 1, drawn evenly by the caller.
    """

    attempts: int
    first_failed_at: datetime
    now: datetime
    pace: int
    jitter: float


def next_try(failed: Try) -> datetime | None:
    """When to try again, or `None` once three days have passed; the last try is made just then."""
    limit = failed.first_failed_at + GIVE_UP_AFTER // failed.pace
    if failed.now >= limit:
        return None
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(failed.attempts - 1, 12)))
    half = ceiling // 2
    wait = (half + half * failed.jitter) // failed.pace
    return min(failed.now + wait, limit)


def refusal(status: int) -> str:
    """Why an answer is no success, as a sentence; empty for a status from 200 to 299."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered HTTP {status}, and redirects are not followed"
    return f"It answered HTTP {status}"
