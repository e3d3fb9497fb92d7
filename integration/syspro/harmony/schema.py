"""What the façade answers. Members may be added and may be missing; text is never `null`."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct, field

Row = TypeVar("Row")


class ErrorHead(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The head of an error body."""

    code: str
    message: str = ""
    business_object: str = ""
    correlation_id: str = ""
    retryable: bool = False


class ItemError(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One thing SYSPRO said was wrong with an item."""

    element: str = ""
    value: str = ""
    error_number: str = ""
    error_description: str = ""


class ItemWarning(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One warning."""

    element: str = ""
    warning_number: str = ""
    warning_description: str = ""
    error_description: str = ""


class Key(Struct, frozen=True, kw_only=True, rename="pascal"):
    """SYSPRO's key of a journal: of the AR cash book (`Trn…`) or of the general ledger (`Gl…`)."""

    trn_year: str = ""
    trn_month: str = ""
    journal: str = ""
    gl_year: str = ""
    gl_period: str = ""
    gl_journal: str = ""


class UnappliedInvoice(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The document SYSPRO made for unapplied cash (`_CRD0000004`)."""

    invoice: str = ""
    gross_payment_value: str = ""


class PostedItem(Struct, frozen=True, kw_only=True, rename="pascal"):
    """What became of one item of any posting."""

    status: str = ""
    errors: list[ItemError] = []
    warnings: list[ItemWarning] = []
    customer: str = ""
    customer_po_number: str = ""
    sales_order: str = ""
    sales_order_display: str = ""
    invoice: str = ""
    document_type: str = ""
    jnl_status: str = ""
    key: Key = Key()
    unapplied_invoices: list[UnappliedInvoice] = []


class GlJournalState(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The GL journal of an AR posting; an error here means that AR is posted and the ledger is not."""

    gl_year: str = ""
    gl_period: str = ""
    gl_journal: str = ""
    gl_journal_error: str = ""
    gl_journal_message: str = ""


class StatusOfItems(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Totals of a posting."""

    gl_journal: GlJournalState = GlJournalState()


class PostingAnswer(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to a posting, good or bad."""

    error: ErrorHead | None = None
    items: list[PostedItem] = []
    status_of_items: StatusOfItems = StatusOfItems()


class Failure(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An error body, strictly: it has an `Error`."""

    error: ErrorHead
    items: list[PostedItem] = []


class Page(Struct, Generic[Row], frozen=True, kw_only=True, rename="pascal"):
    """A page of a list; `next_start_at` is the last key, or `None` at the end."""

    items: list[Row]
    next_start_at: str | None = None


class Profile(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Who is logged on, and the company's defaults."""

    company_id: str = ""
    operator: str = ""
    syspro_version: str = ""
    enet_version: str = ""
    local_currency_code: str = ""
    accounting_date: str = ""
    default_bank: str = ""
    default_ar_branch: str = ""
    default_warehouse: str = ""


class Session(Profile, frozen=True, kw_only=True, rename="pascal"):
    """The answer to a logon: the profile, and the token that stands for it."""

    user_id: str

    def __repr__(self) -> str:
        return f"Session(operator={self.operator!r}, company_id={self.company_id!r})"


class Customer(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Columns of ArCustomer that matter here."""

    customer: str
    name: str = ""
    currency: str = ""
    customer_on_hold: str = ""
    branch: str = ""
    terms_code: str = ""
    payments_allowed: str = ""


class StockMaster(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Columns of InvMaster that matter here."""

    stock_code: str
    description: str = ""
    stock_uom: str = ""
    product_class: str = ""
    tax_code: str = ""
    stock_on_hold: str = ""


class WarehouseRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A warehouse that stocks the item."""

    warehouse: str = ""


class StockQuery(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A stock item with its warehouses."""

    stock_item: StockMaster
    warehouse_item: list[WarehouseRow] = []


class CurrencyRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of TblCurrency."""

    currency: str
    buy_exchange_rate: str = ""
    buy_mul_div: str = ""
    sell_exchange_rate: str = ""
    sell_mul_div: str = ""


class OrderLineRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of SorDetail: `M…` for goods, `N…` for everything else."""

    sales_order_line: str = ""
    line_type: str = ""
    m_stock_code: str = ""
    m_stock_des: str = ""
    m_warehouse: str = ""
    m_order_qty: str = ""
    m_order_uom: str = ""
    m_price: str = ""
    m_tax_code: str | None = None
    n_comment: str = ""
    n_msc_charge_value: str = ""
    n_msc_product_cls: str = ""


class OrderRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An order as stored; `lines` is `None` in lists that tell the head only."""

    sales_order: str
    customer: str
    customer_po_number: str
    sales_order_display: str = ""
    order_status: str = ""
    cancelled_flag: str = ""
    order_date: str = ""
    req_ship_date: str | None = None
    currency: str | None = None
    customer_name: str | None = None
    branch: str | None = None
    salesperson: str | None = None
    area: str | None = None
    inv_terms_override: str | None = None
    email: str | None = None
    ship_address1: str | None = None
    ship_address2: str | None = None
    ship_address3: str | None = None
    ship_address3_locality: str | None = None
    ship_address4: str | None = None
    ship_address5: str | None = None
    ship_postal_code: str | None = None
    special_instrs: str | None = None
    lines: list[OrderLineRow] | None = field(default=None, name="SalesOrderLine")


class MovementRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of ArInvoicePay: one movement on one invoice."""

    customer: str = ""
    invoice: str = ""
    document_type: str = ""
    entry_number: str = ""
    trn_type: str = ""
    journal_date: str = ""
    journal: str = ""
    trn_year: str = ""
    trn_month: str = ""
    reference: str = ""
    trn_value: str = ""
    disc_value: str = ""
    post_currency: str = ""
    invoice_notation: str | None = None


class InvoiceRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of ArInvoice with its movements."""

    customer: str
    invoice: str
    document_type: str = ""
    invoice_date: str = ""
    sales_order: str = ""
    customer_po_number: str = ""
    branch: str | None = None
    terms_code: str | None = None
    currency_value: str = ""
    post_currency: str = ""
    invoice_bal1: str = ""
    tax_portion: str = ""
    reference: str = ""
    payments: list[MovementRow] = []


class JournalLineRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of GenJournalDetail; `entry_amount` is the signed twin of type and value."""

    ledger_code: str
    entry_amount: str
    reference: str = ""
    comment: str = ""


class JournalRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A row of GenJournalCtl with its entries."""

    key: Key
    journal_date: str = ""
    reference: str = ""
    notation: str | None = None
    jnl_status: str = ""
    journal_details: list[JournalLineRow] | None = None
