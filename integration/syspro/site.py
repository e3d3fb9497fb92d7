"""What sites of SYSPRO do differently whatever the transport: points that no public source settles."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from integration.syspro.classify import DEFAULT_RULES, Rule

LineKind = Literal["stock", "freight", "charge", "comment"]
_LINE_TYPES: dict[str, LineKind] = {"1": "stock", "4": "freight", "5": "charge", "6": "comment", "7": "stock"}
_SHORTEST_PREFIX = 2


class SiteConfig(Struct, frozen=True, kw_only=True):
    """A site's habits. The defaults are what SYSPRO's own documents say, or what has been seen most.

    Attributes:
        currency_map: ISO 4217 to the site's own code where they differ (`{"GBP": "$"}`).
        entry_amount_sign: +1 where a positive `EntryAmount` debits, −1 should a site prove otherwise.
        posting_period: the relative AR period: current, previous, or the one before.
        accept_orders_if_no_credit: take orders past the credit limit; a decision of the site's finance.
        rate_side: which of SYSPRO's two rates is the book rate.
        invoice_value_includes_tax: whether ARSTIN's `InvoiceValue` includes its `TaxValue`; else the value less
            the tax is sent, and SYSPRO adds the tax.
        negative_payments: send payments of a negative value. What ARSTPY makes of one is not documented.
        unapplied_prefix: what numbers of unapplied cash begin with. `_CR` alone may also begin credit notes.
        cancelled_statuses: order statuses that mean an order is as if it were not there.
        line_types: `LineType` to the kind of line where it is not 1 or 7 stock, 4 freight, 5 charge, 6 comment. A
            line of a type that is in neither is known by what it holds.
        posted_statuses: `JnlStatus` of a journal that reached the ledger; another one is a warning.
        look_again_after: seconds before each look for an order whose number was not returned.
        read_again_after: seconds before a read whose answer was lost is made again, once for each.
        rules: the site's own rows of the table that classifies errors. They come before the shipped ones, and
            the first match wins.
    """

    currency_map: dict[str, str] = {}
    entry_amount_sign: Literal[1, -1] = 1
    posting_period: Literal["C", "P", "B"] = "C"
    accept_orders_if_no_credit: bool = False
    rate_side: Literal["buy", "sell"] = "sell"
    invoice_value_includes_tax: bool = True
    negative_payments: bool = False
    unapplied_prefix: str = "_CRD"
    cancelled_statuses: tuple[str, ...] = ("*", "\\")
    line_types: dict[str, LineKind] = {}
    posted_statuses: tuple[str, ...] = ("P", "")
    look_again_after: tuple[float, ...] = (0.0, 0.5, 2.0)
    read_again_after: tuple[float, ...] = (0.05, 0.25)
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if len(self.unapplied_prefix) < _SHORTEST_PREFIX:
            raise ValueError("`unapplied_prefix` must be 2 characters or more, or any document would be cash")
        if any(seconds < 0 for seconds in (*self.look_again_after, *self.read_again_after)):
            raise ValueError("`look_again_after` and `read_again_after` are seconds, none of them negative")

    @property
    def kinds_of_lines(self) -> dict[str, LineKind]:
        """The kind of line of each `LineType`: the site's own, over what is expected."""
        return {**_LINE_TYPES, **self.line_types}

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The whole table of error classes: the site's rows, then the shipped ones."""
        return (*self.rules, *DEFAULT_RULES)
