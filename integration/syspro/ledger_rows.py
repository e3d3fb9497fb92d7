"""Rows of the receivables ledger, whichever transport read them, and how a company's rows are to be read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money
from integration.syspro.currency import CurrencyCodes

ArType = Literal["I", "C", "D"]
_AR_TYPES: dict[str, ArType] = {"I": "I", "C": "C", "D": "D"}
Place = tuple[str, str, str]


class Movement(Struct, frozen=True, kw_only=True):
    """A row of ArInvoicePay: something that moved one AR document.

    Attributes:
        trn_type: `P` payment, `C` credit memo, `D` debit memo, …; empty where the answer does not tell.
        journal: the AR cash journal's key as screens show it.
        value, discount: in major units of `currency`, SYSPRO's own code.
    """

    customer: str
    invoice: str
    document_type: str
    trn_type: str
    journal: str
    reference: str
    value: Decimal
    discount: Decimal
    currency: str
    made_on: date | None = None
    notation: str | None = None

    @property
    def place(self) -> Place:
        """The document it moved: numbers repeat between customers and types."""
        return self.customer, self.invoice, self.document_type


class Document(Struct, frozen=True, kw_only=True):
    """A row of ArInvoice.

    Attributes:
        value: the document's own, in major units of `currency`, SYSPRO's own code; credits are negative.
        balance: what is still open of it; `None` where the answer does not tell.
        movements: those of its movements that were read.
    """

    customer: str
    invoice: str
    document_type: str
    value: Decimal
    currency: str
    order_number: str = ""
    sales_order: str = ""
    dated: date | None = None
    branch: str | None = None
    terms: str | None = None
    balance: Decimal | None = None
    movements: tuple[Movement, ...] = ()

    @property
    def place(self) -> Place:
        """Which document it is."""
        return self.customer, self.invoice, self.document_type


class Site(Struct, frozen=True, kw_only=True):
    """How a company's ledger reads: its currency codes, and what numbers of unapplied cash begin with."""

    codes: CurrencyCodes
    unapplied_prefix: str

    def holds_cash(self, invoice: str) -> bool:
        """Whether a document is unapplied cash by its number."""
        return invoice.startswith(self.unapplied_prefix)

    def money(self, value: Decimal, currency: str) -> Money:
        """An amount of the ledger.

        Raises:
            ValueError: more decimals than the currency has.
            Misconfigured: the currency's code is unknown.
        """
        return Money.of(value, self.codes.iso(currency))


def unsigned(money: Money) -> Money:
    """The amount without its sign: SYSPRO shows credits negative, and our documents say so by their type."""
    return Money(abs(money.minor), money.currency)


def ar_type(text: str) -> ArType:
    """The type of an AR document; SYSPRO's default is the invoice."""
    return _AR_TYPES.get(text.strip(), "I")
