"""Sweeps and backfills as runs, each with its windows and its cursor.

A page of a list, the messages it leads to, and the cursor are written in one transaction; who died in between begins
at the same page again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.sweeping import Window
from service.store.rows import JsonObject, document, documents
from service.store.tables_sweeps import sweep_runs, swept_rows


class Counts(Struct, kw_only=True):
    """What a run saw.

    Attributes:
        pages: read and stored; `windows` of them finished.
        rows: as often as they were listed; `failures` of them were no success, `unreadable` made no sense.
        new: transactions that no run had seen; `alone` of them nobody had told us of either.
    """

    pages: int = 0
    windows: int = 0
    rows: int = 0
    failures: int = 0
    unreadable: int = 0
    new: int = 0
    alone: int = 0


class Run(Struct, kw_only=True):
    """A run of a sweep or backfill; see the table for its members."""

    run_id: int
    pair: str
    kind: str
    state: str
    mode: str
    dry_run: bool
    from_at: datetime
    to_at: datetime
    windows: list[Window]
    window: int
    next_row: int
    total_rows: int | None
    restarts: int
    counts: Counts
    attempts: int
    due_at: datetime
    requested_by: str
    error: JsonObject | None
    started_at: datetime
    changed_at: datetime
    finished_at: datetime | None


class NewRun(Struct, frozen=True, kw_only=True):
    """A run as it begins."""

    pair: str
    kind: str
    windows: tuple[Window, ...]
    at: datetime
    mode: str = "post"
    dry_run: bool = False
    requested_by: str = ""


_RUN = [sweep_runs.c[name] for name in Run.__struct_fields__]


def _run(row: JsonObject) -> Run:
    return msgspec.convert(row, Run)


async def begin(connection: AsyncConnection, new: NewRun) -> Run | None:
    """Begin a run; `None` when one of its kind is under way. Backfills may run beside each other."""
    statement = (
        insert(sweep_runs)
        .values(
            pair=new.pair,
            kind=new.kind,
            mode=new.mode,
            dry_run=new.dry_run,
            from_at=new.windows[0].start,
            to_at=new.windows[-1].end,
            windows=msgspec.to_builtins(new.windows),
            counts=msgspec.to_builtins(Counts()),
            due_at=new.at,
            started_at=new.at,
            changed_at=new.at,
            requested_by=new.requested_by,
        )
        .on_conflict_do_nothing()
        .returning(*_RUN)
    )
    row = document(await connection.execute(statement))
    return None if row is None else _run(row)


async def due(connection: AsyncConnection, pair: str, now: datetime) -> list[Run]:
    """Runs of a pair that can go on, oldest first; backfills last."""
    statement = (
        select(*_RUN)
        .where(sweep_runs.c.pair == pair, sweep_runs.c.state == "running", sweep_runs.c.due_at <= now)
        .order_by(sweep_runs.c.kind == "backfill", sweep_runs.c.run_id)
    )
    return [_run(row) for row in documents(await connection.execute(statement))]


async def one(connection: AsyncConnection, pair: str, run_id: int, *, locked: bool = False) -> Run | None:
    """A run, or `None`; `locked` until the transaction ends."""
    statement = select(*_RUN).where(sweep_runs.c.pair == pair, sweep_runs.c.run_id == run_id)
    row = document(await connection.execute(statement.with_for_update() if locked else statement))
    return None if row is None else _run(row)


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int, limit: int
) -> list[JsonObject]:
    """Runs as the API lists them, newest first."""
    statement = select(*_RUN).where(sweep_runs.c.pair == pair)
    for name, value in filters.items():
        statement = statement.where(sweep_runs.c[name] == value)
    if before:
        statement = statement.where(sweep_runs.c.run_id < before)
    return documents(await connection.execute(statement.order_by(sweep_runs.c.run_id.desc()).limit(limit)))


async def save(connection: AsyncConnection, run: Run) -> None:
    """Write a run down as it is; the caller holds its lock."""
    await connection.execute(
        update(sweep_runs)
        .where(sweep_runs.c.run_id == run.run_id)
        .values(
            state=run.state,
            windows=msgspec.to_builtins(run.windows),
            window=run.window,
            next_row=run.next_row,
            total_rows=run.total_rows,
            restarts=run.restarts,
            counts=msgspec.to_builtins(run.counts),
            attempts=run.attempts,
            due_at=run.due_at,
            error=run.error,
            changed_at=run.changed_at,
            finished_at=run.finished_at,
        )
    )


async def cursor(connection: AsyncConnection, pair: str) -> datetime | None:
    """Up to when complete turns have read the lists without a gap; `None` before the first."""
    found: datetime | None = await connection.scalar(
        select(func.max(sweep_runs.c.to_at)).where(
            sweep_runs.c.pair == pair, sweep_runs.c.kind == "sweep", sweep_runs.c.state == "done"
        )
    )
    return found


async def last_begun(connection: AsyncConnection, pair: str, kind: str) -> datetime | None:
    """When the last run of a kind began."""
    found: datetime | None = await connection.scalar(
        select(func.max(sweep_runs.c.started_at)).where(sweep_runs.c.pair == pair, sweep_runs.c.kind == kind)
    )
    return found


async def forget(connection: AsyncConnection, pair: str, before: datetime) -> int:
    """Forget turns that were over before a time and that no row belongs to, but not the last of a kind."""
    newest = (
        select(func.max(sweep_runs.c.run_id))
        .where(sweep_runs.c.pair == pair, sweep_runs.c.state == "done")
        .group_by(sweep_runs.c.kind)
    )
    first = select(func.min(sweep_runs.c.run_id)).where(sweep_runs.c.pair == pair).scalar_subquery()
    used = select(swept_rows.c.run_id).where(swept_rows.c.run_id == sweep_runs.c.run_id).exists()
    gone = await connection.execute(
        delete(sweep_runs).where(
            sweep_runs.c.pair == pair,
            sweep_runs.c.finished_at < before,
            sweep_runs.c.kind.in_(("sweep", "nightly")),
            sweep_runs.c.run_id.not_in(newest),
            sweep_runs.c.run_id != first,
            ~used,
        )
    )
    return int(gone.rowcount)
