"""Sweeps and backfills begin, go on in slices of time, and are stopped by people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.errors import NotFound, Rejected
from service.core.sweeping import (
    Window,
    closed_end,
    nightly_due,
    outside_repeated_hour,
    sweep_windows,
    windows,
)
from service.flow.open_rows import look_again
from service.flow.stages import Stages
from service.flow.sweep import Sweeper, go_on
from service.store import audit, sweeps, swept
from service.store.audit import Line
from service.store.pairs import PairSettings
from service.store.sweeps import NewRun, Run

JsonObject = dict[str, object]
_SLICE = 5.0
_KEPT = timedelta(days=30)
_FURTHEST = timedelta(days=10 * 366)


class Range(Struct, frozen=True, kw_only=True):
    """What a person asks for.

    Attributes:
        start, end: aware; the end is drawn back to what can be relied on now.
        mode: what becomes of what is found; empty for the pair's setting.
    """

    start: datetime
    end: datetime
    mode: Literal["", "record", "post"] = ""
    dry_run: bool = False


class Person(Struct, frozen=True, kw_only=True):
    """Who switches a run, and when."""

    name: str
    now: datetime


async def sweeper_of(stages: Stages, pair: str, seconds: float = _SLICE) -> tuple[PairSettings, Sweeper]:
    """What reads the lists of a pair for some seconds."""
    settings, connections = await stages.connections(pair)
    shared = stages.shared
    sweeper = Sweeper(
        shared=shared,
        pair=pair,
        rules=settings.sweeps,
        gateway=connections.gateway,
        until=shared.monotonic() + seconds,
    )
    return settings, sweeper


async def sweep(stages: Stages, pair: str) -> JsonObject:
    """Begin the regular turn, unless one is under way, and go on with what there is."""
    settings, sweeper = await sweeper_of(stages, pair)
    if _off(settings):
        return {"sweep": "off"}
    async with stages.shared.engine.begin() as connection:
        cursor = await sweeps.cursor(connection, pair)
        look_back = timedelta(hours=settings.sweeps.look_back_hours)
        found = sweep_windows(sweeper.now, cursor, look_back, settings.sweeps.window_days)
        await sweeps.begin(connection, NewRun(pair=pair, kind="sweep", windows=found, at=sweeper.now))
    return await work(stages, pair)


async def nightly(stages: Stages, pair: str) -> JsonObject:
    """Begin the turn of the night when it is due: it looks back further, and forgets old turns."""
    settings, sweeper = await sweeper_of(stages, pair)
    if _off(settings):
        return {"sweep": "off"}
    async with stages.shared.engine.begin() as connection:
        last = await sweeps.last_begun(connection, pair, "nightly")
        if not nightly_due(sweeper.now, last, settings.sweeps.nightly_hour):
            return {"sweep": "not yet"}
        look_back = timedelta(days=settings.sweeps.nightly_days)
        found = sweep_windows(sweeper.now, None, look_back, settings.sweeps.window_days)
        await sweeps.begin(connection, NewRun(pair=pair, kind="nightly", windows=found, at=sweeper.now))
        await sweeps.forget(connection, pair, sweeper.now - _KEPT)
    return await work(stages, pair)


async def work(stages: Stages, pair: str, seconds: float = _SLICE) -> JsonObject:
    """Go on with every run that is due, then look at open transactions, for some seconds in all."""
    settings, sweeper = await sweeper_of(stages, pair, seconds)
    if not settings.opayo.reporting_user:
        return {"sweep": "off"}
    async with stages.shared.engine.connect() as connection:
        due = await sweeps.due(connection, pair, sweeper.now)
    outcome: JsonObject = {}
    for run in due:
        ended = await go_on(sweeper, run)
        outcome[f"{ended.kind} {ended.run_id}"] = ended.state
    if settings.sweeps.enabled:
        outcome |= await look_again(sweeper)
    return outcome


def _off(settings: PairSettings) -> bool:
    # Without a user of Reporting there is nothing to read; `doctor` says so.
    return not settings.sweeps.enabled or not settings.opayo.reporting_user


async def ask(
    connection: AsyncConnection, settings: PairSettings, wanted: Range, now: datetime, actor: str
) -> Run:
    """Begin a sweep that a person asked for.

    Raises:
        Rejected: the range is none, or another one is under way.
    """
    new = NewRun(
        pair=settings.pair,
        kind="asked",
        windows=_windows(settings, wanted, now),
        at=now,
        requested_by=actor,
    )
    run = await sweeps.begin(connection, new)
    if run is None:
        running = await sweeps.listed(
            connection, settings.pair, {"kind": "asked", "state": "running"}, before=0, limit=1
        )
        raise Rejected(
            "A sweep that somebody asked for is under way",
            code="sweep.under-way",
            hint="Wait for its end, or cancel it.",
            evidence={"run_id": int(str(running[0]["run_id"])) if running else None},
        )
    await _line(connection, run, actor, "sweep.asked")
    return run


async def backfill(
    connection: AsyncConnection, settings: PairSettings, wanted: Range, now: datetime, actor: str
) -> Run:
    """Begin to read history: what is found is recorded, or posted like any payment.

    Raises:
        Rejected: the range is none.
    """
    new = NewRun(
        pair=settings.pair,
        kind="backfill",
        windows=_windows(settings, wanted, now),
        at=now,
        mode=wanted.mode or settings.sweeps.backfill,
        dry_run=wanted.dry_run,
        requested_by=actor,
    )
    run = await sweeps.begin(connection, new)
    assert run is not None  # backfills run beside each other
    await _line(connection, run, actor, "backfill.asked")
    return run


def _windows(settings: PairSettings, wanted: Range, now: datetime) -> tuple[Window, ...]:
    start, end = wanted.start, min(outside_repeated_hour(wanted.end), closed_end(now))
    if start >= end or end - start > _FURTHEST:
        raise Rejected(
            "The range has no time in it that Opayo can list",
            code="sweep.no-range",
            hint="It begins before it ends, ends in the past, and is at most ten years long.",
        )
    return windows(start, end, settings.sweeps.window_days)


_LEGAL = {
    "paused": frozenset({"running"}),
    "running": frozenset({"paused", "failed"}),
    "cancelled": frozenset({"running", "paused", "failed"}),
}


async def switch(
    connection: AsyncConnection,
    pair: str,
    run_id: int,
    to: Literal["paused", "running", "cancelled"],
    at: Person,
) -> Run:
    """Pause, resume or cancel a run; what it told the inbox stays told.

    Raises:
        NotFound: the pair has no such run.
        Rejected: its state does not allow it.
    """
    run = await sweeps.one(connection, pair, run_id, locked=True)
    if run is None:
        raise NotFound(f"There is no run {run_id}", code="sweep.unknown", hint="List the runs of the pair.")
    if run.state not in _LEGAL[to]:
        raise Rejected(
            f"Run {run_id} is {run.state} and cannot become {to}",
            code="sweep.wrong-state",
            hint="Read it again; begin a new one if it is over.",
        )
    run.state, run.changed_at, run.due_at = to, at.now, at.now
    run.finished_at = at.now if to == "cancelled" else None
    if to == "running":
        run.attempts, run.error = 0, None
    await sweeps.save(connection, run)
    word = "backfill" if run.kind == "backfill" else "sweep"
    action = {"paused": "paused", "running": "resumed", "cancelled": "cancelled"}[to]
    await _line(connection, run, at.name, f"{word}.{action}")
    return run


async def look_now(connection: AsyncConnection, pair: str, at: Person) -> int:
    """Make every open transaction due to be read again; returns how many."""
    found = await swept.look_now(connection, pair, at.now)
    line = Line(pair=pair, actor=at.name, action="sweep.open_rows_asked", detail={"open": found})
    await audit.write(connection, [line])
    return found


async def _line(connection: AsyncConnection, run: Run, actor: str, action: str) -> None:
    detail: JsonObject = {
        "run_id": run.run_id,
        "from": run.from_at.isoformat(),
        "to": run.to_at.isoformat(),
        "mode": run.mode,
        "dry_run": run.dry_run,
    }
    await audit.write(connection, [Line(pair=run.pair, actor=actor, action=action, detail=detail)])
