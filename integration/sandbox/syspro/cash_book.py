"""CSHTWD: deposits into and withdrawals from a bank, distributed over ledger accounts."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.findings import INVALID_CHOICE, NOT_DISTRIBUTED, REFUSED, Reader
from integration.sandbox.syspro.gl import Entry, JournalHead, journal_key, write_journal
from integration.sandbox.syspro.ledger_documents import Bank, CashBookTrn
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import CASH_ITEM
from integration.sandbox.syspro.values import ZERO, Document, money


def post_cash(posting: Posting, items: list[Document]) -> Outcome:
    """Post each item as one cash-book transaction with its GL journal."""
    return run(posting, Plan("CSHTWD", CASH_ITEM, lambda item: _post(posting, item)), items)


def _post(posting: Posting, item: Reader) -> Document:
    store = posting.store
    if not item.given("AddTransaction"):
        item.required("AddTransaction")
        return {}
    reader = item.child("AddTransaction")
    posting.check_period(posting.month, item)
    code = reader.code("Bank", store.config.bank)
    bank = store.banks.get(code)
    if bank is None:
        reader.not_found("Bank", "Bank")
    elif bank.Currency not in {"", store.config.local_currency}:
        reader.refuse("Bank", INVALID_CHOICE, f"Currency of bank '{code}' must be the local currency")
    kind = reader.required("DepositOrWithdrawal")
    reader.choice("DepositOrWithdrawal", "D W", "D")
    value = money(reader.number("TransactionValue"))
    if value <= 0:
        reader.refuse("TransactionValue", REFUSED, "Transaction value must be greater than zero")
    date = reader.date("TransactionDate", store.accounting_date().isoformat())
    sign = 1 if kind == "D" else -1
    entries = _distribution(posting, reader, value, -sign)
    if bank is None or item.failed():
        return {}
    entries.append(Entry(bank.CashGlCode, sign * value))
    return _store(posting, reader, bank, entries, (kind, sign * value, date))


def _distribution(posting: Posting, reader: Reader, value: Decimal, sign: int) -> list[Entry]:
    entries: list[Entry] = []
    for line in reader.children("LedgerDistribution"):
        code = line.required("LedgerCode")
        if code and code not in posting.store.gl_accounts:
            line.not_found("LedgerCode", "Ledger code")
        entries.append(
            Entry(code, sign * money(line.number("LedgerValue")), comment=line.text("LedgerNotation"))
        )
    total = sum((entry.amount for entry in entries), ZERO) * sign
    if total != value:
        text = f"Transaction value {value} is not fully distributed, {total} was distributed"
        reader.refuse("LedgerDistribution", NOT_DISTRIBUTED, text)
    return entries


def _store(
    posting: Posting, reader: Reader, bank: Bank, entries: list[Entry], moved: tuple[str, Decimal, str]
) -> Document:
    store = posting.store
    kind, change, date = moved
    year, month = posting.month.split("-")
    number = f"{store.next_number('CbJournal'):010}"
    reference = reader.text("Reference")
    head = JournalHead(posting.month, date, "CS", reference, reader.text("Narration"), posting.operator)
    journal = write_journal(store, head, entries)
    row = CashBookTrn(
        bank.Bank, year, month, date.replace("-", ""), "000000", number, "00001", kind, reference,
        abs(change), date, reader.text("Narration"), reader.choice("Reconciled", "N Y", "N"),
    )  # fmt: skip
    store.cash_book.put(f"{bank.Bank}|{year}|{month}|CB{number}|00001", row)
    store.banks.put(bank.Bank, msgspec.structs.replace(bank, CbCurBal1=bank.CbCurBal1 + change))
    key: Document = {
        "Bank": bank.Bank, "CbTrnYear": year, "CbTrnMonth": month, "Journal": number,
        "EntryNumber": "00001", "CbTrnDate": row.CbTrnDate, "CbTrnTime": row.CbTrnTime,
        "GlJournal": {**journal_key(journal), "GlJournalError": "", "GlJournalMessage": ""},
    }  # fmt: skip
    return {"Key": key}
