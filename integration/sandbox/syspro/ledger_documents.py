"""The rows of SYSPRO's general ledger, banks and currencies, under SYSPRO's column names."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.values import ZERO

ONE = Decimal("1.000000")


class JournalLine(msgspec.Struct, frozen=True):
    """GenJournalDetail: an unsigned value with its side, D or C, in local money."""

    EntryNumber: str
    LedgerCode: str
    EntryType: str
    EntryValue: Decimal
    Reference: str = ""
    Comment: str = ""
    EntryDate: str = ""
    SubModJournal: str = ""

    @property
    def amount(self) -> Decimal:
        """The signed value: debits positive."""
        return self.EntryValue if self.EntryType == "D" else -self.EntryValue


class Journal(msgspec.Struct, frozen=True):
    """GenJournalCtl with its lines."""

    GlYear: str
    GlPeriod: str
    GlJournal: str
    JournalDate: str
    NumOfEntries: str
    DebitAmount: Decimal
    CreditAmount: Decimal
    JnlPostingType: str = "N"
    JnlStatus: str = "P"
    JournalSource: str = ""
    Reference: str = ""
    Notation: str = ""
    Authorised: str = "Y"
    Operator: str = ""
    PostedBy: str = ""
    PostDate: str = ""
    lines: tuple[JournalLine, ...] = ()


class GlAccount(msgspec.Struct, frozen=True):
    """GenMaster; balances are debits less credits."""

    LedgerCode: str
    Description: str = ""
    AccountType: str = "A"
    GlGroup: str = ""
    ControlAccFlag: str = "N"
    AccOnHldFlag: str = "N"
    AnalysisRequired: str = "N"
    CurrentBalance: Decimal = ZERO


class Bank(msgspec.Struct, frozen=True):
    """ApBank; ``CbCurBal1`` is the cash book's own balance, in the bank's currency."""

    Bank: str
    Description: str = ""
    Currency: str = ""
    CashGlCode: str = ""
    ArBankChargeReqd: str = "N"
    ArBankChargeGlCode: str = ""
    CbStmtBal1: Decimal = ZERO
    CbCurBal1: Decimal = ZERO


class CashBookTrn(msgspec.Struct, frozen=True):
    """One deposit (D) or withdrawal (W) of a bank; ``TrnSource`` AR or CB."""

    Bank: str
    CbTrnYear: str
    CbTrnMonth: str
    CbTrnDate: str
    CbTrnTime: str
    Journal: str
    EntryNumber: str
    TrnType: str
    TrnReference: str
    TrnValue: Decimal
    TrnDate: str
    Narration: str = ""
    ReconciledFlag: str = "N"
    TrnSource: str = "CB"


class Currency(msgspec.Struct, frozen=True):
    """TblCurrency; MulDiv M: local = foreign times rate, D: local = foreign divided by rate."""

    Currency: str
    Description: str = ""
    BuyExchangeRate: Decimal = ONE
    BuyMulDiv: str = "M"
    SellExchangeRate: Decimal = ONE
    SellMulDiv: str = "M"
    FixedRate: str = "N"
    Tolerance: Decimal = ZERO
    TriangReqd: str = "N"
    IntermediateCur: str = ""
