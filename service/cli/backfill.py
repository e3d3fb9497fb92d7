"""`opayo-syspro backfill`: read a stretch of history from Opayo's lists, straight in the database."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import rich_click as click
from msgspec import Struct, convert

from integration.errors import NotFound
from service.app import connect
from service.core.card_data import mask
from service.flow import sweep_runs
from service.flow.stages import Stages, Surroundings
from service.flow.sweep import go_on
from service.flow.sweep_runs import Person, Range
from service.settings import Settings
from service.store import sweeps
from service.store.database import create_engine, database
from service.store.migrations import migrate
from service.store.sweeps import Run
from service.store.vault import open_vault
from service.telemetry import configure

_SLICE = 2.0


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be read: a range of days, or a run that stopped."""

    pair: str
    start: str
    end: str
    mode: Literal["", "record", "post"]
    resume: int | None
    dry_run: bool


@click.command("backfill")
@click.option("--pair", required=True, help="The pair whose history is read.")
@click.option("--from", "start", default="", help="The first day (2026-01-31) or moment, in UK time.")
@click.option("--to", "end", default="", help="The day or moment to end before; now when left out.")
@click.option(
    "--mode",
    type=click.Choice(["record", "post"]),
    default=None,
    help="Record what is found, or post it; the pair's setting when left out.",
)
@click.option("--resume", type=int, default=None, help="Go on with this run instead of a new one.")
@click.option("--dry-run", is_flag=True, help="Count, and change nothing.")
def command(**options: str | int | bool | None) -> None:
    """Read transactions that started in a range; with Ctrl-C it pauses, and goes on with --resume."""
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    wanted = convert({**options, "mode": options["mode"] or ""}, Wanted)
    if not wanted.start and wanted.resume is None:
        raise click.UsageError("Say where it begins with --from, or which run goes on with --resume.")
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with database(url, settings.data_dir) as held:
        asyncio.run(fill(settings, held.url, wanted))


async def fill(settings: Settings, url: str, wanted: Wanted) -> Run:
    """Read what is wanted to its end, and say how far it is; stopped in between, the run is paused."""
    migrate(url)
    engine = create_engine(url)
    vault = open_vault([key.get_secret_value() for key in settings.vault_keys], settings.data_dir)
    stages = Stages(Surroundings(engine=engine, vault=vault, connect=connect, pace=settings.pace))
    person = Person(name=f"command line ({getpass.getuser()})", now=datetime.now(UTC))
    try:
        run = await _begun(stages, wanted, person)
        click.echo(
            f"run {run.run_id}: {run.from_at:%Y-%m-%d %H:%M} to {run.to_at:%Y-%m-%d %H:%M} UTC, {run.mode}"
        )
        try:
            while run.state == "running":
                _, sweeper = await sweep_runs.sweeper_of(stages, wanted.pair, _SLICE)
                run = await go_on(sweeper, run)
                click.echo(told(run))
                await _until_due(run, stages)
        except asyncio.CancelledError:
            async with engine.begin() as connection:
                await sweep_runs.switch(connection, wanted.pair, run.run_id, "paused", person)
            click.echo(f"paused; go on with --resume {run.run_id}")
            raise
        return run
    finally:
        await stages.close()
        await engine.dispose()


async def _begun(stages: Stages, wanted: Wanted, person: Person) -> Run:
    settings, _ = await stages.connections(wanted.pair)
    async with stages.shared.engine.begin() as connection:
        if wanted.resume is None:
            end = moment(wanted.end) if wanted.end else person.now
            asked = Range(start=moment(wanted.start), end=end, mode=wanted.mode, dry_run=wanted.dry_run)
            return await sweep_runs.backfill(connection, settings, asked, person.now, person.name)
        run = await sweeps.one(connection, wanted.pair, wanted.resume)
        if run is None:
            raise NotFound(f"There is no run {wanted.resume}", code="sweep.unknown", hint="Name another.")
        if run.state != "running":
            run = await sweep_runs.switch(connection, wanted.pair, run.run_id, "running", person)
        return run


async def _until_due(run: Run, stages: Stages) -> None:
    if run.state == "running" and (wait := (run.due_at - stages.shared.clock()).total_seconds()) > 0:
        await asyncio.sleep(min(wait, timedelta(minutes=1).total_seconds()))


def moment(text: str) -> datetime:
    """A day or moment as a person writes it; without a zone it is the United Kingdom's.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is no day or moment such as 2026-01-31") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo("Europe/London"))


def told(run: Run) -> str:
    """How far a run is, in a line."""
    counts = run.counts
    what = f"{counts.alone} would be taken" if run.dry_run else f"{counts.alone} taken"
    line = f"{run.state}: {run.window} of {len(run.windows)} windows, {counts.rows} rows, {counts.new} new, {what}"
    return f"{line}; {run.error['title']}" if run.error else line
