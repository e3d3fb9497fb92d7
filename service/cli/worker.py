"""`opayo-syspro worker`: work the lanes beside a running service."""

from __future__ import annotations

import asyncio
import signal
from importlib import import_module

import rich_click as click
import uvloop

from service.core.card_data import mask
from service.settings import Settings
from service.store.database import create_engine, database
from service.telemetry import configure


@click.command("worker")
def command() -> None:
    """Work the lanes of every pair until SIGTERM; run as many as you like, on any machine."""
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with database(url, settings.data_dir, meanwhile=lambda: import_module("service.app")) as held:
        uvloop.run(_work(settings, held.url))


async def _work(settings: Settings, url: str) -> None:
    from service.app import build_stages
    from service.jobs.worker import Worker
    from service.store.migrations import migrate
    from service.store.vault import open_vault

    migrate(url)
    engine = create_engine(url)
    vault = open_vault([key.get_secret_value() for key in settings.vault_keys], settings.data_dir)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with Worker(build_stages(settings, engine, vault), url, settings).running():
        click.echo("working")
        await stopping.wait()
    await engine.dispose()
