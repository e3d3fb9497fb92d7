"""`opayo-syspro doctor`: both systems, light by light, and what to do about each red one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table

from service.cli.lights.board import Light
from service.cli.lights.examination import Practice, examine
from service.core.card_data import mask
from service.settings import Settings
from service.store.database import create_engine, database
from service.telemetry import configure

_MARKS = {"green": "[green]●[/]", "red": "[red]●[/]", "not checked": "[dim]○[/]"}
_RED = 1


@click.command("doctor")
@click.option("--pair", default=None, help="Check one pair only.")
@click.option("--json", "as_json", is_flag=True, help="Print the lights as JSON.")
@click.option(
    "--log-on/--no-log-on",
    default=True,
    help="Whether to log on to SYSPRO; without, its lights beyond the connection are not checked.",
)
@click.pass_context
def command(context: click.Context, pair: str | None, as_json: bool, log_on: bool) -> None:
    """Check settings, database, Opayo, SYSPRO and shop of every pair.

    Logging on to SYSPRO ends the session that anybody has as the same operator. A running service logs on again by
    itself; a person is thrown out.

    The exit code is 0 when no light is red, and 1 when one is. A light that is not checked is not red.
    """
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with database(url, settings.data_dir) as held:
        lights = asyncio.run(_check(settings, held.url, pair, log_on))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(lights), indent=2))
    else:
        _show(lights)
    if any(light.red for light in lights):
        context.exit(_RED)


def _show(lights: Sequence[Light]) -> None:
    shown = Table("", "pair", "light", "what was found", "what to do")
    for light in lights:
        shown.add_row(_MARKS[light.state], light.pair, light.name, light.found, light.advice)
    Console().print(shown)
    click.echo(_summary(lights))


def _summary(lights: Sequence[Light]) -> str:
    counted = Counter(light.state for light in lights)
    red, dark = counted["red"], counted["not checked"]
    rest = f", {dark} not checked" if dark else ""
    if red:
        verb = "is" if red == 1 else "are"
        return f"{red} of {len(lights)} lights {verb} red{rest}"
    if dark:
        return f"{counted['green']} of {len(lights)} lights are green{rest}"
    return f"all {len(lights)} lights are green"


async def _check(settings: Settings, url: str, pair: str | None, log_on: bool) -> list[Light]:
    from service.app import connect, seed
    from service.store.migrations import migrate
    from service.store.vault import open_vault

    migrate(url)
    engine = create_engine(url)
    try:
        vault = open_vault([key.get_secret_value() for key in settings.vault_keys], settings.data_dir)
        await seed(settings, engine, vault)
        practice = Practice(settings=settings, engine=engine, vault=vault, connect=connect, log_on=log_on)
        return await examine(practice, pair)
    finally:
        await engine.dispose()
