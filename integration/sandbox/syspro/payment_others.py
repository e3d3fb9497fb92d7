"""ARSTPY items that are not payments: adjustments of documents, and receipts from nobody's account."""

from __future__ import annotations

from integration.sandbox.syspro.documents import Customer
from integration.sandbox.syspro.findings import NOT_FOUND, ON_HOLD, REFUSED, Reader
from integration.sandbox.syspro.gl import Entry
from integration.sandbox.syspro.payment_journal import CashJournal, Receipt
from integration.sandbox.syspro.receivables import Movement, control_account, move_document
from integration.sandbox.syspro.store import document_key, to_local
from integration.sandbox.syspro.values import ZERO, Document, money


def post_adjustments(journal: CashJournal, reader: Reader) -> Document:
    """Adjust documents of one customer; refused while the customer is on hold."""
    store = journal.posting.store
    code = reader.required("Customer")
    customer = store.customers.get(store.customer_key(code))
    if customer is None:
        if code:
            reader.not_found("Customer", "Customer")
        return {}
    if customer.CustomerOnHold == "Y":
        reader.refuse("Customer", ON_HOLD, f"Customer '{customer.Customer}' is on hold")
    bank = journal.bank(reader)
    lines = reader.children("InvoiceToAdjust")
    if not lines:
        reader.required("InvoiceToAdjust")
    if bank is None or reader.failed():
        return {}
    entries: list[Entry] = []
    touched: list[str] = []
    for line in lines:
        entries += _adjust(journal, customer, line)
        touched.append(store.invoice_key(line.code("Invoice")))
    if reader.failed():
        return {}
    date = store.accounting_date().isoformat()
    receipt = Receipt(
        "Adjustments", customer.Customer, ZERO, store.currency_of(customer), date, bank,
        reader.code("PaymentType", "O"), entries, control_account(store, customer.Branch),
        invoices=tuple(touched),
    )  # fmt: skip
    journal.receive(reader, receipt)
    return {"Kind": "Adjustments", "Customer": customer.Customer, "Key": journal.key()}


def _adjust(journal: CashJournal, customer: Customer, line: Reader) -> list[Entry]:
    store = journal.posting.store
    kind = line.choice("TransactionType", "I C D", "I")
    number = line.required("Invoice")
    invoice = store.invoices.get(document_key(customer.Customer, store.invoice_key(number), kind))
    if number and invoice is None:
        line.not_found("Invoice", "Invoice")
    value = money(line.number("AdjustmentValue"))
    if value == 0:
        line.refuse("AdjustmentValue", REFUSED, "Adjustment value cannot be zero")
    line.required("JournalNotation")
    account = line.code("AdjustmentLedgerCode", store.accounts.adjustment)
    if account not in store.gl_accounts:
        line.refuse("AdjustmentLedgerCode", NOT_FOUND, f"Ledger code '{account}' not found")
    if invoice is None or line.failed():
        return []
    whole = value == -invoice.InvoiceBal1
    local = -invoice.local_balance if whole else to_local(value, invoice.ConvRate, invoice.MulDiv)
    movement = Movement(
        "A", value, local, store.accounting_date().isoformat(), journal.posting.month, journal.number,
        line.text("Reference"), invoice.ConvRate, notation=line.text("JournalNotation"),
    )  # fmt: skip
    move_document(store, invoice, movement)
    return [Entry(control_account(store, invoice.Branch), local), Entry(account, -local)]


def post_receipt(journal: CashJournal, reader: Reader) -> Document:
    """Money with no customer: debit the bank, credit a ledger code; a negative one is a warning."""
    store = journal.posting.store
    bank = journal.bank(reader)
    value = money(reader.number("MiscellaneousReceiptValue"))
    if value == 0:
        reader.refuse("MiscellaneousReceiptValue", REFUSED, "Miscellaneous receipt value cannot be zero")
    elif value < 0:
        reader.warn("MiscellaneousReceiptValue", "Miscellaneous receipt value is negative")
    reader.required("JournalNotation")
    currency = reader.code("Currency", store.config.local_currency)
    if currency not in store.currencies:
        reader.not_found("Currency", "Currency")
    credit = reader.required("CreditLedgerCode")
    debit = reader.code("DebitLedgerCode")
    for name, account in (("CreditLedgerCode", credit), ("DebitLedgerCode", debit)):
        if account and account not in store.gl_accounts:
            reader.not_found(name, "Ledger code")
    date = reader.date("MiscellaneousReceiptDate", store.accounting_date().isoformat())
    if bank is None or reader.failed():
        return {}
    book, mul_div = store.rate_of(currency)
    local = to_local(value, reader.number("MiscellaneousExchangeRate", book), mul_div)
    cash = "" if debit in {"", bank.CashGlCode} else debit
    receipt = Receipt(
        "MiscellaneousReceipt", "", value, currency, date, bank, reader.code("PaymentType", "O"),
        [Entry(cash, local), Entry(credit, -local)], "",
    )  # fmt: skip
    journal.receive(reader, receipt)
    return {"Kind": "MiscellaneousReceipt", "Customer": "", "Key": journal.key()}
