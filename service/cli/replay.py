"""`opayo-syspro replay`: send waiting payments round again, straight in the database."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime

import rich_click as click
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.errors import IntegrationError, NotFound
from service.core.card_data import mask
from service.core.lifecycle import IllegalMove
from service.flow.desk import Desk
from service.flow.library import Library
from service.flow.replay import Way, replay, replay_message
from service.settings import Settings
from service.store import dead_letters, pairs
from service.store.database import create_engine, database
from service.store.dead_letters import Filters
from service.store.migrations import migrate
from service.store.pairs import PairSettings
from service.store.vault import open_vault
from service.telemetry import configure

_MOST = 100_000


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be replayed: one payment, or every dead letter of a cause, or all."""

    pair: str
    code: str
    payment: int | None
    way: Way
    dry_run: bool


@click.command("replay")
@click.option("--pair", required=True, help="The pair whose payments are meant.")
@click.option("--code", default="", help="Only dead letters with this cause (`syspro.unknown-customer`).")
@click.option("--payment", type=int, default=None, help="Only this payment, by its id.")
@click.option(
    "--from",
    "from_step",
    default="",
    help="Begin at this step, or at the `start`; where each stopped if left out.",
)
@click.option("--flow-version", type=int, default=None, help="Walk this version; the live one when left out.")
@click.option("--same-flow", is_flag=True, help="Walk the version of the flow that each walks already.")
@click.option("--dry-run", is_flag=True, help="Say how many would be replayed, and change nothing.")
def command(dry_run: bool, flow_version: int | None, from_step: str, **which: object) -> None:
    """Send dead payments and messages round again; the service's lanes take them from there."""
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    wanted = Wanted(
        pair=str(which["pair"]),
        code=str(which["code"]),
        payment=which["payment"] if isinstance(which["payment"], int) else None,
        way=Way(from_step=from_step, flow_version=flow_version, same_version=bool(which["same_flow"])),
        dry_run=dry_run,
    )
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with database(url, settings.data_dir) as held:
        asyncio.run(replay_all(settings, held.url, wanted))


async def replay_all(settings: Settings, url: str, wanted: Wanted) -> None:
    """Replay what is wanted, and say on the output how much of it went."""
    migrate(url)
    engine = create_engine(url)
    vault = open_vault([key.get_secret_value() for key in settings.vault_keys], settings.data_dir)
    try:
        async with engine.connect() as connection:
            pair = await pairs.load(connection, vault, wanted.pair)
            if pair is None:
                raise NotFound(f"There is no pair `{wanted.pair}`", code="pair.unknown", hint="Name another.")
            filters = Filters(code=wanted.code)
            letters = await dead_letters.listed(connection, wanted.pair, filters, limit=_MOST)
        ids = [(row["payment_id"], row["inbox_id"]) for row in letters]
        if wanted.payment is not None:
            ids = [(wanted.payment, None)]
        if wanted.dry_run:
            click.echo(f"{len(ids)} would be replayed")
            return
        done = 0
        for payment_id, inbox_id in ids:
            done += await _one(engine, pair, (payment_id, inbox_id), wanted.way)
        click.echo(f"{done} of {len(ids)} replayed")
    finally:
        await engine.dispose()


async def _one(engine: AsyncEngine, pair: PairSettings, which: tuple[object, object], way: Way) -> bool:
    """Replay one payment or message; whether it went."""
    payment_id, inbox_id = which
    try:
        async with engine.begin() as connection:
            desk = Desk(
                connection=connection,
                pair=pair,
                library=Library(),
                now=datetime.now(UTC),
                actor=f"command line ({getpass.getuser()})",
            )
            if isinstance(payment_id, int):
                await replay(desk, payment_id, way)
            else:
                await replay_message(desk, int(str(inbox_id)))
    except (IntegrationError, IllegalMove) as error:
        what = f"payment {payment_id}" if payment_id else f"message {inbox_id}"
        click.echo(f"{what} stays: {error}", err=True)
        return False
    return True
