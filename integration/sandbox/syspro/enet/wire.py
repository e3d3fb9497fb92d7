"""Bytes of e.net: query strings in any encoding, documents with a prolog, bodies with wrappers."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import msgspec

from integration.sandbox.syspro.asgi import Request, Response
from integration.sandbox.syspro.config import Quirks

MEDIA_TYPE = "application/octet-stream"
SERVER = {"Server": "Microsoft-HTTPAPI/2.0"}
_PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>")


def decoded(raw: bytes) -> str:
    """Read bytes as UTF-8, else as Windows-1252; unassigned bytes become question marks."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def without_prolog(text: str) -> str:
    """Drop a byte order mark and the XML declaration, whose encoding no longer says anything."""
    return _PROLOG.sub("", text.lstrip("\ufeff"), count=1).strip()


def query_of(request: Request) -> dict[str, str]:
    """The query parameters under lower-case names; blanks at the ends of values are kept."""
    pairs = parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return {name.lower(): decoded(value.encode("latin-1")) for name, value in pairs}


def text_response(text: str) -> Response:
    """Answer plain text: a token, a version, an error."""
    return Response(200, text.encode("utf-8"), SERVER, MEDIA_TYPE)


def xml_response(document: bytes, quirks: Quirks) -> Response:
    """Answer a document, wrapped as the site's channel wraps it."""
    body = document
    if quirks.body_wrapper == "json":
        body = msgspec.json.encode(_text(document, quirks))
    elif quirks.body_wrapper == "string":
        inner = escape(_text(document, quirks))
        body = (
            f'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">{inner}</string>'.encode()
        )
    return Response(200, body, SERVER, MEDIA_TYPE)


def missing(status: int, text: str) -> Response:
    """Answer what no operation takes: WCF's own page, not SYSPRO's."""
    return Response(status, f"<html><body><p>{escape(text)}</p></body></html>".encode(), SERVER, "text/html")


def _text(document: bytes, quirks: Quirks) -> str:
    return document.decode("cp1252" if quirks.windows_1252 else "utf-8")
