"""From the bytes of an answer to its text: SYSPRO's codecs, and the wrappers that its hosts put around XML."""

from __future__ import annotations

import codecs
import html
import re
from typing import Literal

import msgspec

_PROLOG = re.compile(r"\A\s*<\?xml\b.*?\?>", re.DOTALL)
_WRAPPED = re.compile(r"\A\s*<string\b[^>]*?(?:/>|>(?P<inside>.*)</string>)\s*\Z", re.DOTALL | re.IGNORECASE)
_CDATA = re.compile(r"\A<!\[CDATA\[(.*)\]\]>\Z", re.DOTALL)
_DEEPEST = 4

Decoding = Literal["auto", "utf-8", "windows-1252"]


def decoded(body: bytes, how: Decoding) -> str:
    """The text of a body; what a codec cannot read becomes a replacement character."""
    if how == "auto":
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            return body.decode("windows-1252", errors="replace")
    return body.decode(how, errors="replace")


def answer_text(body: bytes, how: Decoding) -> str:
    """What SYSPRO said: without byte-order mark, JSON quotes, `<string>` wrapper and prolog.

    Blanks at the end are kept, since a session token may have some.
    """
    text = decoded(body.removeprefix(codecs.BOM_UTF8), how)
    for _ in range(_DEEPEST):
        text = _PROLOG.sub("", text, count=1)
        inside = _unquoted(text)
        if inside is None:
            break
        text = inside
    return text.lstrip()


def _unquoted(text: str) -> str | None:
    if text.lstrip().startswith('"'):
        try:
            return msgspec.json.decode(text.encode(), type=str)
        except (msgspec.MsgspecError, UnicodeError):
            return None
    wrapped = _WRAPPED.match(text)
    if wrapped is None:
        return None
    inside = wrapped["inside"] or ""
    literal = _CDATA.match(inside.strip())
    return literal[1] if literal else html.unescape(inside)
