r"""Keeps card data out of everything we store: finds card numbers and security codes, and masks or refuses them.

`mask` keeps the last four digits (`************1234`); the value of a sensitive member (`securityCode`, `CV2`,
`track`, `cardNumber`, …) disappears whatever it looks like. Escapes (`%34`, `\u0034`, `&#52;`) hide nothing: a
text is searched as it is and as it reads. JSON stays JSON: a bare number becomes a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from integration.errors import CardDataRefused
from service.core.card_numbers import Span, card_numbers, digits_of

__all__ = ["Span", "find_cards", "mask", "mask_bytes", "refuse"]

_HIDDEN = "****"

_ESCAPE = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2})|\\{1,8}u(?P<unicode>[0-9A-Fa-f]{4})|\\{1,8}(?P<short>[bfnrt/\"])"
    r"|&#x0*(?P<hex>[0-9A-Fa-f]{1,4});|&#0*(?P<decimal>\d{1,5});|(?P<nbsp>&nbsp;)",
)
_DEEPEST_ESCAPE = 8

_KEYS = (
    r"card[_-]?(?:number|no)|primary[_-]?account[_-]?number|security[_-]?code|cv2|cvv2?|cvc2?|cid2"
    r"|track(?:[_-]?(?:data|[123]))?|pin(?:[_-]?block)?"
)
# None of these in a text: none of the keys either. Looking for them costs a fraction of the patterns below.
_STEMS = (
    "cardn",
    "card_n",
    "card-n",
    "tnumber",
    "t_number",
    "t-number",
    "securitycode",
    "security_code",
    "security-code",
    "cv2",
    "cvv",
    "cvc",
    "cid2",
    "track",
    *(f"pin{sign}" for sign in "\"'=>%&\\ bB_-"),
)
# The gateway's own words for the *result* of a check, which live under the same keys and are no secret.
_RESULT = (
    r"(?:Matched|NotMatched|NotProvided|NotChecked|MATCHED|NOTMATCHED|NOTPROVIDED|NOTCHECKED|null|true|false)"
)
_MEMBER = re.compile(
    rf"""(?P<head>(?P<quote>\\{{1,8}}"|"|'|%22|&quot;)(?:{_KEYS})(?P=quote)\s*(?::|%3A)\s*)
    (?!(?P<mark>\\{{1,8}}"|"|'|%22|&quot;)?{_RESULT}(?:(?P=mark)|\b))
    (?P<value>"(?:[^"\\]|\\.)*"|\\{{1,8}}"[^"]*"|'[^']*'|%22.*?%22|&quot;.*?&quot;|\[[^\[\]]*\]|\{{[^{{}}]*\}}|[^\s,\]}}&]+)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_FORM = re.compile(
    rf"""(?P<head>(?<![A-Za-z0-9_])(?:{_KEYS})\s*(?:=|%3D)\s*)(?!["']?{_RESULT}\b)
    (?P<value>"[^"]*"|'[^']*'|[^&\s"'<>;,}}]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_ELEMENT = re.compile(
    rf"""(?P<head><(?P<name>(?:[A-Za-z_][\w.-]*:)?(?:{_KEYS}))(?:\s[^<>]*)?>)(?!\s*{_RESULT}\s*<)
    (?P<value>[^<]*(?:<!\[CDATA\[[^\]]*\]\]>[^<]*)?)(?P<tail></(?P=name)\s*>)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_JSON_NUMBER = re.compile(r"-?\d[\d.]*(?:[eE][+-]?\d+)?")


def find_cards(text: str) -> list[Span]:
    """Where card numbers of 13 to 19 digits stand, in order; overlapping finds are one span."""
    found = list(card_numbers(text))
    if any(sign in text for sign in "%\\&"):
        found += _escaped(text)
    return _merged(sorted(found))


def _escaped(text: str) -> Iterator[Span]:
    plain, offsets = text, list(range(len(text) + 1))
    for _ in range(_DEEPEST_ESCAPE):
        if not _ESCAPE.search(plain):
            return
        plain, offsets = _unescape(plain, offsets)
        yield from (Span(offsets[span.start], offsets[span.end]) for span in card_numbers(plain))


def _unescape(text: str, offsets: Sequence[int]) -> tuple[str, list[int]]:
    """The text with one level of escapes read, and where each of its characters began in the original."""
    signs: list[str] = []
    places: list[int] = []
    start = 0
    for escape in _ESCAPE.finditer(text):
        signs.append(text[start : escape.start()] + _meaning(escape))
        places.extend(offsets[start : escape.start() + 1])
        start = escape.end()
    signs.append(text[start:])
    places.extend(offsets[start:])
    return "".join(signs), places


def _meaning(escape: re.Match[str]) -> str:
    if escape["short"]:
        return "\n"
    if escape["nbsp"]:
        return "\u00a0"
    if escape["decimal"]:
        return chr(min(int(escape["decimal"]), 0xFFFF))
    return chr(int(escape["percent"] or escape["unicode"] or escape["hex"], 16))


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def mask(text: str) -> str:
    """The text without card data; a text that has none comes back unchanged, and so does a masked one."""
    masked = _hide_members(text)
    # The four digits that stay may begin another number with what follows: again, until nothing is found.
    while spans := find_cards(masked):
        masked = _mask_spans(masked, spans)
    return masked


def _mask_spans(text: str, spans: Sequence[Span]) -> str:
    json_strings = _json_strings(text)
    parts: list[str] = []
    done = 0
    for span in spans:
        if span.start < done:  # a second find in a JSON number that is hidden as a whole
            continue
        whole, masked = _replacement(text, span, json_strings)
        parts += [text[done : whole.start], masked]
        done = whole.end
    return "".join(parts) + text[done:]


def _replacement(text: str, span: Span, json_strings: Sequence[Span] | None) -> tuple[Span, str]:
    digits = _digits(text[span.start : span.end])
    masked = "*" * (len(digits) - 4) + digits[-4:]
    if json_strings is None or any(s.start < span.start and span.end <= s.end for s in json_strings):
        return span, masked
    number = next(
        (n for n in _numbers_around(text, span) if n.start <= span.start and span.end <= n.end), span
    )
    return number, f'"{masked}"'


def _digits(text: str) -> str:
    plain = text
    for _ in range(_DEEPEST_ESCAPE):
        plain = _ESCAPE.sub(_meaning, plain)
    return digits_of(plain)


def _json_strings(text: str) -> list[Span] | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    return [Span(*found.span()) for found in _JSON_STRING.finditer(text)]


def _numbers_around(text: str, span: Span) -> Iterator[Span]:
    start = span.start - 1 if span.start and text[span.start - 1] == "-" else span.start
    return (Span(*found.span()) for found in _JSON_NUMBER.finditer(text, start))


def _hide_members(text: str) -> str:
    lowered = text.lower()
    if not any(stem in lowered for stem in _STEMS):
        return text
    text = _MEMBER.sub(_hide, text)
    text = _FORM.sub(_hide, text)
    return _ELEMENT.sub(lambda found: f"{found['head']}{_HIDDEN}{found['tail']}", text)


def _hide(found: re.Match[str]) -> str:
    value = found["value"]
    for quote in ('\\\\\\"', '\\"', '"', "'", "%22", "&quot;"):
        if value.startswith(quote) and value.endswith(quote) and len(value) >= 2 * len(quote):
            return f"{found['head']}{quote}{_HIDDEN}{quote}"
    bare_json = found["head"].rstrip().endswith(":")
    return f'{found["head"]}"{_HIDDEN}"' if bare_json else f"{found['head']}{_HIDDEN}"


def mask_bytes(body: bytes) -> bytes:
    """A body without card data, in the encoding it came in; bytes that are no UTF-8 pass through unchanged."""
    encoding = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        # Latin-1 gives every byte a character and back, so nothing but card data changes.
        encoding = "latin-1"
        text = body.decode(encoding)
    masked = mask(text)
    return body if masked == text else masked.encode(encoding)


def refuse(text: str) -> None:
    """Let a text pass only if it holds no card data.

    Raises:
        CardDataRefused: it does; the error says how many finds, never what they were.
    """
    numbers = len(find_cards(text))
    if numbers or _hide_members(text) != text:
        raise CardDataRefused(
            "The message holds a card number or a card's security data; nothing of it was stored",
            evidence={"card_numbers": numbers},
        )
