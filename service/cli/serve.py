"""`opayo-syspro serve`: API and worker in one process."""

from __future__ import annotations

import socket
from importlib import import_module

import rich_click as click

from service.core.card_data import mask
from service.settings import Settings
from service.store.database import database
from service.telemetry import configure


@click.command("serve")
@click.option("--host", default=None, help="Address to listen on; OPAYO_SYSPRO_HOST when left out.")
@click.option("--port", type=int, default=None, help="Port to listen on; 0 takes a free one.")
def command(host: str | None, port: int | None) -> None:
    """Run the service: the API, and the worker of every lane."""
    settings = Settings()
    configure(settings.log_level, settings.log_format, mask)
    with database(_url(settings), settings.data_dir, meanwhile=_load) as held:
        from service.app import create_app
        from service.cli.server import run

        run(
            create_app(settings, held),
            _listen(host or settings.host, settings.port if port is None else port),
        )


def _load() -> None:
    # Half of a start's time is importing, the other half waiting for PostgreSQL.
    for module in ("service.app", "service.cli.server"):
        import_module(module)


def _url(settings: Settings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else None


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
        ) from error
    return listening
