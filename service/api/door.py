"""The door of our own API: no card data comes in, and a POST with an `Idempotency-Key` is done once.

The same key with the same body gets the first answer again, marked `Idempotent-Replayed: true`; with another body
it is refused. Answers are kept sealed, since some hold what is shown once. A call that failed on our side, or
because another system did, gives its key back: trying again is what the key is for.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import unquote

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from msgspec import Struct

from service.api import access
from service.api.context import Context
from service.api.problems import Refused
from service.core.card_data import refuse
from service.store import idempotency
from service.store.idempotency import Use

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LONGEST_KEY = 200


class Kept(Struct, frozen=True):
    """An answer as it is sealed: headers and body, both in Base64 where bytes."""

    headers: list[tuple[str, str]]
    body: str


class Door(ASGIMiddleware):
    """Refuses card data in every request that writes, and makes POSTs idempotent."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a request on, or answer it at once."""
        assert scope["type"] == ScopeType.HTTP
        if scope["method"] not in _WRITING:
            await next_app(scope, receive, send)
            return
        request = Request[Any, Any, Any](scope, receive, send)
        caller = await access.identify(request)
        body = await request.body()
        key = request.headers.get("idempotency-key", "")
        refuse_cards(request, b"" if _is_file(request) else body)
        if scope["method"] != "POST" or not key:
            await next_app(scope, receive, send)
            return
        if len(key) > _LONGEST_KEY:
            raise Refused(400, "idempotency.key-too-long", f"A key has at most {_LONGEST_KEY} characters")
        context: Context = scope["litestar_app"].state.context
        use = Use(
            scope=f"key {caller.key_id} {request.headers.get('x-pair', '')} {scope['path']}",
            key=key,
            body_digest=hashlib.sha256(body).digest(),
            at=context.now(),
        )
        async with context.engine.begin() as connection:
            found = await idempotency.begin(connection, use)
        match found.outcome:
            case "go":
                await _first(scope, receive, send, _Call(context, use, next_app))
            case "answered":
                await _again(send, context, use, found)
            case "running":
                raise Refused(
                    409,
                    "idempotency.in-progress",
                    "The first call with this key is still running",
                    hint="Send it again in a moment.",
                )
            case "reused":
                raise Refused(
                    409,
                    "idempotency.key-reused",
                    "This key was used with another body",
                    hint="Use a new key for a new request.",
                )


def _is_file(request: Request[Any, Any, Any]) -> bool:
    """Whether a file is brought to a route that looks for card numbers in what is written in it.

    In the bytes of a workbook none would be found, and now and then something that looks like one.
    """
    looks_itself = bool(request.scope["route_handler"].opt.get("takes_files"))
    return looks_itself and request.headers.get("content-type", "").startswith("multipart/form-data")


def refuse_cards(request: Request[Any, Any, Any], body: bytes) -> None:
    """Let a request pass only if neither its address, its headers of ours nor its body hold card data.

    Raises:
        CardDataRefused: one of them does.
    """
    refuse(unquote(request.url.path))
    for name in ("idempotency-key", "x-pair"):
        refuse(request.headers.get(name, ""))
    refuse(unquote(request.scope.get("query_string", b"").decode("latin-1")))
    if body:
        encoding = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
        try:
            refuse(body.decode(encoding))
        except UnicodeDecodeError:
            refuse(body.decode("latin-1"))


class _Call(Struct, frozen=True):
    context: Context
    use: Use
    next_app: ASGIApp


async def _first(scope: HTTPScope, receive: Receive, send: Send, call: _Call) -> None:
    """Run the first call and keep its answer before the caller sees it."""
    messages: list[Message] = []

    async def listen(message: Message) -> None:
        messages.append(message)

    try:
        await call.next_app(scope, receive, listen)
    except BaseException:
        await _give_back(call)
        raise
    status, kept = _answer(messages)
    if status >= 500 or status in (401, 403, 429):
        await _give_back(call)
    else:
        sealed = call.context.vault.seal(msgspec.json.encode(kept), _place(call.use))
        async with call.context.engine.begin() as connection:
            await idempotency.finish(connection, call.use, status, sealed)
    for message in messages:
        await send(message)


async def _give_back(call: _Call) -> None:
    async with call.context.engine.begin() as connection:
        await idempotency.give_back(connection, call.use)


def _answer(messages: list[Message]) -> tuple[int, Kept]:
    status, headers, body = 500, list[tuple[str, str]](), b""
    for message in messages:
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
            ]
        elif message["type"] == "http.response.body":
            body += message["body"]
    return status, Kept(headers, base64.b64encode(body).decode())


async def _again(send: Send, context: Context, use: Use, found: idempotency.Found) -> None:
    kept = msgspec.json.decode(context.vault.open(found.answer, _place(use)), type=Kept)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept.headers]
    await send(
        {
            "type": "http.response.start",
            "status": found.status,
            "headers": [*headers, (b"idempotent-replayed", b"true")],
        }
    )
    await send({"type": "http.response.body", "body": base64.b64decode(kept.body), "more_body": False})


def _place(use: Use) -> str:
    return f"idempotency:{use.scope}:{use.key}"


def minted_from(key: str, scope: str) -> str:
    """A name that a repeated call gets again: from the idempotency key when there is one, else empty."""
    return hashlib.sha256(f"{scope}|{key}".encode()).hexdigest()[:24] if key else ""
