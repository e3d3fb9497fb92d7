"""What the acquirer pays out: settlement batches and their lines."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from integration.canonical.money import Money


class SettlementLine(Struct, frozen=True, kw_only=True):
    """One line of a settlement batch.

    Attributes:
        gross: positive for a payment, negative for a refund.
        fee: what the acquirer keeps; positive is a cost.
        net: gross minus fee.
    """

    line_no: int
    transaction_id: str
    vendor_tx_code: str
    transaction_type: str
    gross: Money
    fee: Money
    net: Money
    card_scheme: str = ""
    last_four: str = ""
    authorisation_code: str = ""
    settlement_reference: str = ""


class SettlementBatch(Struct, frozen=True, kw_only=True):
    """One acquirer's batch of one UK calendar day.

    Attributes:
        acquirer: Opayo's `authprocessorname`.
        funding_date: when the bank credits it, if the source says so.
    """

    batch_id: str
    acquirer: str
    merchant_number: str
    completed_at: datetime
    lines: tuple[SettlementLine, ...]
    funding_date: date | None = None
