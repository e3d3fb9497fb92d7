"""What else belongs to a payment's source document: the payment it goes back to, a chargeback's notice, a plan.

Refunds and chargebacks are about an earlier payment. What became of it in the ERP decides how money leaves: goods
come back, the invoice is credited in money, or unapplied cash is simply returned.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money

RefundForm = Literal["goods", "money", "unapplied"]


class Original(Struct, frozen=True, kw_only=True):
    """The payment that a refund or chargeback is about, as we and the ERP know it.

    Attributes:
        payment_id: of our row.
        amount: what was captured, in the payment's own currency.
        posted: the same as it is in the ERP, in the customer's currency.
        customer: the ERP's code that it was posted under.
        sales_order, ar_payment: the ERP's keys of what we posted; empty when we posted none.
        unapplied_invoice: the number of its unapplied cash (`_CRD…`); `unapplied` what is left of it, positive.
        invoice: the number of the AR invoice of its order, or of its own; empty before it is invoiced.
        invoice_value, invoice_balance: of that invoice, in the customer's currency, and what is open on it.
        refunded: what earlier refunds of the payment took, in the payment's currency.
        form: how a refund goes through the ledger.
        adjusts: the document that a refund's adjustment brings down, where it is in the ledger already; empty
            where the refund posts it first. Its type is `adjusts_type`.
        credit_tax: the tax in the refund, by the share of tax in the shop's order; `None` without an order.
        credit_note: the AR credit that is there already, raised in the ERP by a person; its type is `C`, or `I`
            when it was posted onto the invoice.
    """

    payment_id: int
    transaction_id: str
    vendor_tx_code: str
    kind: str
    amount: Money
    posted: Money
    customer: str
    order_reference: str = ""
    sales_order: str = ""
    ar_payment: str = ""
    ar_payment_reference: str = ""
    unapplied_invoice: str = ""
    unapplied: Money | None = None
    invoice: str = ""
    invoice_date: date | None = None
    invoice_value: Money | None = None
    invoice_balance: Money | None = None
    refunded: Money
    form: RefundForm = "unapplied"
    adjusts: str = ""
    adjusts_type: Literal["I", "C"] = "C"
    credit_tax: Money | None = None
    credit_note: str = ""
    credit_note_type: str = ""
    branch: str = ""


class SubscriptionFacts(Struct, frozen=True, kw_only=True):
    """The plan that a repeat payment is a charge of.

    Attributes:
        sequence: 1 for the first charge after the sign-up.
        period_from, period_to: what the charge pays for, both days included.
        stock_code, product_class, tax_code: what the ERP shall call it; empty for the pair's defaults.
        net, tax: they sum to the charge.
    """

    subscription: str
    plan: str
    customer: str
    description: str
    sequence: int
    period_from: date | None = None
    period_to: date | None = None
    stock_code: str = ""
    product_class: str = ""
    tax_code: str = ""
    net: Money | None = None
    tax: Money | None = None


class Circumstances(Struct, frozen=True, kw_only=True):
    """What a payment's source document has besides transaction, order and pair; each may be missing.

    Attributes:
        accounts: ledger codes by purpose (`refund`, `chargeback`, `suspense`, …).
    """

    original: Original | None = None
    chargeback: ChargebackNotice | None = None
    subscription: SubscriptionFacts | None = None
    accounts: dict[str, str] = {}
