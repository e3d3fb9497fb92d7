"""What the façade takes, member by member: SYSPRO's element names, money and numbers as text.

An empty member is left out, which leaves SYSPRO its default; every parameter is sent, because SYSPRO's defaults
differ from object to object and one of them (`ValidateOnly`) would turn a posting into a rehearsal.
"""

from __future__ import annotations

from msgspec import Struct


class Logon(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Credentials of an operator and a company."""

    operator: str
    operator_password: str
    company_id: str
    company_password: str

    def __repr__(self) -> str:
        return "Logon(…)"


class OrderParameters(Struct, frozen=True, kw_only=True, rename="pascal"):
    """How an order is taken: warnings do not refuse it, and SYSPRO guards against a repeated order number."""

    accept_orders_if_no_credit: str
    validate_only: str = "N"
    order_status: str = "1"
    type_of_order: str = "ORD"
    ignore_warnings: str = "W"
    allocation_action: str = "A"
    always_use_price_entered: str = "Y"
    allow_zero_price: str = "N"
    allow_duplicate_order_numbers: str = "N"
    check_for_customer_po_numbers: str = "Y"
    warn_if_customer_on_hold: str = "N"
    accept_earlier_ship_date: str = "Y"
    ship_from_default_bin: str = "Y"
    allow_non_stock_items: str = "N"
    warehouse_list_to_use: str = ""


class OrderHeader(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """The head of an order."""

    customer_po_number: str
    customer: str
    order_action_type: str
    order_date: str = ""
    requested_ship_date: str = ""
    currency: str = ""
    customer_name: str = ""
    ship_address1: str = ""
    ship_address2: str = ""
    ship_address3: str = ""
    ship_address3_locality: str = ""
    ship_address4: str = ""
    ship_address5: str = ""
    ship_postal_code: str = ""
    email: str = ""
    warehouse: str = ""
    branch: str = ""
    salesperson: str = ""
    area: str = ""
    special_instrs: str = ""
    invoice_terms: str = ""
    order_comments: list[str] = []


class StockLine(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Goods."""

    customer_po_line: str
    line_action_type: str
    stock_code: str
    order_qty: str
    order_uom: str = ""
    stock_description: str = ""
    warehouse: str = ""
    price: str = ""
    price_uom: str = ""
    stock_tax_code: str = ""
    stock_not_taxable: str = ""
    product_class: str = ""


class FreightLine(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Delivery."""

    customer_po_line: str
    line_action_type: str
    freight_value: str
    freight_cost: str
    freight_tax_code: str = ""
    freight_not_taxable: str = ""


class MiscChargeLine(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """A charge, or a voucher when negative."""

    customer_po_line: str
    line_action_type: str
    misc_charge_value: str
    misc_charge_cost: str
    misc_product_class: str = ""
    misc_description: str = ""
    misc_tax_code: str = ""
    misc_not_taxable: str = ""


class CommentLine(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A remark on the order only, not on its invoice."""

    customer_po_line: str
    line_action_type: str
    comment: str
    comment_type: str = "O"


class OrderDetails(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """The lines by type; an empty list is left out."""

    stock_line: list[StockLine] = []
    freight_line: list[FreightLine] = []
    misc_charge_line: list[MiscChargeLine] = []
    comment_line: list[CommentLine] = []


class ImportedOrder(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One order."""

    order_header: OrderHeader
    order_details: OrderDetails


class OrderImport(Struct, frozen=True, kw_only=True, rename="pascal"):
    """`POST /SalesOrder`."""

    parameters: OrderParameters
    orders: list[ImportedOrder]


class AccountCheck(Struct, frozen=True, kw_only=True, rename="pascal"):
    """`POST /GeneralLedger/Account/Validate`: may this account be posted to?"""

    ledger_code: str
    security_type: str = "P"
    validate_structure: str = "Y"
    validate_flags: str = "Y"


class PaymentParameters(Struct, frozen=True, kw_only=True, rename="pascal"):
    """How money is taken: any warning refuses it, and its value is never corrected by SYSPRO."""

    posting_period: str
    ignore_warnings: str = "N"
    apply_if_entire_document_valid: str = "Y"
    validate_only: str = "N"
    auto_correct_payment_value: str = "N"
    integrate_to_cash_book_in_detail: str = "N"
    auto_calculate_tax: str = "N"
    ignore_analysis: str = "Y"


class PaidInvoice(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of a payment that pays an invoice; the discount is always said, lest SYSPRO works one out."""

    transaction_type: str
    invoice: str
    gross_payment_value: str
    discount_value: str


class UnappliedPart(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of a payment that waits for its invoice."""

    gross_payment_value: str
    customer_purchase_order: str


class Payment(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Money received from a customer."""

    customer: str
    payment_value: str
    reference: str
    journal_notation: str
    payment_date: str = ""
    payment_narration: str = ""
    bank: str = ""
    payment_type: str = ""
    invoice_to_pay: list[PaidInvoice] = []
    unapplied_payment: list[UnappliedPart] = []


class PaymentItem(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An item that holds a payment."""

    payment: Payment


class PaymentPosting(Struct, frozen=True, kw_only=True, rename="pascal"):
    """`POST /AccountsReceivable/Payment`."""

    parameters: PaymentParameters
    items: list[PaymentItem]


class InvoiceParameters(Struct, frozen=True, kw_only=True, rename="pascal"):
    """How an AR invoice or credit memo is taken."""

    posting_period: str
    ignore_warnings: str = "N"
    apply_if_entire_document_valid: str = "Y"
    validate_only: str = "N"


class InvoiceItem(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """An AR invoice, debit note or credit memo."""

    transaction_type: str
    customer: str
    reference: str
    invoice_value: str
    post_to_existing_invoice: str
    generate_invoice_number: str
    invoice: str = ""
    invoice_date: str = ""
    taxable: str = ""
    tax_code: str = ""
    tax_value: str = ""
    product_class: str = ""
    invoice_terms: str = ""
    salesperson: str = ""
    branch: str = ""


class InvoicePosting(Struct, frozen=True, kw_only=True, rename="pascal"):
    """`POST /AccountsReceivable/Invoice`."""

    parameters: InvoiceParameters
    items: list[InvoiceItem]


class JournalParameters(Struct, frozen=True, kw_only=True, rename="pascal"):
    """How a journal is taken."""

    ignore_warnings: str = "N"
    apply_if_entire_document_valid: str = "Y"
    validate_only: str = "N"
    action_type: str = "A"
    ignore_analysis: str = "Y"


class JournalDetail(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """One entry: positive debits, negative credits."""

    ledger_code: str
    entry_amount: str
    reference: str = ""
    comment: str = ""


class JournalItem(Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """A normal journal, authorised and posted to the ledger at once."""

    journal_type: str
    authorize_journal: str
    post_journal: str
    hold_journal: str
    journal_reference: str
    journal_details: list[JournalDetail]
    journal_date: str = ""
    notation: str = ""
    posting_year: str = ""
    posting_period: str = ""


class JournalPosting(Struct, frozen=True, kw_only=True, rename="pascal"):
    """`POST /GeneralLedger/JournalEntry`."""

    parameters: JournalParameters
    items: list[JournalItem]


Posting = OrderImport | PaymentPosting | InvoicePosting | JournalPosting
