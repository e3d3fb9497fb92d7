"""Values of SYSPRO's tables in our own words: signs, types and keys."""

from __future__ import annotations

from typing import Literal

from integration.canonical.money import Money

ArType = Literal["I", "C", "D"]
_AR_TYPES: dict[str, ArType] = {"I": "I", "C": "C", "D": "D"}


def unsigned(money: Money) -> Money:
    """The amount without its sign: SYSPRO shows credits negative, and our documents say so by their type."""
    return Money(abs(money.minor), money.currency)


def ar_type(text: str) -> ArType:
    """The type of an AR document; SYSPRO's default is the invoice."""
    return _AR_TYPES.get(text.strip(), "I")


def journal_key(year: str, month: str, journal: str) -> str:
    """A journal's key as SYSPRO's screens show it: `2025/06/0000000166`, however the answer pads it."""
    return f"{year.strip()}/{month.strip().zfill(2)}/{journal.strip().zfill(10)}"
