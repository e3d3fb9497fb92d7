"""`opayo-syspro vault`: change the key under which the database's secrets are sealed."""

from __future__ import annotations

import asyncio

import rich_click as click

from service.core.card_data import mask
from service.settings import Settings
from service.store.database import create_engine, database
from service.store.migrations import migrate
from service.store.sealed import reseal
from service.store.vault import Vault, open_vault, turn_key
from service.telemetry import configure


@click.group("vault")
def command() -> None:
    """Change the key under which passwords, card identifiers and other secrets are sealed."""


@command.command("rotate")
def rotate() -> None:
    """Put a new key in front and every sealed secret under it; the service may run meanwhile.

    With keys in the settings, put the new one in front of OPAYO_SYSPRO_VAULT_KEYS yourself and start every process
    again first: then this seals everything under it.
    """
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    given = [key.get_secret_value() for key in settings.vault_keys]
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with database(url, settings.data_dir) as found:
        migrate(found.url)
        counts = asyncio.run(_rotate(found.url, settings, given))
    for table, count in counts.items():
        click.echo(f"{count:8} in {table}")
    where = "OPAYO_SYSPRO_VAULT_KEYS" if given else "the key file"
    click.echo(
        f"All of it is sealed under the first key of {where}; the second one opens what was copied before."
    )


async def _rotate(url: str, settings: Settings, given: list[str]) -> dict[str, int]:
    engine = create_engine(url)
    try:
        current: Vault = open_vault(given, settings.data_dir)
        # The second key goes when a new one comes: nothing may depend on it any more.
        counts = await reseal(engine, current)
        if given:
            return counts
        return await reseal(engine, turn_key(settings.data_dir))
    finally:
        await engine.dispose()
