"""What a gateway lists, as the sweeper asks for it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from integration.canonical.listing import ListedTransaction, ListingPage, ListingWindow


class GatewayListing(Protocol):
    """The gateway's own lists of what happened, for those whose messages were lost."""

    async def listed(self, window: ListingWindow) -> ListingPage:
        """A page of the transactions that *started* in a window; changes of older ones are not in it.

        Raises:
            TooManyRows: the window must be narrower.
        """
        ...

    async def related(self, transaction_id: str, since: datetime) -> tuple[ListedTransaction, ...]:
        """Refunds, repeats and authorises that were made of a transaction since a moment (aware)."""
        ...
