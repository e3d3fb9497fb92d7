"""When to try again, and when to stop: backoff for transient errors, and patience after a lost answer.

A failed attempt is repeated after at most 2 s, 4 s, 8 s … one hour, each wait shortened at random by a jitter
that the caller draws, for seven days. After a lost answer the ledger is searched at least three times over at
least a minute before the document may be sent again: SYSPRO may still be at work on it.

Every wait, the limit of seven days too, is divided by the *pace* (1 in earnest, 60 in the demo).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=7)

LOOK_UPS = 3
LOOK_FOR = timedelta(seconds=60)
# Counted from the moment the document was sent.
_LOOKS_AT = (timedelta(seconds=5), timedelta(seconds=25), LOOK_FOR)


class Failure(Struct, frozen=True, kw_only=True):
    """A transient failure.

    Attributes:
        attempts: how many were made so far, 1 or more.
        first_failed_at, now: aware times in UTC.
        pace: what waits are divided by, 1 or more.
        jitter: between 0 and 1, drawn evenly by the caller.
        retry_after: seconds the other side asked for; never waited less, but for the pace.
    """

    attempts: int
    first_failed_at: datetime
    now: datetime
    jitter: float
    pace: int = 1
    retry_after: int | None = None


class Retry(Struct, frozen=True):
    """Try again when this time has come."""

    due_at: datetime


class GiveUp(Struct, frozen=True):
    """It has failed for too long: dead letter, with this reason."""

    reason: str


class Adopt(Struct, frozen=True):
    """Our document is in the ledger: take it as posted."""


class LookAgain(Struct, frozen=True):
    """Search the ledger again after this time."""

    wait: timedelta


class SendAgain(Struct, frozen=True):
    """It is proved absent: it may be sent again."""


def next_attempt(failure: Failure) -> Retry | GiveUp:
    """When to try again after a transient failure.

    The last attempt is made just when the limit is reached, however long the other side asked us to wait.

    Raises:
        ValueError: no attempt, a pace below 1, or a jitter outside 0 to 1.
    """
    if failure.attempts < 1 or failure.pace < 1 or not 0 <= failure.jitter <= 1:
        raise ValueError("attempts and pace are 1 or more, and the jitter is between 0 and 1")
    limit = failure.first_failed_at + GIVE_UP_AFTER // failure.pace
    if failure.now >= limit:
        return GiveUp(f"it failed {failure.attempts} times since {failure.first_failed_at.isoformat()}")
    # Twelve doublings are past the longest wait: no need to compute large powers.
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failure.attempts - 1, 12))
    wait = max(ceiling * failure.jitter, timedelta(seconds=failure.retry_after or 0))
    return Retry(min(failure.now + wait // failure.pace, limit))


def after_look_up(
    *, found: bool, look_ups: int, since_sent: timedelta, pace: int = 1
) -> Adopt | LookAgain | SendAgain:
    """What to do after a search of the ledger for a document whose answer was lost.

    Args:
        found: whether this search found it, for certain.
        look_ups: searches since it was last sent, this one included; 0 asks when the first one is due.
        since_sent: time since the document was last sent.
        pace: what waits are divided by, 1 or more.

    Raises:
        ValueError: a negative number of searches or a pace below 1.
    """
    if look_ups < 0 or pace < 1:
        raise ValueError("look-ups are 0 or more, and the pace is 1 or more")
    if found:
        return Adopt()
    if look_ups >= LOOK_UPS and since_sent >= LOOK_FOR // pace:
        return SendAgain()
    due = _LOOKS_AT[min(look_ups, len(_LOOKS_AT) - 1)] // pace
    return LookAgain(max(due - since_sent, timedelta(0)))
