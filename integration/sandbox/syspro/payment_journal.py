"""The AR cash journal of one ARSTPY call: its number, its deposits, and the GL journal it becomes."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import ArPayment
from integration.sandbox.syspro.findings import NOT_FOUND, Reader
from integration.sandbox.syspro.gl import Entry, JournalHead, journal_key, write_journal
from integration.sandbox.syspro.ledger_documents import Bank, CashBookTrn
from integration.sandbox.syspro.posting import Posting
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import ZERO, Document, Value, money


class Receipt(msgspec.Struct, frozen=True):
    """Money received: ``entries`` carry the cash side with an empty ledger code."""

    kind: str
    customer: str
    value: Decimal
    currency: str
    date: str
    bank: Bank
    payment_type: str
    entries: list[Entry]
    control: str
    purchase_order: str = ""
    invoices: tuple[str, ...] = ()


class CashJournal:
    """All items of one call share one AR cash journal."""

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        store = posting.store
        # Taken for good only in close(): a call that posts nothing uses no number.
        self.number = f"{store.counters.get('ArJournal') or store.config.next_ar_journal:010}"
        self._entries: list[Entry] = []
        self._control = ZERO
        self._items = 0
        self._date = ""

    def key(self) -> Document:
        """The three elements that name this journal."""
        year, month = self.posting.month.split("-")
        return {"TrnYear": year, "TrnMonth": month, "Journal": self.number}

    def bank(self, reader: Reader) -> Bank | None:
        """The item's bank, the operator's default when blank."""
        store = self.posting.store
        code = reader.code("Bank", store.config.bank)
        bank = store.banks.get(code)
        if bank is None:
            reader.refuse("Bank", NOT_FOUND, f"Bank '{code}' not found")
        return bank

    def receive(self, reader: Reader, receipt: Receipt) -> None:
        """Record an item that was distributed: its payment row, its deposit, its ledger entries."""
        if reader.findings.warnings and self.posting.ignore_warnings == "N":
            return
        store = self.posting.store
        year, month = self.posting.month.split("-")
        self._items += 1
        reference = reader.text("Reference")
        row = ArPayment(
            year, month, self.number, receipt.kind, receipt.customer, reference, receipt.value,
            receipt.currency, receipt.date, reader.text("JournalNotation"),
            reader.text("PaymentNarration"), receipt.bank.Bank, receipt.payment_type,
            receipt.purchase_order, receipt.invoices,
        )  # fmt: skip
        store.payments.put(f"{year}|{month}|{self.number}|{self._items:05}", row)
        notation = reader.text("JournalNotation")
        entries = [
            msgspec.structs.replace(
                entry, code=entry.code or receipt.bank.CashGlCode, reference=reference, comment=notation
            )
            for entry in receipt.entries
        ]
        cash = sum((entry.amount for entry in receipt.entries if not entry.code), ZERO)
        entries += self._bank_charge(reader, receipt.bank)
        self._deposit(receipt, reference, cash - self._charged(reader, receipt.bank))
        self._entries += entries
        self._control += sum((e.amount for e in entries if e.code == receipt.control), ZERO)
        self._date = self._date or receipt.date

    def close(self) -> dict[str, Value]:
        """Take the number and write the GL journal, or say why it failed (then AR stays posted)."""
        store = self.posting.store
        store.next_number("ArJournal", store.config.next_ar_journal)
        error = store.config.quirks.gl_journal_error
        if error:
            self._leave_unposted(store)
            blank: Document = {"GlYear": "", "GlPeriod": "", "GlJournal": ""}
            return {"GlJournal": {**blank, "GlJournalError": "1", "GlJournalMessage": error}}
        head = JournalHead(
            self.posting.month, self._date, "AR", self._reference(), "AR cash journal",
            self.posting.operator, sub_module_journal=self.number,
        )  # fmt: skip
        journal = write_journal(store, head, self._entries)
        return {"GlJournal": {**journal_key(journal), "GlJournalError": "", "GlJournalMessage": ""}}

    def _reference(self) -> str:
        return f"AR {self.posting.month} {self.number}"

    def _leave_unposted(self, store: Store) -> None:
        for entry in self._entries:
            store.not_integrated.put(
                entry.code, (store.not_integrated.get(entry.code) or ZERO) + entry.amount
            )

    def _charged(self, reader: Reader, bank: Bank) -> Decimal:
        return money(reader.number("BankChargeValue")) if bank.ArBankChargeReqd == "Y" else ZERO

    def _bank_charge(self, reader: Reader, bank: Bank) -> list[Entry]:
        charge = self._charged(reader, bank)
        return [Entry(bank.ArBankChargeGlCode, charge), Entry(bank.CashGlCode, -charge)] if charge else []

    def _deposit(self, receipt: Receipt, reference: str, local: Decimal) -> None:
        if local == 0:
            return
        store = self.posting.store
        bank = store.banks[receipt.bank.Bank]  # earlier items of the call may have moved it
        value = _in_bank_currency(store, bank, local)
        year, month = self.posting.month.split("-")
        trn = CashBookTrn(
            bank.Bank, year, month, receipt.date.replace("-", ""), "000000", self.number,
            f"{self._items:05}", "D" if value >= 0 else "W", reference, abs(value), receipt.date,
            TrnSource="AR",
        )  # fmt: skip
        store.cash_book.put(f"{bank.Bank}|{year}|{month}|AR{self.number}|{self._items:05}", trn)
        moved = msgspec.structs.replace(bank, CbCurBal1=bank.CbCurBal1 + value)
        store.banks.put(bank.Bank, moved)


def _in_bank_currency(store: Store, bank: Bank, local: Decimal) -> Decimal:
    if not bank.Currency or bank.Currency == store.config.local_currency:
        return local
    rate, mul_div = store.rate_of(bank.Currency)
    return money(local / rate) if mul_div == "M" else money(local * rate)
