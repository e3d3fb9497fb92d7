"""ARSQRY: a customer's statement, with the movements on each document."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.documents import ArInvoice, ArInvoicePay, ArPayment, Customer
from integration.sandbox.syspro.enet.call import Call, Refused
from integration.sandbox.syspro.enet.xml_out import RATE_WIDTH, Answer, Elements, number, texts
from integration.sandbox.syspro.findings import NOT_FOUND, Finding
from integration.sandbox.syspro.order_lines import line_value
from integration.sandbox.syspro.store import Store, document_key
from integration.sandbox.syspro.values import ZERO

_ROOT = "ARStatement"
_CLOSED = frozenset({"9", "*", "\\"})
_ADDRESS = [
    name for kind in ("Sold", "Ship") for name in (*(f"{kind}ToAddr{n}" for n in range(1, 6)), f"{kind}PostalCode")
]  # fmt: skip


def statement(call: Call) -> Answer:
    """Answer a statement.

    Raises:
        Refused: for an unknown customer.
    """
    store = call.store
    code = call.asked("Key/Customer")
    customer = store.customers.get(store.customer_key(code)) if code else None
    if customer is None:
        raise Refused(_ROOT, "Customer", Finding("", code, NOT_FOUND, f"Customer '{code}' not found"))
    zero = call.wants("IncludeZeroBalances", "N")
    content: Elements = [("SystemInformation", system_information(call)), ("Header", _header(call, customer))]
    if call.wants("IncludeTransactions", "Y"):
        held = store.invoices.by("Customer", customer.Customer)
        content += [("InvoiceDetail", _document(call, one)) for one in held if zero or one.InvoiceBal1]
    if call.wants("IncludeCheckPayments", "Y"):
        paid = [row for row in store.payments.by("Customer", customer.Customer) if row.Kind == "Payment"]
        content += [("PayDetail", _payment(call, row)) for row in paid]
    total = store.balances.get(customer.Customer) or ZERO
    credit = store.credits.get(customer.Customer) or ZERO
    sums = {
        "CurrentBalance": total, "ValueFutureInv": ZERO, "Current": total - credit,
        **{f"Days{days}": ZERO for days in (30, 60, 90, 120, 150, 180)}, "CreditBalance": credit,
        "DiscountAvailable": ZERO,
    }  # fmt: skip
    shown: Elements = [(name, number(value, call.quirks)) for name, value in sums.items()]
    return Answer(_ROOT, [*content, ("TotalSection", shown)])


def system_information(call: Call) -> Elements:
    """What queries that report begin with."""
    return texts(
        CompanyId=call.store.config.company, OperatorCode=call.session.operator,
        LocalCurrency=call.store.config.local_currency, GlPrdPerYear="12",
        ReportDate=call.store.accounting_date().isoformat(),
    )  # fmt: skip


def outstanding(store: Store, customer: str) -> tuple[int, Decimal]:
    """How many orders of a customer are open, and what they are worth net."""
    held = [order for order in store.orders.by("Customer", customer) if order.OrderStatus not in _CLOSED]
    return len(held), sum((line_value(line) for order in held for line in order.lines), ZERO)


def _header(call: Call, customer: Customer) -> Elements:
    store, others = call.store, customer.others
    waiting, value = outstanding(store, customer.Customer)
    return texts(
        Customer=customer.Customer, Name=customer.Name,
        **{name: others.get(name, "") for name in _ADDRESS},
        TermsCode=customer.TermsCode, Currency=store.currency_of(customer),
        CreditLimit=customer.CreditLimit, CreditStatus=others.get("CreditStatus", "0"),
        CreditCheckFlag=others.get("CreditCheckFlag", ""), CustomerOnHold=customer.CustomerOnHold,
        BalanceType=customer.BalanceType, TaxStatus=customer.TaxStatus, Salesperson=customer.Salesperson,
        Branch=customer.Branch, Area=customer.Area, OutstOrdVal=number(value, call.quirks),
        NumOutstOrd=number(Decimal(waiting), call.quirks),
        DateLastSale=others.get("DateLastSale", ""), DateLastPay=others.get("DateLastPay", ""),
        Email=customer.Email, Telephone=others.get("Telephone", ""),
        MasterAccount=others.get("MasterAccount", ""),
    )  # fmt: skip


def _document(call: Call, invoice: ArInvoice) -> Elements:
    quirks = call.quirks
    key = document_key(invoice.Customer, invoice.Invoice, invoice.DocumentType)
    shown = texts(
        DocumentType=invoice.DocumentType, Invoice=invoice.Invoice, InvoiceDate=invoice.InvoiceDate,
        DueDate=invoice.InvoiceDate, CustomerPoNumber=invoice.CustomerPoNumber,
        CurrencyValue=number(invoice.CurrencyValue, quirks), InvoiceBal=number(invoice.InvoiceBal1, quirks),
        Branch=invoice.Branch, SalesOrder=invoice.SalesOrder,
        BaseCurrencyValue=number(invoice.local_balance, quirks),
        ConvRate=number(invoice.ConvRate, quirks, RATE_WIDTH), MulDiv=invoice.MulDiv,
    )  # fmt: skip
    moved = call.store.movements.by("Document", key)
    return [*shown, *(("TransDetail", _movement(call, row)) for row in moved)]


def _movement(call: Call, row: ArInvoicePay) -> Elements:
    return texts(
        Reference=row.Reference, TrnValue=number(row.TrnValue, call.quirks), JournalDate=row.JournalDate,
        DiscValue=number(row.DiscValue, call.quirks),
    )  # fmt: skip


def _payment(call: Call, row: ArPayment) -> Elements:
    return texts(
        ChequeReference=row.Reference, PayDate=row.PaymentDate,
        PayValue=number(row.PaymentValue, call.quirks), PaymYear=row.TrnYear, PaymMonth=row.TrnMonth,
    )  # fmt: skip
