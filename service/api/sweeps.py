"""Sweeps and backfills: what they found, and the switches a person has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.parameters import PAGE, Filter, JsonObject, Page, PairName, chosen, read
from service.flow import sweep_runs
from service.flow.sweep_runs import Person, Range
from service.store import sweeps, swept
from service.store.sweeps import Counts
from service.store.users import Caller

_MOMENT = msgspec.Meta(tz=True, description="A time with its zone (ISO 8601).")
Moment = Annotated[datetime, _MOMENT]
Kind = Annotated[
    Literal["", "sweep", "nightly", "asked", "backfill"],
    QueryParameter(description="Of which kind; empty takes all."),
]


class RunShown(Struct, frozen=True, kw_only=True):
    """A run of a sweep or backfill.

    Attributes:
        kind: sweep (regular), nightly, asked (by a person) or backfill.
        state: running, paused, done, cancelled or failed.
        mode: whether what is found is posted like any payment, or recorded as history and not posted.
        dry_run: it only counts.
        windows, windows_done: stretches of time it is read in, and how many of them are done.
        covered_to: everything that started between `from_at` and here was read.
        counts: `new` transactions that no run had seen; `alone` of them nobody had told us of.
        due_at: not before then it goes on, after `error`.
    """

    run_id: int
    kind: str
    state: str
    mode: str
    dry_run: bool
    from_at: datetime
    to_at: datetime
    windows: int
    windows_done: int
    covered_to: datetime
    counts: Counts
    requested_by: str
    error: JsonObject | None
    due_at: datetime
    started_at: datetime
    changed_at: datetime
    finished_at: datetime | None


class RunPage(Struct, frozen=True, kw_only=True):
    """A page of runs, newest first."""

    items: list[RunShown]
    next_cursor: int | None


class FoundShown(Struct, frozen=True, kw_only=True):
    """A transaction that only a sweep found; amounts in minor units of `currency`, where Opayo lists them."""

    row_id: int
    transaction_id: str
    vendor_tx_code: str
    kind: str
    amount_minor: int | None
    currency: str
    started_at: datetime | None
    run_id: int
    seen_at: datetime
    payment_id: int | None
    payment_state: str | None


class FoundPage(Struct, frozen=True, kw_only=True):
    """A page of what only sweeps found, newest first; `new` and `alone` of the last day are beside it."""

    items: list[FoundShown]
    next_cursor: int | None
    new_last_day: int
    alone_last_day: int


class SweepAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sweep to be begun now.

    Attributes:
        hours: how far it looks back.
        open_rows: whether every open transaction is read again, too.
    """

    hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 366)] = 48
    open_rows: bool = False


class BackfillAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """History to be read.

    Attributes:
        from_at, to_at: by when transactions started.
        mode: `record` keeps them and posts nothing, `post` sends them down the road; empty for the pair's
            setting. What is from before the pair's go-live is never posted.
        dry_run: only count.
    """

    from_at: Moment
    to_at: Moment
    mode: Literal["", "record", "post"] = ""
    dry_run: bool = False


def _shown(run: sweeps.Run) -> RunShown:
    done = min(run.window, len(run.windows))
    covered = run.windows[done - 1].end if done else run.from_at
    row: JsonObject = {name: getattr(run, name) for name in RunShown.__struct_fields__ if hasattr(run, name)}
    return read(row | {"windows": len(run.windows), "windows_done": done, "covered_to": covered}, RunShown)


@get("/sweeps", guards=[needs("viewer")], dependencies=PAGE, summary="List sweeps")
async def list_sweeps(
    pair: PairName, context: AppContext, page: NamedDependency[Page], kind: Kind = "", status: Filter = ""
) -> RunPage:
    """Turns of the sweeper and backfills, with what they counted."""
    async with context.engine.connect() as connection:
        rows = await sweeps.listed(
            connection, pair, chosen(kind=kind, state=status), before=page.cursor, limit=page.limit
        )
    items = [_shown(msgspec.convert(row, sweeps.Run)) for row in rows]
    return RunPage(items=items, next_cursor=page.next_cursor([each.run_id for each in items]))


