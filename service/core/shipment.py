"""What an order's shipment means for its payment: is it shipped or invoiced, and which invoices are paid by it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from integration.canonical.erp_records import OrderState
from integration.canonical.money import Money

Until = Literal["shipped", "invoiced"]

# Ready to invoice, and complete: the goods have left the warehouse.
SHIPPED_STATUSES = frozenset({"8", "9"})


class OpenInvoice(Struct, frozen=True, kw_only=True):
    """An invoice of the order with what is open of it."""

    invoice: str
    balance: Money


def has_come(order: OrderState, until: Until) -> bool:
    """Whether an order has come as far as the payment waits for."""
    if until == "invoiced":
        return bool(order.last_invoice)
    return bool(order.last_invoice) or order.order_status in SHIPPED_STATUSES


def is_cancelled(order: OrderState, statuses: Collection[str]) -> bool:
    """Whether nothing will ever be shipped."""
    return order.cancelled or order.order_status in statuses


def allocated(receipt: Mapping[str, object], invoices: Sequence[OpenInvoice]) -> dict[str, object]:
    """The mapped values of an AR payment, set against invoices in their order; the rest stays unapplied.

    A receipt of another shape than one unapplied part is the mapping's own decision and stays as it is; so does
    one in another currency than the invoices.
    """
    parts = receipt.get("Unapplied")
    whole = _money(receipt.get("PaymentValue"))
    if not isinstance(parts, list) or len(parts) != 1 or receipt.get("Invoices") or whole is None:
        return dict(receipt)
    left, paid = whole, list[dict[str, object]]()
    for each in invoices:
        if each.balance.currency != whole.currency or each.balance.minor <= 0 or left.minor <= 0:
            continue
        part = min(left.minor, each.balance.minor)
        left = Money(left.minor - part, left.currency)
        paid.append(
            {
                "Invoice": each.invoice,
                "GrossPaymentValue": _written(part, whole.currency),
                "DiscountValue": _written(0, whole.currency),
            }
        )
    if not paid:
        return dict(receipt)
    rest = [{**parts[0], "GrossPaymentValue": _written(left.minor, left.currency)}] if left.minor else []
    return {**receipt, "Invoices": paid, "Unapplied": rest}


def _written(minor: int, currency: str) -> dict[str, object]:
    return {"minor": minor, "currency": currency}


def _money(value: object) -> Money | None:
    if not isinstance(value, dict):
        return None
    minor, currency = value.get("minor"), value.get("currency")
    return Money(minor, currency) if isinstance(minor, int) and isinstance(currency, str) else None
