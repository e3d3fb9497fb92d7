"""Opayo's and SYSPRO's ledgers, by what charges of subscriptions are known by."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from service.store.subscriptions import Subscription


class Kept(msgspec.Struct, frozen=True):
    """What our own rows say of a subscription."""

    state: str
    reason: str
    by_day: dict[date, dict[str, object]]


class Books:
    """Both ledgers, by what charges are known by."""

    def __init__(self, opayo: list[dict[str, Any]], syspro: dict[str, Any]) -> None:
        self.repeats = [row for row in opayo if row["transactionType"] == "Repeat"]
        own = [row for row in syspro["invoices"] if not row["Invoice"].startswith("_CRD")]
        self.invoices = {row["Invoice"]: row for row in own}
        assert len(self.invoices) == len(own)
        self.open_minor = sum(int(Decimal(row["InvoiceBal1"]) * 100) for row in own)
        joined = [row for row in syspro["ar_payments"] if row["CustomerPurchaseOrder"].startswith("JOIN-")]
        self.receipts = {
            row["Reference"]: row for row in syspro["ar_payments"] if row not in joined
        }  # the first payments are unapplied cash
        assert len(self.receipts) == len(syspro["ar_payments"]) - len(joined)

    def captured(self, prefix: str) -> list[dict[str, Any]]:
        """The repeats of one due date that took money, whatever their attempt."""
        return [row for row in self.repeats if row["vendorTxCode"].startswith(prefix) and row["captured"]]

    def assert_booked(self, number: str, repeat: dict[str, Any], subscription: Subscription) -> None:
        """The charge has its invoice, and its receipt has paid it."""
        invoice = self.invoices[number]
        assert int(Decimal(invoice["CurrencyValue"]) * 100) == repeat["captured"]
        assert invoice["Customer"].lstrip("0") == subscription.customer.lstrip("0")
        receipt = self.receipts[repeat["transactionId"].replace("-", "")[:30]]
        assert receipt["minor"] == repeat["captured"]
