"""General-ledger journals: a balanced set of entries in one posting period."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from integration.canonical.money import Money, total


class JournalEntry(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One entry: a positive amount debits the account, a negative one credits it."""

    ledger_code: str
    entry_amount: Money
    reference: str = ""
    comment: str = ""


class GlJournal(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A journal of local-currency entries that sum to zero.

    Attributes:
        reference: ours, at most 30 characters (`OPAYO SETTLE 20250602`).
        posting_year, posting_period: the period it belongs to; `None` is SYSPRO's current one.
    """

    reference: str
    entries: tuple[JournalEntry, ...]
    journal_date: date | None = None
    posting_year: int | None = None
    posting_period: int | None = None
    notation: str | None = ""

    def imbalance(self) -> Money:
        """Debits minus credits; zero in a journal that may be posted.

        Raises:
            ValueError: no entries, or entries in different currencies.
        """
        if not self.entries:
            raise ValueError(f"journal {self.reference} has no entries")
        amounts = [entry.entry_amount for entry in self.entries]
        return total(amounts, amounts[0].currency)
