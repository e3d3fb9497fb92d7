"""Values of the façade in our own types: dates, money, decimals and keys."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from integration.canonical.money import Money, decimal_text


def day(text: str | None) -> date | None:
    """A date of the façade; blank and all zeros are none."""
    value = (text or "").strip()
    return date.fromisoformat(value[:10]) if value.strip("0-") else None


def amount(text: str, currency: str) -> Money:
    """Money of the façade; blank is zero. A currency without minor unit still comes with two decimals."""
    return Money.parse(text.strip() or "0", currency)


def number(text: str) -> Decimal:
    """A quantity, price or rate; blank is zero."""
    return decimal_text(text.strip() or "0")


def journal_key(year: str, month: str, journal: str) -> str:
    """A journal's key as SYSPRO's screens show it: `2025/06/0000000166`."""
    return f"{year.strip()}/{month.strip().zfill(2)}/{journal.strip()}"