@get("/sweeps/{run_id:int}", guards=[needs("viewer")], summary="Read a sweep")
async def read_sweep(pair: PairName, run_id: FromPath[int], context: AppContext) -> RunShown:
    """One run, as far as it is."""
    async with context.engine.connect() as connection:
        run = await sweeps.one(connection, pair, run_id)
    if run is None:
        raise NotFoundException(f"Pair `{pair}` has no run {run_id}.")
    return _shown(run)


@get("/sweeps/found", guards=[needs("viewer")], dependencies=PAGE, summary="List what only sweeps found")
async def list_found(pair: PairName, context: AppContext, page: NamedDependency[Page]) -> FoundPage:
    """Transactions of which no webhook, notification or file had told when the sweeper read them."""
    async with context.engine.connect() as connection:
        rows = await swept.alone(connection, pair, before=page.cursor, limit=page.limit)
        new, alone = await swept.share(connection, pair, context.now() - timedelta(days=1))
    items = [read(row, FoundShown) for row in rows]
    cursor = page.next_cursor([each.row_id for each in items])
    return FoundPage(items=items, next_cursor=cursor, new_last_day=new, alone_last_day=alone)


@post("/sweeps", status_code=202, guards=[needs("operator")], summary="Start a sweep")
async def start_sweep(
    pair: PairName, data: JSONBody[SweepAsked], context: AppContext, caller: NamedDependency[Caller]
) -> RunShown:
    """Read Opayo's lists now; the worker goes on with it within seconds."""
    settings, _ = await context.connections(pair)
    now = context.now()
    wanted = Range(start=now - timedelta(hours=data.hours), end=now)
    async with context.engine.begin() as connection:
        run = await sweep_runs.ask(connection, settings, wanted, now, caller.name)
        if data.open_rows:
            await sweep_runs.look_now(connection, pair, Person(name=caller.name, now=now))
    return _shown(run)


@post("/backfills", status_code=202, guards=[needs("admin")], summary="Start a backfill")
async def start_backfill(
    pair: PairName, data: JSONBody[BackfillAsked], context: AppContext, caller: NamedDependency[Caller]
) -> RunShown:
    """Read history from Opayo's lists, page by page at the rate that is allowed; it can be paused and resumed."""
    settings, _ = await context.connections(pair)
    wanted = Range(start=data.from_at, end=data.to_at, mode=data.mode, dry_run=data.dry_run)
    async with context.engine.begin() as connection:
        return _shown(await sweep_runs.backfill(connection, settings, wanted, context.now(), caller.name))


@post("/sweeps/{run_id:int}/pause", status_code=200, guards=[needs("operator")], summary="Pause a sweep")
async def pause_sweep(
    pair: PairName, run_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]
) -> RunShown:
    """It stops behind the page that is being read."""
    return await _switched(context, pair, (run_id, "paused"), caller)


@post("/sweeps/{run_id:int}/resume", status_code=200, guards=[needs("operator")], summary="Resume a sweep")
async def resume_sweep(
    pair: PairName, run_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]
) -> RunShown:
    """It goes on where it stopped, also after it failed."""
    return await _switched(context, pair, (run_id, "running"), caller)


@post("/sweeps/{run_id:int}/cancel", status_code=200, guards=[needs("operator")], summary="Cancel a sweep")
async def cancel_sweep(
    pair: PairName, run_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]
) -> RunShown:
    """It ends; what it found so far stays found."""
    return await _switched(context, pair, (run_id, "cancelled"), caller)


async def _switched(
    context: Context, pair: str, what: tuple[int, Literal["paused", "running", "cancelled"]], caller: Caller
) -> RunShown:
    person = Person(name=caller.name, now=context.now())
    async with context.engine.begin() as connection:
        return _shown(await sweep_runs.switch(connection, pair, what[0], what[1], person))


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        list_sweeps,
        read_sweep,
        list_found,
        start_sweep,
        start_backfill,
        pause_sweep,
        resume_sweep,
        cancel_sweep,
    ],
    tags=["Sweeps"],
)
