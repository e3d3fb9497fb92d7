"""One HTTP/1.1 message each way: a request that cannot be read as two, and an answer within limits."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from msgspec import Struct

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 64 * 1024 * 1024

_METHOD = re.compile(r"[A-Z]{1,20}").fullmatch
_TARGET = re.compile(r"/[!-\"$-~]*").fullmatch
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_VALUE = re.compile(r"[\t -~\x80-\xff]*").fullmatch
# The wire's own: another value would let one request be read as two.
_OWN = frozenset(["host", "connection", "content-length", "transfer-encoding"])
_LENGTH_EXPECTED = frozenset(["POST", "PUT", "PATCH"])


class Unsendable(ValueError):
    """A request that is no HTTP; the text holds none of its values, which may be secret."""


class Lost(Exception):
    """The request may have arrived, and there is no usable answer."""


class Reply(Struct, frozen=True):
    """A complete answer; names are lower case, repeated headers are joined with commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Request(Struct, frozen=True):
    """A request as bytes, and whether its answer has no body whatever its head says."""

    data: bytes
    bodiless: bool = False


def request(method: str, target: str, headers: Mapping[str, str], body: bytes, fixed: str = "") -> Request:
    """Write a request.

    Args:
        target: path and query, percent-encoded.
        fixed: header lines that are known to be good, each with its line end.

    Raises:
        Unsendable: method, target or a header holds what would end it early.
    """
    if not _METHOD(method):
        raise Unsendable("its method is no HTTP method")
    if not _TARGET(target):
        raise Unsendable("its path holds a character that is not encoded")
    head = f"{method} {target} HTTP/1.1\r\n{fixed}"
    for name, value in headers.items():
        if not _NAME(name) or name.lower() in _OWN:
            raise Unsendable("it has a header whose name is not allowed")
        if not _VALUE(value):
            raise Unsendable(f"its header {name} holds a character that is not allowed")
        head += f"{name}: {value}\r\n"
    if body or method in _LENGTH_EXPECTED:
        head += f"content-length: {len(body)}\r\n"
    return Request((head + "\r\n").encode("latin-1") + body, method == "HEAD")


def decoded(body: bytes, encoding: str) -> bytes:
    """A body as it was before its encoding, which was not asked for and is rare."""
    if not body or encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        raise Lost("its encoding is unknown")
    # 32 + the window's size: gzip and zlib alike.
    decoder = zlib.decompressobj(32 + zlib.MAX_WBITS)
    try:
        plain = decoder.decompress(body, BODY_LIMIT)
    except zlib.error as error:
        raise Lost("its encoding is broken") from error
    if not decoder.eof:
        raise Lost("its encoded body is cut off or too large")
    return plain
