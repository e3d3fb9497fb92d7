"""Keys: how SYSPRO pads them, and the references we put into SYSPRO to find our own documents again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from integration.errors import UnmappedField

_HEX = re.compile(r"[0-9A-F]{32}")
# A list and a pattern in a look-up's value: a reference that holds one could never be found again.
_UNFINDABLE = frozenset(",*")


def payment_reference(transaction_id: str) -> str:
    """Our reference for an Opayo transaction: 30 of its 32 hex digits, upper case, for a field of 30.

    Raises:
        ValueError: not a GUID.
    """
    digits = transaction_id.strip("{} ").replace("-", "").upper()
    if not _HEX.fullmatch(digits):
        raise ValueError(f"{transaction_id!r} is not a transaction id: 32 hexadecimal digits with dashes")
    return digits[:30]


def bare(key: str) -> str:
    """A key as screens show it: blanks off, and leading zeros off when it is all digits."""
    text = key.strip()
    return text.lstrip("0") or "0" if text.isdigit() else text


def same_key(left: str, right: str) -> bool:
    """Whether two spellings name one record: `0000042` and `42` do, `A042` and `A42` do not."""
    return bare(left) == bare(right)


def as_sent(stored: str, sent: str) -> str:
    """A stored key in the spelling we sent, if it names the same record; else as screens show it."""
    return sent if same_key(stored, sent) else bare(stored)


def padded(key: str, width: int) -> str:
    """A numeric key with leading zeros to a width; an alphanumeric one as it is."""
    text = key.strip()
    return text.zfill(width) if text.isdigit() else text


def findable(reference: str) -> str:
    """The reference, if it can be looked for in a comma list.

    Raises:
        UnmappedField: it is empty, has blanks at an end, or holds a comma or an asterisk.
    """
    if not reference or reference != reference.strip() or _UNFINDABLE & set(reference):
        raise UnmappedField(
            f"The reference {reference!r} could not be found again in SYSPRO: it is empty, padded, or holds , or *",
            code="syspro.unfindable-reference",
        )
    return reference


def in_lists(references: Iterable[str], room: int = 1800) -> Iterator[list[str]]:
    """Cut references into lists that fit a query string of `room` encoded characters, each reference once."""
    batch: list[str] = []
    used = 0
    for reference in dict.fromkeys(references):
        size = len(quote(reference, safe="")) + 3
        if batch and used + size > room:
            yield batch
            batch, used = [], 0
        batch.append(reference)
        used += size
    if batch:
        yield batch
