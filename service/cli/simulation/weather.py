"""What goes wrong in one seed, and how often: every rate is drawn from a range before anything begins."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from msgspec import Struct

from service.cli.simulation.network import LineRates

# The ranges; the handbook's page shows them. Rates are probabilities unless they say otherwise.
DUPLICATED = (0.0, 0.5)
REORDERED = (0.0, 0.3)
DELAYED = (0.0, 0.05)
LOST_FOR_EVER = (0.0, 0.05)
FORGED = (0.0, 0.02)
CHANGED = (0.0, 0.03)
TIME_OUT = (0.0, 0.1)
SESSION = (0.0, 0.05)
BAD_ANSWER = (0.0, 0.05)
REFUSAL = (0.0, 0.1)
SILENT = (0.0, 0.03)
SLOW_SECONDS = (0.0, 30.0)
EVENTS_PER_KILL = (50, 500)
SECOND_WORKER = (0.0, 0.02)
PAUSED = (0.0, 0.02)
SERIALISATION = (0.0, 0.05)
SKEW_SECONDS = (-300.0, 300.0)

# An ordinary day, both British clock changes, a leap day, the year's end: an hour or two before each.
STARTS = (
    datetime(2026, 6, 2, 9, tzinfo=UTC),
    datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
    datetime(2028, 2, 28, 23, tzinfo=UTC),
    datetime(2026, 12, 31, 23, tzinfo=UTC),
)
# Statements in an ordinary transaction of ours: rates per transaction become rates per statement.
_STATEMENTS = 10


class Weather(Struct, frozen=True, kw_only=True):
    """The rates of one seed; those of the ranges above under their names.

    Attributes:
        start: when the simulation begins, by its own calendar.
        gap_seconds: between two events, on average.
        idempotency: whether SYSPRO remembers idempotency keys.
        jumps: whether a process's clock jumps back an hour once.
        read_seconds, post_seconds: how long SYSPRO is waited for.
    """

    start: datetime
    gap_seconds: float
    idempotency: bool
    jumps: bool
    read_seconds: float
    post_seconds: float
    duplicated: float
    reordered: float
    delayed: float
    lost: float
    forged: float
    changed: float
    refusals: float
    syspro_line: LineRates
    other_line: LineRates
    syspro_faults: dict[str, float]
    other_faults: dict[str, float]
    kill: float
    pause: float
    second_worker: float
    database_lost: float
    serialisation: float
    skews: tuple[float, float]


def draw_weather(draw: random.Random) -> Weather:
    """Draw the rates of a seed."""
    slow = draw.choice((0.05, 0.05, 0.5, draw.uniform(*SLOW_SECONDS)))
    return Weather(
        start=draw.choice(STARTS),
        gap_seconds=draw.choice((0.2, 2.0, 10.0)),
        idempotency=draw.random() < 0.5,
        jumps=draw.random() < 0.3,
        read_seconds=draw.choice((5.0, 15.0)),
        post_seconds=draw.choice((10.0, 120.0)),
        duplicated=draw.uniform(*DUPLICATED),
        reordered=draw.uniform(*REORDERED),
        delayed=draw.uniform(*DELAYED),
        lost=draw.uniform(*LOST_FOR_EVER),
        forged=draw.uniform(*FORGED),
        changed=draw.uniform(*CHANGED),
        refusals=draw.uniform(*REFUSAL),
        syspro_line=_line(draw, slow),
        other_line=_line(draw, min(slow, 0.5)),
        syspro_faults=_syspro_faults(draw),
        other_faults={name: draw.uniform(*BAD_ANSWER) for name in ("5xx", "garbage")},
        kill=1 / draw.uniform(*EVENTS_PER_KILL),
        pause=draw.uniform(*PAUSED),
        second_worker=draw.uniform(*SECOND_WORKER),
        database_lost=draw.choice((0.0, draw.uniform(0.0, 0.002))),
        serialisation=draw.uniform(*SERIALISATION) / _STATEMENTS,
        skews=(draw.uniform(*SKEW_SECONDS), draw.uniform(*SKEW_SECONDS)),
    )


def _line(draw: random.Random, slow: float) -> LineRates:
    return LineRates(
        refused=draw.uniform(*BAD_ANSWER),
        lost_before=draw.uniform(*TIME_OUT),
        lost_after=draw.uniform(*TIME_OUT),
        late=slow / 2,
        slow=slow / 2,
    )


def _syspro_faults(draw: random.Random) -> dict[str, float]:
    rates = {name: draw.uniform(*SESSION) for name in ("session-killed", "licence-full", "locked")}
    rates |= {name: draw.uniform(*BAD_ANSWER) for name in ("5xx", "garbage")}
    return rates | {name: draw.uniform(*SILENT) for name in ("element-ignored", "number-not-returned")}
