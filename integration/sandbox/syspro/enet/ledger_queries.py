"""GENQRY, GENQGL, CSHQRY and CSHQ45: ledger accounts and banks."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.enet.call import Call, Refused
from integration.sandbox.syspro.enet.xml_out import Answer, Elements, number, texts
from integration.sandbox.syspro.findings import NOT_FOUND, ON_HOLD, Finding
from integration.sandbox.syspro.ledger_documents import Bank, CashBookTrn, GlAccount
from integration.sandbox.syspro.values import ZERO

_MOST = 100


def _account(call: Call, root: str, code: str) -> GlAccount:
    account = call.store.gl_accounts.get(code.upper())
    if account is None:
        raise Refused(root, "LedgerCode", Finding("", code, NOT_FOUND, f"Ledger code '{code}' not found"))
    return account


def ledger_account(call: Call) -> Answer:
    """GENQRY: an account, its balance, the current year and period, and its transactions when asked for.

    Raises:
        Refused: for an unknown account.
    """
    account = _account(call, "LedgerQuery", call.asked("Key/LedgerCode"))
    year, period = call.store.month_of("C").split("-")
    balance = number(account.CurrentBalance, call.quirks)
    shown = texts(
        GlCode=account.LedgerCode, Description=account.Description, Currency="", GlYear=year,
        GlPeriod=period, AccountType=account.AccountType, GlGroup=account.GlGroup,
        ControlAccFlag=account.ControlAccFlag, AccOnHldFlag=account.AccOnHldFlag, PasswordInUse="N",
        PrevPerEndBal=number(ZERO, call.quirks), PtdDrValue=number(ZERO, call.quirks),
        PtdCrValue=number(ZERO, call.quirks), CurrentBalance=balance,
    )  # fmt: skip
    ends = ("BeginYearBalance", *(f"Period{n}" for n in range(1, 16)))
    shown.append(("BalancesAtPeriodEnd", [(name, number(ZERO, call.quirks)) for name in ends]))
    if call.wants("IncludeTransactions", "N"):
        shown.append(("Transactions", _transactions(call, account)))
    return Answer("LedgerQuery", shown)


def _transactions(call: Call, account: GlAccount) -> Elements:
    asked = call.asked("Option/Transactions/MaxRowsToReturn")
    most = int(asked) if asked.isdigit() and int(asked) else _MOST
    found: Elements = []
    for journal in call.store.journals:
        for line in journal.lines:
            if line.LedgerCode == account.LedgerCode and len(found) < most:
                item = texts(
                    GlPeriod=journal.GlPeriod, Source=journal.JournalSource, Journal=journal.GlJournal,
                    JnlDate=journal.JournalDate, Reference=line.Reference,
                    EntryValue=number(line.amount, call.quirks), Comment=line.Comment,
                )  # fmt: skip
                found.append(("Item", item))
    return found


def account_check(call: Call) -> Answer:
    """GENQGL: whether an account exists and may be used; its key element is lower-case.

    Raises:
        Refused: for an unknown account, or one on hold when the flags are to be validated.
    """
    root = "GLStructureQuery"
    account = _account(call, root, call.asked("key/LedgerCode"))
    if call.asked("key/ValidateFlags", "Y").upper() == "Y" and account.AccOnHldFlag == "Y":
        text = f"Ledger code '{account.LedgerCode}' is on hold"
        raise Refused(root, "LedgerCode", Finding("", account.LedgerCode, ON_HOLD, text))
    details = texts(
        LedgerCode=account.LedgerCode, Description=account.Description, AccountType=account.AccountType,
        GlGroup=account.GlGroup, ExpenseType="", ControlAccFlag=account.ControlAccFlag, AltCurIndicator="N",
        TaxCode="", IntegrationMethod="D", ProcessTypes="", AccountPassword="",
    )  # fmt: skip
    return Answer(root, [("LedgerDetails", details)])


def bank_transactions(call: Call) -> Answer:
    """CSHQRY: a bank with its deposits and withdrawals.

    Raises:
        Refused: for an unknown bank.
    """
    store = call.store
    code = call.asked("Key/Bank").upper()
    bank = store.banks.get(code)
    if bank is None:
        raise Refused("CshTrnQuery", "Bank", Finding("", code, NOT_FOUND, f"Bank '{code}' not found"))
    wanted = {
        "D": call.wants("IncludeDeposits", "Y"), "W": call.wants("IncludeWithdrawals", "Y"),
        "Y": call.wants("IncludeReconciled", "Y"), "N": call.wants("IncludeUnreconciled", "Y"),
    }  # fmt: skip
    rows = [row for row in store.cash_book.by("Bank", code) if wanted[row.TrnType]]
    content = texts(
        Bank=bank.Bank, Description=bank.Description, BankAccount="", Currency=bank.Currency,
        **_bank_balances(call, bank),
    )  # fmt: skip
    content += [
        ("CshTrnItem", _transaction(call, bank, row)) for row in rows if wanted.get(row.ReconciledFlag, True)
    ]
    return Answer("CshTrnQuery", [("BankItem", content)])


def _bank_balances(call: Call, bank: Bank) -> dict[str, str]:
    rows = call.store.cash_book.by("Bank", bank.Bank)
    outstanding = {
        kind: sum((r.TrnValue for r in rows if r.TrnType == kind and r.ReconciledFlag != "Y"), ZERO)
        for kind in ("D", "W")
    }
    values = {
        "CbStmtBal1": bank.CbStmtBal1, "CbCurBal1": bank.CbCurBal1, "OutstDep1": outstanding["D"],
        "OutstWith1": outstanding["W"],
    }  # fmt: skip
    return {name: number(value, call.quirks) for name, value in values.items()}


def _transaction(call: Call, bank: Bank, row: CashBookTrn) -> Elements:
    shown = texts(
        CbTrnYear=row.CbTrnYear, CbTrnMonth=row.CbTrnMonth, CbTrnDate=row.CbTrnDate, CbTrnTime=row.CbTrnTime,
        TrnType=row.TrnType, TrnReference=row.TrnReference, TrnValue=number(row.TrnValue, call.quirks),
        TrnDate=row.TrnDate, Narration=row.Narration, ReconciledFlag=row.ReconciledFlag, Cheque="",
        BankCurrency=bank.Currency, CurrencyValue=number(row.TrnValue, call.quirks), TrnSource=row.TrnSource,
        Journal=row.Journal,
    )  # fmt: skip
    if row.TrnSource == "AR" and call.wants("IncludeArInfo", "N"):
        key = f"{row.CbTrnYear}|{row.CbTrnMonth}|{row.Journal}"
        for moved in call.store.movements.by("Journal", key):
            customer = call.store.customers.get(moved.Customer)
            item = texts(
                Customer=moved.Customer, Name=customer.Name if customer else "", Invoice=moved.Invoice,
                InvoiceDate=moved.JournalDate, DocumentType=moved.DocumentType, Branch=moved.Branch,
                GrossPayment=number(moved.TrnValue, call.quirks),
                DiscountAllowed=number(moved.DiscValue, call.quirks),
                NetPayment=number(moved.TrnValue - moved.DiscValue, call.quirks), Journal=moved.Journal,
            )  # fmt: skip
            shown.append(("ArTrnItem", item))
    return shown


def bank_balances(call: Call) -> Answer:
    """CSHQ45: the balances of every bank, or of the one and the currency asked for."""
    content: Elements = []
    for bank in call.store.banks:
        if _chosen(call, "Bank", bank.Bank) and _chosen(call, "Currency", bank.Currency):
            held = _bank_balances(call, bank)
            details = texts(
                Bank=bank.Bank, Description=bank.Description, Currency=bank.Currency,
                StatementBalance=held["CbStmtBal1"], OutstandingDeposits=held["OutstDep1"],
                OutstandingWithdrawals=held["OutstWith1"], CurrentBalance=held["CbCurBal1"],
                CashLedgerAccount=bank.CashGlCode,
            )  # fmt: skip
            content.append(("BankDetails", details))
    count = Decimal(len(content))
    return Answer("CashBookBankBalances", [*content, ("RowsReturned", number(count, call.quirks))])


def _chosen(call: Call, name: str, value: str) -> bool:
    node = call.document.find(f"Filter/{name}") if call.document is not None else None
    if node is None or node.attribute("FilterType").upper() != "S":
        return True
    return node.attribute("FilterValue").strip().upper() == value
