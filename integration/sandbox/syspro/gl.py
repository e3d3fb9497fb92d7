"""Journals written by SYSPRO itself when another module posts, and the balances they move."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.ledger_documents import Journal, JournalLine
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import ZERO, Document


class Entry(msgspec.Struct, frozen=True):
    """One line to post: ``amount`` is local money, debits positive."""

    code: str
    amount: Decimal
    reference: str = ""
    comment: str = ""
    date: str = ""


class JournalHead(msgspec.Struct, frozen=True):
    """What stands over a journal's lines; ``month`` is ``CCYY-MM``."""

    month: str
    date: str
    source: str = ""
    reference: str = ""
    notation: str = ""
    operator: str = ""
    kind: str = "N"
    status: str = "P"
    authorised: str = "Y"
    sub_module_journal: str = ""


def write_journal(store: Store, head: JournalHead, entries: list[Entry]) -> Journal:
    """Write a journal and, when it is posted (status P), move the accounts' balances.

    Zero entries are dropped, as SYSPRO drops them.

    Raises:
        ValueError: when the entries do not sum to zero; callers check documents before they come here.
    """
    lines = tuple(
        _line(number, entry, head)
        for number, entry in enumerate((entry for entry in entries if entry.amount), start=1)
    )
    debit = sum((line.EntryValue for line in lines if line.EntryType == "D"), ZERO)
    credit = sum((line.EntryValue for line in lines if line.EntryType == "C"), ZERO)
    if debit != credit:
        raise ValueError(f"A journal of debits {debit} and credits {credit} was about to be written.")
    number = f"{store.next_number('GlJournal', store.config.next_gl_journal):010}"
    year, period = head.month.split("-")
    journal = Journal(
        year, period, number, head.date, f"{len(lines):05}", debit, credit,
        JnlPostingType=head.kind, JnlStatus=head.status, JournalSource=head.source,
        Reference=head.reference, Notation=head.notation, Authorised=head.authorised,
        Operator=head.operator, PostedBy=head.operator if head.status == "P" else "",
        PostDate=store.accounting_date().isoformat() if head.status == "P" else "", lines=lines,
    )  # fmt: skip
    store.journals.put(f"{year}|{period}|{number}", journal)
    if head.status == "P":
        for line in lines:
            move_account(store, line.LedgerCode, line.amount)
    return journal


def move_account(store: Store, code: str, amount: Decimal) -> None:
    """Add a signed amount to an account's balance."""
    account = store.gl_accounts[code]
    moved = msgspec.structs.replace(account, CurrentBalance=account.CurrentBalance + amount)
    store.gl_accounts.put(code, moved)


def journal_key(journal: Journal) -> Document:
    """The three elements that name a journal."""
    return {"GlYear": journal.GlYear, "GlPeriod": journal.GlPeriod, "GlJournal": journal.GlJournal}


def _line(number: int, entry: Entry, head: JournalHead) -> JournalLine:
    return JournalLine(
        f"{number:05}",
        entry.code,
        "D" if entry.amount > 0 else "C",
        abs(entry.amount),
        entry.reference or head.reference,
        entry.comment,
        entry.date or head.date,
        head.sub_module_journal,
    )
