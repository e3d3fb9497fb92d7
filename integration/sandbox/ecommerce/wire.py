"""The thin HTTP layer of the shop: a request read whole, an answer sent whole."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Request(msgspec.Struct):
    """One HTTP request with its body; ``query`` keeps the last of equal names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def base_url(self) -> str:
        """Scheme and host as the caller knows us."""
        return f"http://{self.headers.get(b'host', b'127.0.0.1').decode('latin-1')}"

    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic authentication, or None."""
        kind, _, value = self.headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"basic":
            return None
        try:
            user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password

    def bearer(self) -> str:
        """The bearer token, empty when absent."""
        kind, _, value = self.headers.get(b"authorization", b"").partition(b" ")
        return value.strip().decode("latin-1") if kind.lower() == b"bearer" else ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            ValueError: when it is anything else.
        """
        try:
            value = msgspec.json.decode(self.body or b"{}")
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from error
        if not isinstance(value, dict):
            raise ValueError("The body must be a JSON object.")  # noqa: TRY004 - a bad body, not a bug
        return value


class Answer(msgspec.Struct):
    """One HTTP answer; ``value`` becomes JSON."""

    status: int
    value: object = None
    headers: dict[str, str] = {}


class Refused(Exception):
    """A request the shop refuses, with the answer to give."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read an ASGI request whole."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    query = scope.get("query_string", b"").decode("latin-1")
    headers = {name.lower(): value for name, value in scope["headers"]}
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    return Request(scope["method"], scope["path"].rstrip("/") or "/", pairs, headers, body)


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer as JSON."""
    body = b"" if answer.status == 204 else msgspec.json.encode(answer.value)
    headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
