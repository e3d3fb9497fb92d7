"""Serve an ASGI application on a free port of this machine, inside the running event loop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def served(app: Any, port: int = 0, http: str = "auto") -> AsyncIterator[str]:
    """Run ``app`` under uvicorn and yield its base URL, for example ``http://127.0.0.1:40123``.

    The port is listening before the URL is handed out. On exit every connection is cut, running requests are
    cancelled and the lifespan is ended, without uvicorn's pauses for signals and lingering clients.
    """
    # Without the protocol's number asyncio leaves Nagle's algorithm on, and every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="warning", access_log=False, http=http, lifespan="auto")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    await server.on_tick(0)
    ticking = asyncio.create_task(_tick(server))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ticking.cancel()
        await _stop(server, listener)


async def _tick(server: uvicorn.Server) -> None:
    """Let the `Date` of answers go on: uvicorn writes it anew at every tenth tick."""
    while True:
        await asyncio.sleep(1)
        await server.on_tick(0)


async def _stop(server: uvicorn.Server, listener: socket.socket) -> None:
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()
    running = list(server.server_state.tasks)
    log = logging.getLogger("uvicorn.error")
    # uvicorn reports a cancelled request as an error of the application; here it is the end of a test.
    log.disabled = True
    try:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    finally:
        log.disabled = False
    await server.lifespan.shutdown()
    listener.close()
