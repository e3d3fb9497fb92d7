"""What may go back, and how it goes through the ledger."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from integration.canonical.money import Money, total
from integration.canonical.order import Order
from service.core.circumstances import Original, RefundForm

Goods = Literal["never", "whole-invoice"]


def form_of(original: Original, asked: Money, goods: Goods) -> RefundForm:
    """How a refund goes through the ledger.

    Before there is an invoice, the money lies as unapplied cash and is simply returned. Afterwards the customer is
    credited first: by a credit note of the order when its goods come back, else in money.

    Args:
        asked: what goes back, in the payment's currency.
        goods: whether a refund of the whole invoice means that its goods come back.
    """
    if original.invoice:
        whole = original.invoice_value == asked and original.sales_order != ""
        return "goods" if whole and goods == "whole-invoice" else "money"
    left = original.unapplied
    return "unapplied" if left is not None and left.currency == asked.currency and left >= asked else "money"


def prepared(original: Original, asked: Money, goods: Goods, order: Order | None) -> Original:
    """The payment with how a refund of it goes: its form, what is adjusted, and the tax in it.

    A credit that a person posted *onto* the invoice is brought down where it lies: on the invoice, once that is
    paid for and so in credit; else on the unapplied cash, which the invoice no longer needs.
    """
    tax = _tax_of(order, asked)
    if original.credit_note and original.credit_note_type == "I":
        balance = original.invoice_balance
        in_credit = balance is not None and balance.minor < 0
        number = (
            original.credit_note
            if in_credit or not original.unapplied_invoice
            else original.unapplied_invoice
        )
        return replace(original, form="money", adjusts=number, adjusts_type="I", credit_tax=tax)
    if original.credit_note:
        return replace(original, form="money", adjusts=original.credit_note, adjusts_type="C", credit_tax=tax)
    form = form_of(original, asked, goods)
    if form == "unapplied":
        return replace(original, form=form, adjusts=original.unapplied_invoice, adjusts_type="I")
    return replace(original, form=form, adjusts_type="C", credit_tax=tax)


def _tax_of(order: Order | None, asked: Money) -> Money | None:
    """The tax in a part of an order, as large as its share of the whole."""
    if order is None or order.total.minor <= 0 or order.total.currency != asked.currency:
        return None
    taxes = total([line.tax for line in order.lines], asked.currency)
    # Whole numbers, rounded half up.
    doubled = 2 * asked.minor * taxes.minor + order.total.minor
    return Money(doubled // (2 * order.total.minor), asked.currency)
