"""`opayo-syspro serve`: API and worker in one process."""

from __future__ import annotations

import signal
import socket

import rich_click as click
import uvicorn

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
    with database(_url(settings), settings.data_dir) as held:
        from service.app import create_app

        listening = _listen(host or settings.host, settings.port if port is None else port)
        server = _Server(
            uvicorn.Config(
                create_app(settings, held),
                loop="uvloop",
                http="httptools",
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=5,
            )
        )
        # uvicorn raises the signal that stopped it once more; it must not end us before the database is released.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        server.run([listening])


class _Server(uvicorn.Server):
    """Says in one line on the output that it is ready, and where."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            click.echo(f"ready http://{f'[{host}]' if ':' in host else host}:{port}")


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
