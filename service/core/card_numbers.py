"""Recognises card numbers in text: issuer range, length, check digit and the way people space them.

What looks like a card number is treated as one. Known look-alikes are left alone: GUIDs and other long
hexadecimal ids, the digits of a fraction (`0.4532…`), keys padded with zeros, times, and article numbers
under an article's key. A number that passes every test is masked even if somebody meant it as something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

SHORTEST = 13
LONGEST = 19

# First and last prefix of each issuer range, and the lengths its cards have. 13 digits are rare (old Visa and
# Maestro cards, and the gateway's own test cards), and common among article numbers: only where they exist.
_LONG = range(16, 20)
_RANGES: tuple[tuple[str, str, Sequence[int]], ...] = (
    ("2221", "2720", (16,)),  # Mastercard
    ("300", "305", (14, 16)),  # Diners Club
    ("3095", "3095", (14, 16)),
    ("34", "34", (15,)),  # American Express
    ("3528", "3589", _LONG),  # JCB
    ("36", "36", range(14, 20)),  # Diners Club
    ("37", "37", (15,)),  # American Express
    ("38", "39", range(14, 20)),  # Diners Club
    ("4", "4", (13, 16, 18, 19)),  # Visa
    ("50", "50", _LONG),  # Maestro
    ("51", "55", (16,)),  # Mastercard
    ("56", "58", _LONG),  # Maestro
    ("60", "66", _LONG),  # Discover, Maestro, RuPay, UnionPay
    ("67", "67", range(13, 20)),  # Maestro, Solo
    ("68", "69", _LONG),  # Maestro
    ("81", "81", _LONG),  # UnionPay
)

_FIRST_DIGITS = frozenset(low[0] for low, _, _ in _RANGES)

_BETWEEN = r"[ +.\-_\x00\u00a0\u2007\u2009\u200a\u200b\u202f\u2010-\u2015]"
_RUN = re.compile(rf"\d(?:{_BETWEEN}{{0,3}}\d){{{SHORTEST - 1},}}")
_GROUP = re.compile(r"\d+")
_HEX_ID = re.compile(r"[0-9A-Fa-f]{24,}")
_GUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_ARTICLE_KEY = re.compile(r"(?:sku|ean|gtin|upc|barcode|stock_?code)[\"']?\s*[:=>]\s*[\"']?\Z", re.IGNORECASE)
_PRINTED = frozenset([(4, 6, 5), (4, 6, 4), (4, 4, 5), (4, 5, 6), (4, 5, 4), (8, 8)])


class Span(Struct, frozen=True, order=True):
    """A part of a text: from `start` up to, not including, `end`, counted in characters."""

    start: int
    end: int


def is_card_number(digits: str) -> bool:
    """Whether the digits have an issuer's prefix, one of its lengths, and a right check digit (Luhn)."""
    size = len(digits)
    if not SHORTEST <= size <= LONGEST or not (digits.isascii() and digits.isdecimal()):
        return False
    issued = any(low <= digits[: len(low)] <= high and size in sizes for low, high, sizes in _RANGES)
    return issued and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def card_numbers(text: str) -> Iterator[Span]:
    """Every card number of a text that has no escapes in it; spans may overlap."""
    for run in _RUN.finditer(text):
        groups = [Span(*found.span()) for found in _GROUP.finditer(text, run.start(), run.end())]
        digits = digits_of(run.group())
        place = 0
        for first, group in enumerate(groups):
            if digits[place] in _FIRST_DIGITS:
                window = digits[place : place + LONGEST + 1]
                yield from _from_group(text, groups[first : first + LONGEST], window)
            place += group.end - group.start


def _from_group(text: str, groups: Sequence[Span], digits: str) -> Iterator[Span]:
    size = 0
    for count, group in enumerate(groups, 1):
        size += group.end - group.start
        if size > LONGEST:
            return
        if (
            is_card_number(digits[:size])
            and _plausible(text, groups[:count])
            and not _in_guid(text, groups[0])
        ):
            yield Span(groups[0].start, group.end)


def digits_of(text: str) -> str:
    """The digits of a text in ASCII, without what stands between them."""
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


def _plausible(text: str, groups: Sequence[Span]) -> bool:
    if len(groups) == 1:
        return not _is_look_alike(text, groups[0])
    between = {_separator(text[left.end : right.start]) for left, right in pairwise(groups)}
    sizes = tuple(group.end - group.start for group in groups)
    even = len(set(sizes[:-1])) == 1 and sizes[0] <= 6 and sizes[-1] <= sizes[0]
    if even or sizes in _PRINTED:
        return len(between) == 1 or (sizes[0] == 4 and "." not in between)
    # Dashes and dots also join the parts of GUIDs, order numbers and decimals: there only a card's own grouping counts.
    return between == {" "}


def _in_guid(text: str, group: Span) -> bool:
    """Whether a group of digits stands in a GUID: one in some thousands has a card's grouping and check digit."""
    guids = _GUID.finditer(text, max(0, group.start - 40), group.end + 40)
    return any(guid.start() <= group.start < guid.end() for guid in guids)


def _separator(between: str) -> str:
    if "." in between:
        return "."
    return "-" if between.strip(" +\x00\u00a0\u2007\u2009\u200a\u200b\u202f") else " "


def _is_look_alike(text: str, span: Span) -> bool:
    before = text[max(0, span.start - 32) : span.start]
    if re.search(r"(?:\A|[^0-9A-Za-z.])0\.\Z", before):
        return True
    if any(hex_id.start() <= span.start < hex_id.end() for hex_id in _hex_ids(text, span)):
        return True
    digits = digits_of(text[span.start : span.end])
    return len(digits) == 13 and _article_number(digits) and bool(_ARTICLE_KEY.search(before))


def _hex_ids(text: str, span: Span) -> Iterator[re.Match[str]]:
    return _HEX_ID.finditer(text, max(0, span.start - 128), span.end + 128)


def _article_number(digits: str) -> bool:
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return weighted % 10 == 0
