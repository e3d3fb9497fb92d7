"""What a gateway lists: rows that say a transaction exists, not what became of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from integration.canonical.money import Money
from integration.canonical.payment import TransactionKind


class ListedTransaction(Struct, frozen=True, kw_only=True):
    """A row of a gateway's list.

    Attributes:
        transaction_id: upper case, without braces.
        succeeded: whether the gateway calls it a success; a failure is information, never a receipt.
        amount: `None` where the list gives none that can be read.
        started_at: aware UTC; in the hour that the clocks repeat, its first occurrence.
        started_text: the time as the gateway wrote it, in its own local time.
    """

    transaction_id: str
    vendor_tx_code: str
    kind: TransactionKind
    succeeded: bool
    amount: Money | None = None
    started_at: datetime | None = None
    started_text: str = ""
    acquirer: str = ""
    fraud_action: str = ""


class ListingWindow(Struct, frozen=True, kw_only=True):
    """Which rows are asked for.

    Attributes:
        start, end: aware; both belong to the window, which is at most a month long. Whole seconds count.
        first_row: of the page, counted from 1.
    """

    start: datetime
    end: datetime
    first_row: int = 1


class ListingPage(Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        total: rows of the whole window.
        next_row: the first row of the page after this one, or `None` when this was the last.
        unreadable: rows of this page that make no sense, as sentences without their values.
    """

    total: int
    rows: tuple[ListedTransaction, ...]
    next_row: int | None = None
    unreadable: tuple[str, ...] = ()
