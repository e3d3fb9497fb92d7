"""Values as SYSPRO writes them: documents of named text elements, decimals of fixed scale, padded keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

import msgspec

Value: TypeAlias = "str | list[Value] | dict[str, Value]"
Document: TypeAlias = dict[str, Value]
"""A SYSPRO document after either face has parsed it: element name to text, group or repeats."""

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")
_QUANTITY = Decimal("0.000001")
_PRICE = Decimal("0.00001")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


def money(value: Decimal) -> Decimal:
    """Round to two decimals, half up, with no negative zero."""
    return value.quantize(_CENT, ROUND_HALF_UP) + ZERO


def quantity(value: Decimal) -> Decimal:
    """Give a quantity or exchange rate its six decimals."""
    return value.quantize(_QUANTITY, ROUND_HALF_UP) + Decimal("0.000000")


def price(value: Decimal) -> Decimal:
    """Give a unit price its five decimals."""
    return value.quantize(_PRICE, ROUND_HALF_UP) + Decimal("0.00000")


def parse_number(text: str) -> Decimal | None:
    """Read a plain decimal; ``None`` for anything else, exponents included."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def plain(value: Decimal) -> str:
    """Write a decimal with exactly the decimals it carries."""
    return format(value, "f")


def padded(key: str, digits: int) -> str:
    """Store a numeric key with leading zeros to ``digits``; leave any other key as it is, upper-cased."""
    key = key.strip().upper()
    if digits and key.isascii() and key.isdigit():
        return (key.lstrip("0") or "0").rjust(digits, "0")
    return key


def displayed(key: str) -> str:
    """Show a stored key as SYSPRO's screens do: numeric keys without leading zeros."""
    return key.lstrip("0") or "0" if key.isascii() and key.isdigit() else key


def rendered(row: msgspec.Struct) -> Document:
    """Turn a stored row into elements of text; lower-case fields are the sandbox's own and stay inside."""
    shown: Document = {}
    for name in row.__struct_fields__:
        if name[0].isupper():
            value = getattr(row, name)
            shown[name] = plain(value) if isinstance(value, Decimal) else str(value)
    return shown


def texts(elements: Mapping[str, Value]) -> dict[str, str]:
    """Keep the plain text elements of a document, trimmed."""
    return {name: value.strip() for name, value in elements.items() if isinstance(value, str)}
