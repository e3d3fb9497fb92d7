"""uvicorn, as `serve` runs it: one process, no access log, and one line when it is ready."""

from __future__ import annotations

import signal
import socket

import rich_click as click
import uvicorn
from litestar import Litestar


def run(application: Litestar, listening: socket.socket) -> None:
    """Serve an application on an open socket until SIGTERM or SIGINT, then finish what is under way."""
    server = _Server(
        uvicorn.Config(
            application,
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
