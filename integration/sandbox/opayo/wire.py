"""The thin HTTP layer of the stand-in: a request read whole, an answer sent whole."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

JSON = b"application/json;charset=UTF-8"
TEXT = b"text/plain;charset=ISO-8859-1"
HTML = b"text/html;charset=UTF-8"
XML = b"text/xml;charset=ISO-8859-1"

# What a JSON body decodes to; recursion ends where a handler checks the type it needs.
Json = Any
Body = dict[str, Any]


class Request(msgspec.Struct):
    """One HTTP request, its body read whole."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    client: str
    scheme: str = "http"

    @property
    def base_url(self) -> str:
        """Scheme and host as the caller knows us."""
        host = self.headers.get(b"host", b"127.0.0.1").decode("latin-1")
        return f"{self.scheme}://{host}"

    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic authentication, or None."""
        kind, _, value = self.headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"basic":
            return None
        try:
            user, colon, password = base64.b64decode(value.strip()).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (user, password) if colon else None

    def bearer(self) -> str:
        """The bearer token, empty when absent."""
        kind, _, value = self.headers.get(b"authorization", b"").partition(b" ")
        return value.strip().decode("latin-1") if kind.lower() == b"bearer" else ""

    def form(self) -> dict[str, str]:
        """The urlencoded body; Latin-1 unless the bytes are valid UTF-8."""
        return read_form(self.body)

    def arguments(self) -> dict[str, str]:
        """The query string's fields."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


class Response(msgspec.Struct):
    """One HTTP answer."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = []

    def messages(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The two ASGI messages of this answer, with the tracker every reply carries."""
        headers = [
            (b"content-length", str(len(self.body)).encode()),
            (b"x-request-tracker", str(uuid4()).encode()),
            *self.headers,
        ]
        if self.status != 204:
            headers.append((b"content-type", self.content_type))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": self.body}


def json_reply(status: int, value: object) -> Response:
    """Answer with JSON."""
    return Response(status, msgspec.json.encode(value))


def name_values(values: Mapping[str, str]) -> Response:
    """Answer in the classic protocols' way: ``Name=Value`` lines ended by CRLF."""
    text = "".join(f"{name}={value}\r\n" for name, value in values.items())
    return Response(200, text.encode("iso-8859-1", "replace"), TEXT)


def redirect(url: str) -> Response:
    """Send a browser on with 303."""
    return Response(303, b"", HTML, [(b"location", url.encode())])


def read_form(body: bytes) -> dict[str, str]:
    """Decode an urlencoded body; names keep their case, the first of equal names wins."""
    text = body.decode("latin-1")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        pairs = parse_qsl(text, keep_blank_values=True, encoding="iso-8859-1")
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name, value)
    return values


async def read_request(scope: Any, receive: Any) -> Request:
    """Read an ASGI request whole."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    client = scope.get("client") or ("127.0.0.1", 0)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers={name.lower(): value for name, value in scope["headers"]},
        body=body,
        client=client[0],
        scheme=scope.get("scheme", "http"),
    )
