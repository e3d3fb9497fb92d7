"""A layout says how one kind of file is read: which header is which field, how it writes dates and amounts.

Layouts are documents, since the acquirers' own are not published: those that come with the product lie in
`data/templates/statements`, a pair may have its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

Kind = Literal["settlement", "chargeback", "transaction", "bank"]

_TEXTS = ("card_scheme", "last_four", "authorisation_code")
FIELDS: Mapping[Kind, frozenset[str]] = {
    "settlement": frozenset(
        ("batch_id", "acquirer", "merchant_number", "completed_at", "line_no", "vendor_tx_code", "transaction_id",
         "transaction_type", "currency", "settlement_reference", "funding_date", *_TEXTS)
    ),
    "chargeback": frozenset(
        ("chargeback_ref", "acquirer", "merchant_number", "stage", "reason_code", "reason_text", "received_on",
         "respond_by", "vendor_tx_code", "transaction_id", "currency", "posted_on", "auth_code", "card_scheme", "last_four")
    ),
    "transaction": frozenset(
        ("vendor_tx_code", "transaction_id", "transaction_type", "currency", "at", "status")
    ),
    "bank": frozenset(("booked_on", "account", "description", "reference", "currency")),
}  # fmt: skip
AMOUNTS: Mapping[Kind, frozenset[str]] = {
    "settlement": frozenset(("gross", "fee", "net")),
    "chargeback": frozenset(("amount", "original_amount", "fee")),
    "transaction": frozenset(("amount",)),
    "bank": frozenset(("amount", "balance")),
}
# Without these a row of the kind says nothing.
NEEDED: Mapping[Kind, frozenset[str]] = {
    "settlement": frozenset(("batch_id", "gross")),
    "chargeback": frozenset(("chargeback_ref", "stage", "received_on", "amount")),
    "transaction": frozenset(),
    "bank": frozenset(("booked_on", "amount")),
}


class Column(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a field stands.

    Attributes:
        header: the header as the file writes it, or several that mean the same; case and spacing do not matter.
        required: a file without the column is not of this layout.
        filled: a row whose cell is empty is a problem.
        values: the file's words for the field's own, in any case; an unknown word is a problem.
    """

    header: list[str]
    required: bool = True
    filled: bool = False
    values: dict[str, str] = {}


class Amount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an amount is written.

    Attributes:
        style: `signed` (one column; a minus, brackets or a trailing DR or CR are read), `indicator` (one column, and
            another that says credit or debit), `two_columns` (one for credits, one for debits).
        header: of the column, for `signed` and `indicator`.
        indicator: header of the column that says which it is; `credits` and `debits` are its words.
        credit: header of the column of credits, for `two_columns`; `debit` of that of debits.
        negative: what makes the amount negative: money that goes out is a `debit` in our books of the bank, and a
            `credit` where the file is written from the acquirer's side.
        absolute: the sign says nothing, the amount is positive.
        required: a file without the column is not of this layout.
    """

    style: Literal["signed", "indicator", "two_columns"] = "signed"
    header: list[str] = []
    indicator: list[str] = []
    credit: list[str] = []
    debit: list[str] = []
    credits: list[str] = msgspec.field(default_factory=lambda: ["CR", "C", "CREDIT"])
    debits: list[str] = msgspec.field(default_factory=lambda: ["DR", "D", "DEBIT"])
    negative: Literal["debit", "credit"] = "debit"
    absolute: bool = False
    required: bool = True

    def headers(self) -> dict[str, list[str]]:
        """The headers that the style reads, by their part in it."""
        parts = {
            "signed": {"amount": self.header},
            "indicator": {"amount": self.header, "indicator": self.indicator},
            "two_columns": {"credit": self.credit, "debit": self.debit},
        }
        return parts[self.style]


class Footer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control line at the end of a file.

    Attributes:
        marker: what its first filled cell begins with, in any case.
        count: header of the column under which the number of rows stands; empty when it does not.
        totals: the amounts whose sums stand under their own columns.
        required: a file without one was cut off.
    """

    marker: list[str]
    count: str = ""
    totals: list[str] = []
    required: bool = False


class StatementLayout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How files of one origin are read.

    Attributes:
        currency: ISO 4217, where the file has no column for it.
        time_zone: of times that the file writes without one.
        dates: the order of day, month and year; ISO dates are read whatever it says.
        pivot: two-digit years below it are in this century, the others in the last.
        decimal: the decimal sign of amounts; the other one of `.` and `,` separates thousands, as do spaces.
        constants: fields that are the same in every row.
        repeats: two equal rows in one file are two things that happened, not one that is written twice.
    """

    name: str
    title: str
    kind: Kind
    columns: dict[str, Column]
    amounts: dict[str, Amount] = {}
    footer: Footer | None = None
    currency: str = ""
    time_zone: str = "Europe/London"
    dates: Literal["dmy", "mdy", "ymd"] = "dmy"
    pivot: int = 70
    decimal: Literal[".", ","] = "."
    constants: dict[str, str] = {}
    repeats: bool = False

    def headers(self) -> list[tuple[str, list[str], bool]]:
        """Every column: its part (`gross.credit`, `stage`), its headers, and whether it is required."""
        found = [(name, column.header, column.required) for name, column in self.columns.items()]
        for name, amount in self.amounts.items():
            parts = amount.headers().items()
            found += [(f"{name}.{part}", header, amount.required) for part, header in parts]
        return found


def read_layout(document: object) -> StatementLayout:
    """A layout from its document.

    Raises:
        ValueError: it is no layout, names a field that its kind does not have, or lacks one that it needs.
    """
    layout = msgspec.convert(document, StatementLayout)
    known = set(layout.columns) | set(layout.constants)
    if strange := sorted(known - FIELDS[layout.kind]):
        raise ValueError(f"layout {layout.name}: a {layout.kind} row has no field {', '.join(strange)}")
    if strange := sorted(set(layout.amounts) - AMOUNTS[layout.kind]):
        raise ValueError(f"layout {layout.name}: a {layout.kind} row has no amount {', '.join(strange)}")
    if missing := sorted(NEEDED[layout.kind] - known - set(layout.amounts)):
        raise ValueError(f"layout {layout.name}: a {layout.kind} row needs {', '.join(missing)}")
    if layout.kind == "transaction" and not known & {"vendor_tx_code", "transaction_id"}:
        raise ValueError(f"layout {layout.name}: a transaction needs its code or its id")
    if empty := sorted(part for part, header, _ in layout.headers() if not header):
        raise ValueError(f"layout {layout.name}: no header for {', '.join(empty)}")
    try:
        ZoneInfo(layout.time_zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"layout {layout.name}: there is no time zone {layout.time_zone}") from None
    if not layout.currency and "currency" not in known:
        raise ValueError(f"layout {layout.name}: a currency, or the column that tells it, is missing")
    return layout


_SPACES = re.compile(r"[\s_\u00a0\ufeff]+")


def plain(header: str) -> str:
    """A header without what people change in it: case, spacing, quotes, a mark of byte order."""
    return _SPACES.sub(" ", header).strip(" '\"*:").casefold()
