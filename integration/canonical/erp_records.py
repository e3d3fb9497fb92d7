"""What is read of the ERP besides our own documents: customers, receivables, orders, the cash book, changes.

Members carry SYSPRO's column names in snake case; values are typed, and keys are as SYSPRO stores them unless a
record says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from integration.canonical.money import Money

Item = TypeVar("Item")


class Page(Struct, Generic[Item], frozen=True, kw_only=True):
    """A page of a keyed browse.

    Attributes:
        after: where the next page begins, to be given back as it is; `None` when this is the last one. A page may
            be empty and not the last.
    """

    items: tuple[Item, ...]
    after: str | None


# --- customers ------------------------------------------------------------------------------------


class CustomerRecord(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A customer, read whole or to be set up: a member that is `None` was not told, or is left as it is.

    Attributes:
        currency: ISO 4217, empty for the company's own; fixed once the customer has traded.
        balance_type: `I` open item, `B` balance brought forward.
        tax_status: `E` exempt, `N` taxable, `O` the stock item's other tax code.
        credit_limit: whole units of the customer's currency.
        sold_to_addr1 …: building, street, city (and its locality, `3_loc`), region, country, at most 40 each.
        payments_allowed: read only; the set-up object has no such element.
    """

    customer: str
    name: str | None = None
    short_name: str | None = None
    salesperson: str | None = None
    branch: str | None = None
    area: str | None = None
    customer_class: str | None = None
    terms_code: str | None = None
    currency: str | None = None
    customer_on_hold: bool | None = None
    balance_type: str | None = None
    tax_status: str | None = None
    tax_exempt_number: str | None = None
    company_tax_number: str | None = None
    credit_limit: int | None = None
    email: str | None = None
    telephone: str | None = None
    add_telephone: str | None = None
    contact: str | None = None
    nationality: str | None = None
    sold_to_addr1: str | None = None
    sold_to_addr2: str | None = None
    sold_to_addr3: str | None = None
    sold_to_addr3_loc: str | None = None
    sold_to_addr4: str | None = None
    sold_to_addr5: str | None = None
    sold_postal_code: str | None = None
    ship_to_addr1: str | None = None
    ship_to_addr2: str | None = None
    ship_to_addr3: str | None = None
    ship_to_addr3_loc: str | None = None
    ship_to_addr4: str | None = None
    ship_to_addr5: str | None = None
    ship_postal_code: str | None = None
    user_field1: str | None = None
    payments_allowed: bool | None = None


# --- receivables ----------------------------------------------------------------------------------


class ArMovement(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One movement on an AR document (ArInvoicePay).

    Attributes:
        trn_type: `P` payment, `A` adjustment, `C` credit memo, `D` debit memo, `T` tax relief, `V` revaluation.
        trn_value: as SYSPRO keeps it; whether a site signs it is not settled, so go by the type.
        journal: `2025/06/0000000166`.
    """

    entry_number: str
    trn_type: str
    reference: str
    trn_value: Money
    journal_date: date | None
    journal: str


class ArDocument(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An AR document with its movements.

    Attributes:
        document_type: `I` invoice (unapplied cash too, `_CRD…`), `C` credit note, `D` debit note.
        currency_value, invoice_balance: negative for a credit; in the customer's currency.
        credited_invoice: of a credit note, the invoice it credits; empty when it stands alone or nothing tells.
            A note posted *onto* an invoice is no document but a movement of type `C` on that invoice.
        is_unapplied_cash: it was made for money that paid nothing yet, by its number.
    """

    customer: str
    invoice: str
    document_type: str
    currency_value: Money
    invoice_balance: Money
    invoice_date: date | None = None
    sales_order: str = ""
    customer_po_number: str = ""
    branch: str = ""
    credited_invoice: str = ""
    is_unapplied_cash: bool = False
    movements: tuple[ArMovement, ...] = ()


class ReceivablesQuery(Struct, frozen=True, kw_only=True):
    """Which AR documents: all members given must fit, and at least one must be given.

    Attributes:
        open_only: those with a balance.
    """

    customer: str = ""
    invoice: str = ""
    sales_order: str = ""
    customer_po_number: str = ""
    open_only: bool = True

    def terms(self) -> dict[str, str]:
        """The members given, by SYSPRO's column.

        Raises:
            ValueError: there are none: nobody wants the whole ledger.
        """
        named = {
            "Customer": self.customer,
            "Invoice": self.invoice,
            "SalesOrder": self.sales_order,
            "CustomerPoNumber": self.customer_po_number,
        }
        terms = {column: value.strip() for column, value in named.items() if value.strip()}
        if not terms:
            raise ValueError(
                "Receivables are asked for by customer, invoice, sales order or customer order number"
            )
        return terms


# --- sales orders ---------------------------------------------------------------------------------


class OrderLineState(Struct, frozen=True, kw_only=True, rename="pascal"):
    """How far a line has come.

    Attributes:
        line_type: SYSPRO's: `1` stock, `4` freight, `5` charge, `6` comment.
        invoiced_qty: what the invoice register holds of it; `None` when the transport does not tell.
        credited_order, credited_line: on a credit note, the order line that it credits.
    """

    sales_order_line: int
    line_type: str
    stock_code: str = ""
    description: str = ""
    order_qty: Decimal = Decimal(0)
    ship_qty: Decimal = Decimal(0)
    back_order_qty: Decimal = Decimal(0)
    invoiced_qty: Decimal | None = None
    price: Decimal = Decimal(0)
    charge_value: Money | None = None
    credited_order: str = ""
    credited_line: int | None = None


class OrderState(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A sales order as it is now.

    Attributes:
        sales_order: as stored.
        document_type: `O` order, `C` credit note, `B` billing, …
        order_status: `1` open, `2` back order, `3` released back order, `4` in warehouse, `8` ready to invoice,
            `9` complete, `F` forward, `S` suspense; `cancelled` says what else it may mean.
        last_invoice: the number of the last AR document made of it.
    """

    sales_order: str
    customer: str
    customer_po_number: str
    order_status: str
    document_type: str
    cancelled: bool
    currency: str
    order_date: date | None = None
    requested_ship_date: date | None = None
    last_invoice: str = ""
    last_invoice_date: date | None = None
    lines: tuple[OrderLineState, ...] = ()


NewOrderStatus = Literal["1", "2", "3", "4", "8", "9", "S"]


# --- cash book ------------------------------------------------------------------------------------


class CashBookEntry(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A deposit into a bank or a withdrawal from it; `value` is positive, in the bank's currency.

    Attributes:
        trn_source: which module made it, by the site's letters (`AR`, `CB`).
        key: `OC/2025/06/0000000001`: bank, year, month, journal.
        cb_trn_date, cb_trn_time: with bank, year and month SYSPRO's handle for reconciling.
    """

    bank: str
    deposit_or_withdrawal: Literal["D", "W"]
    reference: str
    value: Money
    trn_date: date | None
    narration: str
    reconciled: bool
    trn_source: str
    key: str
    cb_trn_date: str = ""
    cb_trn_time: str = ""


# --- changes --------------------------------------------------------------------------------------

ChangeKind = Literal["sales_order", "ar_invoice", "ar_payment", "customer"]


class Change(Struct, frozen=True, kw_only=True):
    """A row of SYSPRO as it is now, light enough to be hashed: whoever kept the last hash sees that it changed.

    Attributes:
        key: the same for the same row for ever, as stored (`customer|invoice|type|entry` for a movement).
        values: by SYSPRO's column, as text: money and quantities as plain decimals, dates as ISO.
    """

    kind: ChangeKind
    key: str
    values: Mapping[str, str]
