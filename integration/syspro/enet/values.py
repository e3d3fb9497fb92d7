"""Keys of SYSPRO's tables in our own words."""

from __future__ import annotations


def journal_key(year: str, month: str, journal: str) -> str:
    """A journal's key as SYSPRO's screens show it: `2025/06/0000000166`, however the answer pads it."""
    return f"{year.strip()}/{month.strip().zfill(2)}/{journal.strip().zfill(10)}"
