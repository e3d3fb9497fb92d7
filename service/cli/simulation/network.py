"""The network between our handlers and the stand-ins: no sockets, and everything that goes wrong on a line."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from integration import last_word
from integration.http_message import Lost, Reply, Request
from integration.http_wire import NeverSent, Origin
from service.cli.simulation.process import PROCESS

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


class LineRates(Struct, frozen=True, kw_only=True):
    """What a line does, by chance per call.

    Attributes:
        refused: no connection.
        lost_before: the request never arrives.
        lost_after: it is carried out, and its answer lost.
        late: seconds, on average, from the request's sending until it is carried out (`late_most` at most).
        slow: seconds, on average, from then until the answer is there.
    """

    refused: float = 0.0
    lost_before: float = 0.0
    lost_after: float = 0.0
    late: float = 0.0
    late_most: float = 25.0
    slow: float = 0.0


CALM = LineRates()


class Network:
    """Carries calls to ASGI applications by their host name.

    Attributes:
        lines: rates by host; a host without any has a good line.
        trace: told of everything that happened, in order.
    """

    def __init__(self, draw: random.Random, trace: Callable[[str], None]) -> None:
        self.apps: dict[str, App] = {}
        self.lines: dict[str, LineRates] = {}
        self.trace = trace
        self.calls = 0
        self._draw = draw
        self._outside = contextvars.copy_context()

    def wire(self, origin: Origin, slots: int) -> SimulatedWire:
        """What the connectors' HTTP client takes for a connection."""
        return SimulatedWire(self, origin.host, slots)

    async def carry(self, host: str, request: Request, seconds: float) -> Reply:
        """Carry a request of a process there and its answer back.

        Raises:
            NeverSent, Lost: as a real line would.
        """
        process = PROCESS.get()
        rates = self.lines.get(host, CALM)
        self.calls += 1
        head = request.data.split(b"\r\n", 1)[0].decode("latin-1").split("?")[0]
        name = f"{process.name if process else '-'} {host} {head}"
        if process is not None and not process.alive:
            raise NeverSent("the process is dead")
        if self._draw.random() < rates.refused:
            self.trace(f"{name} refused")
            raise NeverSent("ConnectionRefusedError")
        await asyncio.sleep(0.0005)  # a connection is made, or one that was kept is looked at
        last_word.ask()
        before = self._draw.random() < rates.lost_before
        after = not before and self._draw.random() < rates.lost_after
        late = 0.001 + min(self._exponential(rates.late), rates.late_most)
        slow = 0.001 + self._exponential(rates.slow)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()
        if not before:
            # The other side goes on whatever becomes of the caller.
            work = self._served(name, host, request, (late, slow), None if after else answer)
            loop.create_task(work, context=self._outside.copy()).add_done_callback(_seen)
        try:
            async with asyncio.timeout(self._patience(before or after, seconds)):
                return await answer
        except TimeoutError:
            self.trace(f"{name} lost {'before' if before else 'after'}")
            raise Lost("the answer did not come") from None

    def _patience(self, lost: bool, seconds: float) -> float:
        # A line that broke is noticed at once as often as never.
        return self._draw.uniform(0.01, 2.0) if lost and self._draw.random() < 0.5 else seconds

    def _exponential(self, mean: float) -> float:
        return self._draw.expovariate(1 / mean) if mean else 0.0

    async def _served(
        self,
        name: str,
        host: str,
        request: Request,
        delays: tuple[float, float],
        answer: asyncio.Future[Reply] | None,
    ) -> None:
        await asyncio.sleep(delays[0])
        try:
            reply = await call(self.apps[host], parsed(request.data, host))
        except ConnectionError:
            self.trace(f"{name} dropped")
            await asyncio.sleep(delays[1])
            if answer is not None and not answer.done():
                answer.set_exception(Lost("the connection was closed"))
            return
        self.trace(f"{name} {reply.status}{'' if answer else ' answer lost'}")
        await asyncio.sleep(delays[1])
        if answer is not None and not answer.done():
            answer.set_result(reply)


def _seen(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()


class SimulatedWire:
    """Stands where `integration.http_wire.Wire` stands."""

    def __init__(self, network: Network, host: str, slots: int) -> None:
        self._network = network
        self._host = host
        self._room = asyncio.Semaphore(slots)

    async def exchange(self, request: Request, seconds: float) -> Reply:
        """Send a request, once, and read the whole answer.

        Raises:
            NeverSent, Lost: as the real one.
        """
        async with self._room:
            return await self._network.carry(self._host, request, seconds)

    def close(self) -> None:
        """Nothing is kept."""


class Message(Struct, frozen=True):
    """A request as an ASGI application takes it."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    host: str


def parsed(data: bytes, host: str) -> Message:
    """A request that our own client wrote."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    headers = []
    for line in lines:
        name, _, value = line.partition(b": ")
        headers.append((name.lower(), value))
    return Message(method, path, query.encode("latin-1"), tuple(headers), body, host)


def message(method: str, path: str, body: bytes, headers: Mapping[str, str], host: str) -> Message:
    """A request of the world outside."""
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    pairs += [(b"host", host.encode()), (b"content-length", str(len(body)).encode())]
    return Message(method, path, b"", tuple(pairs), body, host)


async def call(app: App, request: Message) -> Reply:
    """Call an ASGI application with one request.

    Raises:
        ConnectionError: the application dropped the connection.
    """
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.headers),
        "client": ("127.0.0.1", 1),
        "server": (request.host, 80),
        "state": {},
    }
    left = [request.body]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(part: MutableMapping[str, Any]) -> None:
        sent.append(part)

    await app(scope, receive, send)
    start = next((part for part in sent if part["type"] == "http.response.start"), None)
    if start is None:
        raise ConnectionResetError("no answer")
    headers = {bytes(n).decode("latin-1").lower(): bytes(v).decode("latin-1") for n, v in start["headers"]}
    body = b"".join(part.get("body", b"") for part in sent if part["type"] == "http.response.body")
    return Reply(start["status"], headers, body)
