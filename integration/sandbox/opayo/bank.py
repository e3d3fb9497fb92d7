"""What the cardholder's bank makes of a repeat: scripted answers, magic amounts, and cards that have expired.

The categories are the gateway's: ``01`` never again, ``02`` may be tried again, ``03`` correct the data first. Which
amounts and scripts lead to them is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from integration.sandbox.opayo.clock import UK
from integration.sandbox.opayo.store import Transaction

ANSWERS = ("accept", "soft", "hard", "data")

MAGIC_ENDINGS = {7751: "soft", 7704: "hard", 7714: "data"}
"""The last four digits of a repeat's amount, in minor units, that make the bank decline it."""


class _Decline(msgspec.Struct, frozen=True):
    bank_code: str
    code: str
    text: str
    category: str


_DECLINES = {
    "soft": _Decline("51", "51", "INSUFFICIENT FUNDS", "02"),
    "hard": _Decline("05", "04", "PICK UP CARD", "01"),
    "data": _Decline("05", "14", "INVALID CARD NUMBER", "03"),
    "expired": _Decline("54", "54", "EXPIRED CARD", "03"),
}


class Bank:
    """The bank of every card: what it will answer next, and who asked again although told never to.

    Attributes:
        asked_again: repeats of a card that was declined for good before; a merchant pays for each.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.blocked: set[str] = set()
        self.asked_again = 0

    def script(self, card_identifier: str, answers: Sequence[str]) -> None:
        """Say how the next repeats of a card will be answered, in order.

        Raises:
            ValueError: not an answer, or the transaction has no card identifier.
        """
        if not card_identifier or not set(answers) <= set(ANSWERS):
            raise ValueError(f"Answers are {', '.join(ANSWERS)}, for a transaction with a card identifier.")
        self.answers[card_identifier] = list(answers)

    def refuses(self, row: Transaction, now: datetime) -> bool:
        """Answer a repeat; when it is declined, the row says so and holds no money."""
        answer = self._answer(row, now)
        if answer == "accept":
            return False
        decline = _DECLINES[answer]
        row.status, row.status_code, row.txstate = "NotAuthed", "2000", 12
        row.status_detail = "The Authorisation was Declined by the bank."
        row.bank_code, row.bank_auth, row.retrieval = decline.bank_code, "", None
        row.decline = {
            "additionalDeclineCode": decline.code,
            "additionalDeclineCodeDescription": decline.text,
            "additionalDeclineCodeCategory": decline.category,
        }
        return True

    def clear(self) -> None:
        """Forget everything."""
        self.answers.clear()
        self.blocked.clear()
        self.asked_again = 0

    def _answer(self, row: Transaction, now: datetime) -> str:
        key = row.card_identifier
        if key in self.blocked:
            self.asked_again += 1
            return "hard"
        scripted = self.answers.get(key)
        answer = scripted.pop(0) if scripted else MAGIC_ENDINGS.get(row.amount % 10_000, "accept")
        if answer == "hard" and key:
            self.blocked.add(key)
        if answer == "accept" and row.card is not None and is_expired(row.card.expiry, now):
            return "expired"
        return answer


def is_expired(expiry: str, now: datetime) -> bool:
    """Whether a card (``MMYY``) is good no more; it is until the end of its month, by UK time."""
    local = now.astimezone(UK)
    return (2000 + int(expiry[2:]), int(expiry[:2])) < (local.year, local.month)
