"""GENTJL: general journals, balanced, in an open period, on accounts that exist."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.findings import (
    INVALID_CHOICE,
    NOT_NUMERIC,
    ON_HOLD,
    PERIOD_CLOSED,
    REFUSED,
    UNBALANCED,
    Reader,
)
from integration.sandbox.syspro.gl import Entry, JournalHead, journal_key, write_journal
from integration.sandbox.syspro.ledger_documents import GlAccount
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import JOURNAL_ITEM
from integration.sandbox.syspro.values import ZERO, Document, money, plain

SUB_MODULES = frozenset({"AP", "AR", "SA", "CS", "IN", "GR", "AS", "PA", "WP"})


def post_journals(posting: Posting, items: list[Document]) -> Outcome:
    """Add one journal per item."""
    posting.parameters.choice("ActionType", "A", "A")
    posting.parameters.choice("IgnoreAnalysis", "Y N", "Y")
    posting.warnings_allowed("N Y W")
    return run(posting, Plan("GENTJL", JOURNAL_ITEM, lambda item: _post(posting, item)), items)


def _post(posting: Posting, item: Reader) -> Document:
    store = posting.store
    kind = item.choice("JournalType", "N P U S L I E A", "N")
    currency = item.code("Currency", store.config.local_currency)
    if currency != store.config.local_currency and kind != "L":
        item.refuse("Currency", INVALID_CHOICE, "Currency must be blank for a journal in local currency")
    if item.code("SourceCode") in SUB_MODULES:
        item.refuse(
            "SourceCode", INVALID_CHOICE, "Source code must be a user-defined one, not a sub-module's"
        )
    month = _month(posting, item)
    date = item.date("JournalDate", store.accounting_date().isoformat())
    authorise = item.choice("AuthorizeJournal", "D A U", "D")
    post = item.choice("PostJournal", "Y N", "Y")
    hold = item.choice("HoldJournal", "N Y", "N")
    entries = [_entry(posting, line) for line in item.children("JournalDetails")]
    _check_balance(item, entries)
    if item.failed():
        return {}
    status = "P" if post == "Y" and hold == "N" and authorise != "U" else "H" if hold == "Y" else "N"
    head = JournalHead(
        month, date, item.code("SourceCode"), item.text("JournalReference"), item.text("Notation"),
        posting.operator, kind, status, "N" if authorise == "U" else "Y",
    )  # fmt: skip
    journal = write_journal(store, head, entries)
    return {
        "Key": journal_key(journal), "JournalDate": date, "NumOfEntries": journal.NumOfEntries,
        "DebitAmount": plain(journal.DebitAmount), "CreditAmount": plain(journal.CreditAmount),
        "JnlPostingType": kind, "JnlStatus": status, "Authorised": journal.Authorised,
    }  # fmt: skip


def _month(posting: Posting, item: Reader) -> str:
    """The explicit year and period; both default to the current ones, which are numbers, not C, P or B."""
    current_year, current_period = posting.store.month_of("C").split("-")
    year = item.text("PostingYear", current_year)
    period = item.text("PostingPeriod", current_period)
    for name, value, most in (("PostingYear", year, 9999), ("PostingPeriod", period, 12)):
        if not (value.isascii() and value.isdigit()):
            item.refuse(name, NOT_NUMERIC, f"Element '{name}' must be numeric")
        elif not 1 <= int(value) <= most:
            item.refuse(name, PERIOD_CLOSED, f"Posting period {year}/{period} is invalid")
    if item.failed():
        return f"{current_year}-{current_period}"
    month = f"{int(year):04}-{int(period):02}"
    if month > f"{current_year}-{current_period}":
        item.refuse(
            "PostingPeriod", PERIOD_CLOSED, f"Posting period {year}/{period} is not open, it is in the future"
        )
    elif int(year) < int(current_year) - 1:
        text = f"Posting period {year}/{period} is not open, only this year and the last are"
        item.refuse("PostingYear", PERIOD_CLOSED, text)
    posting.check_period(month, item)
    return month


def _entry(posting: Posting, line: Reader) -> Entry:
    code = line.required("LedgerCode")
    account = posting.store.gl_accounts.get(code)
    if account is not None:
        _check_account(posting, line, account)
    elif code:
        line.not_found("LedgerCode", "Ledger code")
    amount = money(line.number("EntryAmount", Decimal(0)))
    if amount == 0:
        line.refuse("EntryAmount", UNBALANCED, "Entry amount is zero: it cannot balance a journal")
    date = line.date("Date", line.text("TransactionDate"))
    return Entry(code, amount, line.text("Reference"), line.text("Comment"), date)


def _check_account(posting: Posting, line: Reader, account: GlAccount) -> None:
    code = account.LedgerCode
    if account.AccOnHldFlag == "Y":
        line.refuse("LedgerCode", ON_HOLD, f"Ledger code '{code}' is on hold")
    if account.ControlAccFlag == "Y":
        line.warn("LedgerCode", f"Ledger code '{code}' is a control account")
    if account.AnalysisRequired == "Y" and posting.parameters.code("IgnoreAnalysis", "Y") == "N":
        line.refuse("LedgerCode", REFUSED, f"Analysis is required for ledger code '{code}'")


def _check_balance(item: Reader, entries: list[Entry]) -> None:
    total = sum((entry.amount for entry in entries), ZERO)
    if len(entries) < 2:
        item.refuse("JournalDetails", UNBALANCED, "A journal needs at least two entries to balance")
    elif total != 0:
        item.refuse("JournalDetails", UNBALANCED, f"Journal does not balance, the difference is {total}")
