"""`opayo-syspro doctor`: both systems, light by light, and what to do about each red one."""

from __future__ import annotations

import asyncio

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table

from service.cli.lights import Light, Practice, examine
from service.core.card_data import mask
from service.settings import Settings
from service.store.database import create_engine, database
from service.telemetry import configure


@click.command("doctor")
@click.option("--pair", default=None, help="Check one pair only.")
@click.option("--json", "as_json", is_flag=True, help="Print the lights as JSON.")
def command(pair: str | None, as_json: bool) -> None:
    """Check settings, database, Opayo, SYSPRO and shop of every pair.

    Logging on to SYSPRO ends the session that a running service has as the same operator; it logs on again by itself.
    """
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with database(url, settings.data_dir) as held:
        lights = asyncio.run(_check(settings, held.url, pair))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(lights), indent=2))
        return
    shown = Table("", "pair", "light", "what was found", "what to do")
    for light in lights:
        mark = "[green]●[/]" if light.green else "[red]●[/]"
        shown.add_row(mark, light.pair, light.name, light.found, light.advice)
    Console().print(shown)
    red = sum(not light.green for light in lights)
    click.echo(f"{red} of {len(lights)} lights are red" if red else f"all {len(lights)} lights are green")


async def _check(settings: Settings, url: str, pair: str | None) -> list[Light]:
    from service.app import connect, seed
    from service.store.migrations import migrate
    from service.store.vault import open_vault

    migrate(url)
    engine = create_engine(url)
    try:
        vault = open_vault([key.get_secret_value() for key in settings.vault_keys], settings.data_dir)
        await seed(settings, engine, vault)
        return await examine(Practice(settings=settings, engine=engine, vault=vault, connect=connect), pair)
    finally:
        await engine.dispose()
