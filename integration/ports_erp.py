"""What the service asks of the ERP besides posting: records to read, customers to set up, orders to move on.

Part of the port `ERP` (`integration.ports`), under the same rules.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, Protocol

from integration.canonical.erp_records import (
    ArDocument,
    CashBookEntry,
    Change,
    ChangeKind,
    CustomerRecord,
    NewOrderStatus,
    OrderState,
    Page,
    ReceivablesQuery,
)


class ErpRecords(Protocol):
    """The records of one ERP company."""

    async def customer_record(self, code: str) -> CustomerRecord | None:
        """A customer with everything that is kept of it, or `None`."""
        ...

    async def customers(self, *, after: str = "", limit: int = 200, email: str = "") -> Page[CustomerRecord]:
        """Customers in the order of their keys; with `email`, those of exactly this address."""
        ...

    async def save_customer(
        self, record: CustomerRecord, action: Literal["add", "change"], key: str = ""
    ) -> str:
        """Add a customer, or change the members given; gives its code back as stored.

        A change may be made again after an unknown outcome; before an addition is, look with `customer_record`.

        Raises:
            AlreadyPosted: there is such a customer already.
            UnknownCustomer: there is none to change.
        """
        ...

    async def receivables(self, query: ReceivablesQuery) -> tuple[ArDocument, ...]:
        """AR documents with their movements.

        Raises:
            ValueError: the query names nothing.
        """
        ...

    async def sales_order(self, number: str) -> OrderState | None:
        """A sales order, or a credit-note order, as it is now; or `None`."""
        ...

    async def order_to_status(
        self, number: str, status: NewOrderStatus, *, credit_authority: str = ""
    ) -> None:
        """Move an order to another status. Setting what is set already is no error of ours, but may be SYSPRO's.

        Raises:
            Rejected: SYSPRO does not allow the move, or does not know the order.
        """
        ...

    async def cash_book(self, bank: str, since: date, until: date) -> tuple[CashBookEntry, ...]:
        """The deposits and withdrawals of a bank, both days included."""
        ...

    async def changes(
        self, kind: ChangeKind, *, after: str = "", limit: int = 200, since: date | None = None
    ) -> Page[Change]:
        """Rows of a kind in the order of their keys, for SYSPRO pushes nothing: who polls compares hashes.

        `since` leaves out rows dated earlier (order, invoice or journal date; customers have none). `limit` is
        about how many are read in one call: a page may hold fewer, and movements are read by document.
        """
        ...
