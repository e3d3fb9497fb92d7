"""ARSTPY: payments, adjustments and miscellaneous receipts of one AR cash journal."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import ArInvoice, Customer
from integration.sandbox.syspro.findings import INVALID_CHOICE, NOT_DISTRIBUTED, REFUSED, Reader
from integration.sandbox.syspro.gl import Entry
from integration.sandbox.syspro.ledger_documents import Bank
from integration.sandbox.syspro.payment_journal import CashJournal, Receipt
from integration.sandbox.syspro.payment_others import post_adjustments, post_receipt
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.receivables import (
    Movement,
    control_account,
    move_document,
    next_credit_number,
    put_document,
    record_movement,
)
from integration.sandbox.syspro.shapes import PAYMENT_ITEM
from integration.sandbox.syspro.store import document_key, to_local
from integration.sandbox.syspro.values import ZERO, Document, money

UNAPPLIED_TEXT = "Unapplied cash"


def post_payments(posting: Posting, items: list[Document]) -> Outcome:
    """Post the items as one AR cash journal and one GL journal."""
    journal = CashJournal(posting)
    auto = posting.parameters.choice("AutoCorrectPaymentValue", "N Y U", "N")
    posting.warnings_allowed("N Y")

    def post(item: Reader) -> Document:
        kinds = [kind for kind in ("Payment", "Adjustments", "MiscellaneousReceipt") if item.given(kind)]
        if len(kinds) != 1:
            text = "An item must be one of Payment, Adjustments, MiscellaneousReceipt"
            item.refuse("", INVALID_CHOICE, text)
            return {}
        posting.check_period(posting.month, item)
        reader = item.child(kinds[0])
        if kinds[0] == "Payment":
            return _PaymentPoster(journal, reader, auto).post()
        return (post_adjustments if kinds[0] == "Adjustments" else post_receipt)(journal, reader)

    return run(posting, Plan("ARSTPY", PAYMENT_ITEM, post, journal.close), items)


class _Distribution(msgspec.Struct, frozen=True):
    gross: Decimal
    discount: Decimal
    withheld: Decimal
    rate: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.discount - self.withheld


class _PaymentPoster:
    """One ``Payment`` on its way into the ledger; documents change as their lines are read."""

    def __init__(self, journal: CashJournal, reader: Reader, auto: str) -> None:
        self.journal = journal
        self.store = journal.posting.store
        self.reader = reader
        self.auto = auto
        self.net = ZERO
        self.entries: list[Entry] = []
        self.touched: list[str] = []
        self.unapplied: list[Document] = []
        self.purchase_order = ""

    def post(self) -> Document:
        """Check, distribute, and hand the money to the cash journal."""
        customer = self._customer()
        bank = self.journal.bank(self.reader)
        date = self.reader.date("PaymentDate", self.store.accounting_date().isoformat())
        value = money(self.reader.number("PaymentValue"))
        if not self.reader.text("PaymentValue"):
            self.reader.required("PaymentValue")
        elif value < 0:
            self.reader.refuse("PaymentValue", REFUSED, "Payment value must be zero or more")
        self._refuse_automatic()
        if customer is None or bank is None or self.reader.failed():
            return {}
        self.date = date
        for line in self.reader.children("InvoiceToPay"):
            self._pay(customer, line)
        for line in self.reader.children("UnappliedPayment"):
            self._keep(customer, line, money(line.number("GrossPaymentValue")))
        value = self._settle_value(customer, value)
        if self.reader.failed():
            return {}
        self._receive(customer, bank, value)
        return {
            "Kind": "Payment",
            "Customer": customer.Customer,
            "Key": self.journal.key(),
            "UnappliedInvoices": list(self.unapplied),
        }

    def _customer(self) -> Customer | None:
        code = self.reader.required("Customer")
        customer = self.store.customers.get(self.store.customer_key(code))
        if customer is None:
            if code:
                self.reader.not_found("Customer", "Customer")
        elif customer.PaymentsAllowed == "N":
            text = f"Payments are not allowed for customer '{customer.Customer}'"
            self.reader.refuse("Customer", REFUSED, text)
        return customer

    def _refuse_automatic(self) -> None:
        for group, flag in (
            ("AutomaticPaymentsOptions", "ApplyAutomaticPayments"),
            ("SumCreditValuesOptions", "SumCreditValues"),
        ):
            options = self.reader.child(group)
            if options.choice(flag, "N Y", "N") == "Y":
                options.refuse(flag, REFUSED, f"{flag} is not available in this company")

    def _rate(self, line: Reader, customer: Customer, invoice: ArInvoice | None) -> Decimal:
        currency = self.store.currency_of(customer)
        book, _ = self.store.rate_of(currency)
        held = self.store.currencies.get(currency)
        if currency == self.store.config.local_currency or (held and held.FixedRate == "Y"):
            return book
        method = self.reader.choice("DefaultExchangeRateMethod", "I N", "N")
        default = invoice.ConvRate if invoice is not None and method == "I" else book
        rate = line.number("ExchangeRateToUse", self.reader.number("DefaultExchangeRateToUse", default))
        return rate if rate > 0 else book

    def _distribution(self, line: Reader, gross: Decimal, rate: Decimal) -> _Distribution:
        if gross < 0:
            line.refuse("GrossPaymentValue", REFUSED, "Gross payment value must be zero or more")
        return _Distribution(
            gross, money(line.number("DiscountValue")), money(line.number("WithholdingTaxValue")), rate
        )

    def _pay(self, customer: Customer, line: Reader) -> None:
        kind = line.choice("TransactionType", "I C D", "I")
        number = line.required("Invoice")
        key = document_key(customer.Customer, self.store.invoice_key(number), kind)
        invoice = self.store.invoices.get(key)
        if invoice is None:
            if number:
                line.not_found("Invoice", "Invoice")
            return
        # Absent means the whole balance; present but blank means nothing.
        blank = ZERO if line.given("GrossPaymentValue") else invoice.InvoiceBal1
        gross = money(line.number("GrossPaymentValue", blank))
        part = self._distribution(line, gross, self._rate(line, customer, invoice))
        if gross > invoice.InvoiceBal1:
            text = f"Payment exceeds the outstanding amount {invoice.InvoiceBal1} of invoice '{number}'"
            line.warn("GrossPaymentValue", text)
        if line.failed():
            return
        if line.text("CustomerPurchaseOrder"):
            invoice = msgspec.structs.replace(invoice, CustomerPoNumber=line.text("CustomerPurchaseOrder"))
        whole = gross == invoice.InvoiceBal1
        local = invoice.local_balance if whole else to_local(gross, invoice.ConvRate, invoice.MulDiv)
        move_document(self.store, invoice, self._movement(-gross, -local, part))
        self._book(invoice, part, local)

    def _movement(self, change: Decimal, local: Decimal, part: _Distribution) -> Movement:
        return Movement(
            "P", change, local, self.date, self.journal.posting.month, self.journal.number,
            self.reader.text("Reference"), part.rate, part.discount, self.reader.text("PaymentNarration"),
        )  # fmt: skip

    def _book(self, invoice: ArInvoice, part: _Distribution, ar_local: Decimal) -> None:
        """Credit AR, debit discount and tax withheld at the invoice's rate, and the exchange difference."""
        accounts = self.store.accounts
        discount = to_local(part.discount, invoice.ConvRate, invoice.MulDiv)
        withheld = to_local(part.withheld, invoice.ConvRate, invoice.MulDiv)
        cash = to_local(part.net, part.rate, invoice.MulDiv)
        variance = self.reader.code("ExchangeRateVarianceLedgerCode", accounts.exchange)
        if variance not in self.store.gl_accounts:
            self.reader.not_found("ExchangeRateVarianceLedgerCode", "Ledger code")
        self.entries += [
            Entry(control_account(self.store, invoice.Branch), -ar_local),
            Entry(accounts.discount, discount),
            Entry(accounts.withholding, withheld),
            Entry(variance, ar_local - discount - withheld - cash),
            Entry("", cash),
        ]
        self.net += part.net
        self.touched.append(invoice.Invoice)
        self.purchase_order = self.purchase_order or invoice.CustomerPoNumber

    def _keep(self, customer: Customer, line: Reader, gross: Decimal) -> None:
        """Leave money on the account as a ``_CRD`` document with a negative balance."""
        if customer.UnappPayAllowed == "N":
            text = f"Unapplied payments are not allowed for customer '{customer.Customer}'"
            line.refuse("GrossPaymentValue", REFUSED, text)
        part = self._distribution(line, gross, self._rate(line, customer, None))
        if line.failed() or gross == 0:
            return
        _, mul_div = self.store.rate_of(self.store.currency_of(customer))
        local = to_local(gross, part.rate, mul_div)
        document = ArInvoice(
            customer.Customer, next_credit_number(self.store, customer), "I", self.date, "",
            line.text("CustomerPurchaseOrder", UNAPPLIED_TEXT), customer.Branch, customer.TermsCode,
            -gross, self.store.currency_of(customer), part.rate, mul_div, -gross, local_balance=-local,
        )  # fmt: skip
        put_document(self.store, document)
        if not self.store.config.quirks.unapplied_without_reference:
            record_movement(self.store, document, self._movement(ZERO, ZERO, part), gross)
        self._book(document, part, local)
        self.unapplied.append({"Invoice": document.Invoice, "GrossPaymentValue": str(gross)})

    def _settle_value(self, customer: Customer, value: Decimal) -> Decimal:
        """Hold PaymentValue against what was distributed, as AutoCorrectPaymentValue says."""
        if self.reader.failed() or value == self.net or self.store.config.quirks.payments_not_distributed:
            return value
        if self.auto == "Y":
            return self.net
        if self.auto == "U" and value > self.net:
            self._keep(customer, Reader({}, self.reader.findings, self.reader.path), value - self.net)
            return value
        text = f"Payment value {value} is not fully distributed, {self.net} was distributed"
        self.reader.refuse("PaymentValue", NOT_DISTRIBUTED, text)
        return value

    def _receive(self, customer: Customer, bank: Bank, value: Decimal) -> None:
        currency = self.store.currency_of(customer)
        sent = self.reader.choice("PaymentType", "C S O", "C")
        foreign = currency != self.store.config.local_currency
        kind = self.store.config.quirks.force_payment_type or ("O" if foreign else sent)
        self.journal.receive(
            self.reader,
            Receipt(
                "Payment", customer.Customer, value, currency, self.date, bank, kind, self.entries,
                control_account(self.store, customer.Branch), self.purchase_order, tuple(self.touched),
            ),
        )  # fmt: skip
