"""What files tell, row by row: settlement lines, chargeback notices, transactions of an export, bank lines."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from integration.canonical.settlement import SettlementLine


class SettlementRow(Struct, frozen=True, kw_only=True):
    """A line of a settlement file with the batch that it belongs to.

    Attributes:
        completed_at: when the acquirer closed the batch, in UTC; `None` when the file does not say.
        funding_date: when the bank credits it, if the file says so.
    """

    batch_id: str
    acquirer: str
    merchant_number: str
    line: SettlementLine
    completed_at: datetime | None = None
    funding_date: date | None = None


class TransactionRow(Struct, frozen=True, kw_only=True):
    """A transaction as an export of the gateway lists it: a hint, since the gateway itself is asked for the truth.

    Attributes:
        amount: negative for a refund, where the export shows one so.
        at: when it was started, in UTC.
    """

    vendor_tx_code: str
    transaction_id: str = ""
    transaction_type: str = ""
    amount: Money | None = None
    at: datetime | None = None
    status: str = ""


class BankRow(Struct, frozen=True, kw_only=True):
    """A line of a bank's statement.

    Attributes:
        amount: positive for money that came in.
        balance: after the line, if the file says so.
    """

    booked_on: date
    amount: Money
    account: str = ""
    description: str = ""
    reference: str = ""
    balance: Money | None = None


Row = SettlementRow | ChargebackNotice | TransactionRow | BankRow
"""A row of any kind of file."""
