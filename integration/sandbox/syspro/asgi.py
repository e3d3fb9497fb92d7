"""The little of HTTP that the sandbox's faces need, straight on ASGI: cheap enough for thousands of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from integration.sandbox.faults import FiredFault, sandbox_fault

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_TYPE = "application/json; charset=utf-8"


class Request(msgspec.Struct):
    """One HTTP request, read whole; header names are lower-case, ``raw_…`` are still percent-encoded."""

    method: str
    path: str
    raw_path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    fault: FiredFault | None = None
    raw_query: bytes = b""

    def fault_named(self, name: str) -> FiredFault | None:
        """The system fault ordered for this request, when it is the one named."""
        return self.fault if self.fault is not None and self.fault.name == name else None


class Response(msgspec.Struct):
    """An answer: ``body`` is encoded as JSON unless it is bytes already."""

    status: int
    body: object = b""
    headers: dict[str, str] = {}
    media_type: str = JSON_TYPE


Handler = Callable[[Request], Awaitable[Response]]


class Application:
    """An ASGI application that asks the first face whose prefix fits, in the order given."""

    def __init__(self, faces: list[tuple[str, Handler]]) -> None:
        self._faces = [(prefix.lower(), handler) for prefix, handler in faces]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        path = request.path.lower()
        for prefix, handler in self._faces:
            if path.startswith(prefix):
                await _respond(send, await handler(request))
                return
        await _respond(send, Response(404, {"error": f"Nothing is served at {request.path}."}))


async def _request(scope: Scope, receive: Receive) -> Request:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return Request(
        scope["method"], scope["path"], raw_path, query, headers, body, sandbox_fault(scope),
        scope["query_string"],
    )  # fmt: skip


async def _respond(send: Send, response: Response) -> None:
    raw = response.body if isinstance(response.body, bytes) else msgspec.json.encode(response.body)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-type", response.media_type.encode()))
        headers.append((b"content-length", str(len(raw)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if response.status == 204 else raw})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def pause(milliseconds: int) -> None:
    """Let other requests run while a posting takes its time."""
    if milliseconds > 0:
        await asyncio.sleep(milliseconds / 1000)
