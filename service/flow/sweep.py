"""The sweeper: reads what Opayo lists, page by page, and tells the inbox of what nobody told us.

A page, the messages it leads to and the cursor are one transaction. Whoever dies begins at the same page again, and
two who read the same page store the same messages: an event's id is made of the transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.listing import ListedTransaction, ListingPage, ListingWindow
from integration.errors import IntegrationError, Misconfigured, Rejected, TooManyRows, Transient
from integration.ports import Gateway
from service.core.card_data import find_cards, mask
from service.core.sweeping import (
    LISTED,
    RECORDED,
    SweepSettings,
    Watched,
    halved,
    is_history,
    next_look,
    state_of_row,
    webhook_is_broken,
)
from service.flow.recovery import as_document
from service.flow.stages import Surroundings
from service.store import alerts, audit, inbox, sweeps, swept
from service.store.alerts import Alert
from service.store.inbox import Delivery
from service.store.sweeps import Run
from service.store.swept import SweptRow
from service.telemetry import SWEPT

log = structlog.get_logger()

# An authenticate takes no money: what is authorised on it are rows of their own.
_NO_MONEY = frozenset({"authenticate"})
_RESTARTS = 3
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
_TELL_AFTER = 5


class Sweeper(Struct, frozen=True, kw_only=True):
    """What reads the lists of one pair; `until` is by the monotonic clock when it rests."""

    shared: Surroundings
    pair: str
    rules: SweepSettings
    gateway: Gateway
    until: float

    @property
    def now(self) -> datetime:
        """Aware UTC now."""
        return self.shared.clock()

    @property
    def late(self) -> bool:
        """Whether its time is up."""
        return self.shared.monotonic() >= self.until

    async def rest(self, calls: int = 1) -> None:
        """Wait as long as so many calls may take at the rate that is allowed."""
        await asyncio.sleep(60 / self.rules.calls_per_minute / self.shared.pace * calls)


async def go_on(sweeper: Sweeper, run: Run) -> Run:
    """Read page after page of a run until it ends, fails, is stopped by somebody, or time is up."""
    while run.state == "running" and run.due_at <= sweeper.now and not sweeper.late:
        run = await _page(sweeper, run)
        await sweeper.rest()
    return run


async def _page(sweeper: Sweeper, run: Run) -> Run:
    window = run.windows[run.window]
    asked = ListingWindow(start=window.start, end=window.end, first_row=run.next_row)
    try:
        page = await sweeper.gateway.listed(asked)
    except IntegrationError as error:
        return await _failed(sweeper, run, error)
    async with sweeper.shared.engine.begin() as connection:
        ours = await _ours(connection, run)
        if ours is None:
            return await _as_it_is(connection, run)
        if ours.total_rows not in (None, page.total) and ours.restarts < _RESTARTS:
            # Rows came or went while it was paged, so the others moved: begin the window again.
            ours.next_row, ours.total_rows, ours.restarts = 1, None, ours.restarts + 1
        else:
            await _keep(connection, sweeper, ours, page)
        ours.attempts, ours.error, ours.changed_at = 0, None, sweeper.now
        await sweeps.save(connection, ours)
    return ours


async def _ours(connection: AsyncConnection, run: Run) -> Run | None:
    """The run, locked, if it still is where we read; `None` when somebody stopped it or moved it on."""
    found = await sweeps.one(connection, run.pair, run.run_id, locked=True)
    same = found is not None and (found.window, found.next_row, found.windows) == (
        run.window,
        run.next_row,
        run.windows,
    )
    return found if found is not None and same and found.state == "running" else None


async def _as_it_is(connection: AsyncConnection, run: Run) -> Run:
    found = await sweeps.one(connection, run.pair, run.run_id)
    assert found is not None
    return found


async def _keep(connection: AsyncConnection, sweeper: Sweeper, run: Run, page: ListingPage) -> None:
    counts = run.counts
    counts.pages += 1
    counts.rows += len(page.rows) + len(page.unreadable)
    counts.failures += sum(not row.succeeded for row in page.rows)
    counts.unreadable += len(page.unreadable)
    await _take(connection, sweeper, run, page.rows)
    if page.unreadable:
        await alerts.raise_all(connection, [_unreadable(run, page.unreadable)])
    run.next_row, run.total_rows = page.next_row or 1, page.total
    if page.next_row is not None:
        return
    run.window, run.total_rows, run.restarts = run.window + 1, None, 0
    counts.windows += 1
    if run.window == len(run.windows):
        run.state, run.finished_at = "done", sweeper.now
        await _finished(connection, sweeper, run)


async def _take(
    connection: AsyncConnection, sweeper: Sweeper, run: Run, rows: Sequence[ListedTransaction]
) -> None:
    """Keep the rows that are new, and tell the inbox of those that nobody told us of."""
    ids = [row.transaction_id for row in rows]
    known = await swept.told_of(connection, run.pair, ids) if ids else set()
    if run.dry_run:
        fresh = {row.transaction_id for row in rows if row.succeeded} - (
            await swept.seen(connection, run.pair, ids) if ids else set()
        )
    else:
        fresh = await swept.add_rows(connection, [_row(sweeper, run, row, known) for row in rows])
    new = [row for row in rows if row.succeeded and row.transaction_id in fresh]
    told = [row for row in new if row.transaction_id not in known and row.kind not in _NO_MONEY]
    run.counts.new += len(new)
    run.counts.alone += len(told)
    if run.dry_run:
        return
    if told:
        await inbox.store(connection, [_hint(sweeper, run, row) for row in told])
    SWEPT.labels(run.pair, "known").inc(len(new) - len(told))
    SWEPT.labels(run.pair, "history" if run.kind == "backfill" else "alone").inc(len(told))
    SWEPT.labels(run.pair, "failure").inc(
        sum(not row.succeeded and row.transaction_id in fresh for row in rows)
    )


def _code(row: ListedTransaction) -> str:
    return "" if find_cards(row.vendor_tx_code) else row.vendor_tx_code


def _row(sweeper: Sweeper, run: Run, row: ListedTransaction, known: set[str]) -> SweptRow:
    now, state = sweeper.now, state_of_row(row.kind) if row.succeeded else ""
    watched = Watched(state=state, settled=False, started_at=row.started_at or now)
    nobody_told = row.succeeded and row.transaction_id not in known and row.kind not in _NO_MONEY
    history = is_history(row.started_at, run.mode, sweeper.rules)
    return SweptRow(
        pair=run.pair,
        transaction_id=row.transaction_id,
        vendor_tx_code=_code(row),
        kind=row.kind,
        succeeded=row.succeeded,
        amount_minor=row.amount.minor if row.amount else None,
        currency=row.amount.currency if row.amount else "",
        started_at=row.started_at,
        started_text=mask(row.started_text),
        run_id=run.run_id,
        run_kind=run.kind,
        alone=nobody_told and run.kind != "backfill" and not history,
        seen_at=now,
        state=state,
        look_at=next_look(watched, now, sweeper.rules) if row.succeeded else None,
    )


def _hint(sweeper: Sweeper, run: Run, row: ListedTransaction) -> Delivery:
    history = is_history(row.started_at, run.mode, sweeper.rules)
    return Delivery(
        pair=run.pair,
        source="sweep",
        event_id=f"{row.transaction_id}/success",
        kind=RECORDED if history else LISTED,
        transaction_id=row.transaction_id,
        vendor_tx_code=_code(row),
        body=mask(msgspec.json.encode(row).decode()).encode(),
        occurred_at=row.started_at,
    )


def _unreadable(run: Run, sentences: Sequence[str]) -> Alert:
    error = Rejected(
        f"{len(sentences)} rows of Opayo's list make no sense: {sentences[0]}",
        code="sweep.unreadable-rows",
        hint="The other rows were taken. Find these in MyOpayo by their time, and report the case.",
        evidence={"run_id": run.run_id},
    )
    return Alert(
        pair=run.pair, code=error.error_code, subject="sweep", title=error.title, error=as_document(error)
    )


async def _finished(connection: AsyncConnection, sweeper: Sweeper, run: Run) -> None:
    detail = {"run_id": run.run_id, "kind": run.kind, **msgspec.to_builtins(run.counts)}
    line = audit.Line(
        pair=run.pair, actor=run.requested_by or "road", action=f"{_word(run)}.finished", detail=detail
    )
    if run.counts.alone or run.kind in ("asked", "backfill"):
        await audit.write(connection, [line])
    if run.kind == "backfill":
        return
    new, alone = await swept.share(connection, run.pair, sweeper.now - timedelta(days=1))
    if not webhook_is_broken(new, alone, sweeper.rules):
        return
    error = Rejected(
        f"{alone} of the {new} new transactions of a day were found by the sweeper alone",
        code="sweep.webhook-broken",
        hint="They are on the road. Find out why nobody told us: webhook address, secret, or whoever relays.",
        evidence={"new": new, "alone": alone},
    )
    alert = Alert(
        pair=run.pair, code=error.error_code, subject="webhook", title=error.title, error=as_document(error)
    )
    await alerts.raise_all(connection, [alert])


def _word(run: Run) -> str:
    return "backfill" if run.kind == "backfill" else "sweep"


async def _failed(sweeper: Sweeper, run: Run, error: IntegrationError) -> Run:
    """Narrow the window, wait, or give the run up: by the class of the error."""
    async with sweeper.shared.engine.begin() as connection:
        ours = await _ours(connection, run)
        if ours is None:
            return await _as_it_is(connection, run)
        halves = halved(ours.windows[ours.window]) if isinstance(error, TooManyRows) else None
        if halves is not None:
            ours.windows[ours.window : ours.window + 1] = halves
            ours.next_row, ours.total_rows = 1, None
        elif isinstance(error, Rejected):
            ours.state, ours.finished_at = "failed", sweeper.now
        else:
            ours.attempts += 1
            ours.due_at = sweeper.now + _wait(ours.attempts, error) / sweeper.shared.pace
        ours.error = None if halves is not None else as_document(error)
        ours.changed_at = sweeper.now
        await sweeps.save(connection, ours)
        if halves is None and (not isinstance(error, Transient) or ours.attempts == _TELL_AFTER):
            await alerts.raise_all(connection, [_alert(ours, error)])
    log.warning("sweep.page_failed", pair=run.pair, run_id=run.run_id, code=error.error_code)
    return ours


def _wait(attempts: int, error: IntegrationError) -> timedelta:
    asked = error.retry_after if isinstance(error, Transient) else None
    doubled: timedelta = _FIRST_WAIT * 2 ** min(attempts - 1, 8)
    return max(min(doubled, _LONGEST_WAIT), timedelta(seconds=asked or 0))


def _alert(run: Run, error: IntegrationError) -> Alert:
    severity = "critical" if isinstance(error, Misconfigured) else "warning"
    return Alert(
        pair=run.pair,
        code=error.error_code,
        subject="sweep",
        title=error.title,
        severity=severity,
        error=as_document(error),
    )
