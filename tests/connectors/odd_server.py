"""A server that reads whole requests and does with each what it is told, however odd."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from integration.http_wire import Origin, Wire

Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Reads whole requests and does with each what it is told; counts connections and requests."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                _, _, length = head.lower().partition(b"content-length:")
                request = head + await reader.readexactly(int(length.partition(b"\r\n")[0] or b"0"))
                self.requests.append(request)
                await self.behave(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


def reply(status: str, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answering(raw: bytes) -> Behaviour:
    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return behave


async def drop(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(reply("200 OK", b'{"a":1}')[:-3])
    await writer.drain()
    writer.close()


async def never(_: bytes, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


@asynccontextmanager
async def serving(
    behave: Behaviour, secure: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Server, str]]:
    """The server and the base URL of its clients."""
    server = Server(behave)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=secure)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield server, f"{'https' if secure else 'http'}://127.0.0.1:{port}/base"
    finally:
        listening.close()


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/", maxsplit=1)[0])


@asynccontextmanager
async def wired(behave: Behaviour, slots: int = 2) -> AsyncIterator[tuple[Server, Wire]]:
    """The server, and a wire that leads to it."""
    async with serving(behave) as (server, url):
        wire = Wire(Origin(host="127.0.0.1", port=port_of(url)), slots)
        try:
            yield server, wire
        finally:
            wire.close()


def in_turn(*answers: Behaviour) -> Behaviour:
    left = list(answers)

    async def behave(request: bytes, writer: asyncio.StreamWriter) -> None:
        await left.pop(0)(request, writer)

    return behave


def then_close(raw: bytes) -> Behaviour:
    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    return behave
