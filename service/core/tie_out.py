"""Did the ERP store what we sent? Compares a document with what was read back, element by element.

Only what we said and what the transport tells is compared: an empty text or `None` on our side means SYSPRO's
default, `None` on the other side means *not told*, and so does a list without items. Keys are compared without
leading zeros, texts without blanks around them, decimals and dates by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Literal

from msgspec import Struct, structs

from integration.canonical.documents import ErpDocument, SalesOrderLine
from integration.canonical.money import Money

Severity = Literal["money", "note"]

_KEYS = frozenset(
    (
        "Customer",
        "Invoice",
        "InvoiceNumber",
        "SalesOrder",
        "StockCode",
        "LedgerCode",
        "CustomerPurchaseOrder",
    )
)
# A difference here is money in the wrong place: the payment becomes an exception.
_GRAVE = frozenset(
    (
        "Customer",
        "CustomerPoNumber",
        "CustomerPurchaseOrder",
        "Reference",
        "Currency",
        "Invoice",
        "InvoiceNumber",
        "SalesOrder",
        "OrderType",
        "TransactionType",
        "DepositOrWithdrawal",
        "LedgerCode",
        "CreditLedgerCode",
        "Bank",
        "Kind",
        "StockCode",
        "OrderQty",
        "Price",
        "TaxCode",
        "NotTaxable",
    )
)
_NOT_STORED = "nothing"


class Finding(Struct, frozen=True, kw_only=True):
    """An element that SYSPRO dropped or changed.

    Attributes:
        element: its path in SYSPRO's names, as in `Lines[2].Price`; lines are named by their own number.
        sent, stored: as text, money with its currency; `nothing` when it was dropped.
        severity: `money` for money, customers and references, which makes the payment an exception.
    """

    element: str
    sent: str
    stored: str
    severity: Severity


def compare(sent: ErpDocument, stored: ErpDocument) -> tuple[Finding, ...]:
    """Every difference between a document and its read-back, in the document's own order.

    Raises:
        ValueError: the two are not of one kind; that is a defect of the caller.
    """
    if type(sent) is not type(stored):
        raise ValueError(f"a {type(sent).__name__} cannot be compared with a {type(stored).__name__}")
    return tuple(_members("", sent, stored))


def is_exception(findings: Sequence[Finding]) -> bool:
    """Whether any finding concerns money, a customer or a reference."""
    return any(finding.severity == "money" for finding in findings)


def _members(path: str, sent: Struct, stored: Struct) -> Iterator[Finding]:
    for name, attribute in _names(type(sent)):
        yield from _value(f"{path}{name}", name, getattr(sent, attribute), getattr(stored, attribute))


@cache
def _names(kind: type[Struct]) -> tuple[tuple[str, str], ...]:
    # Resolving a struct's annotations costs more than the comparison, and never changes.
    return tuple((field.encode_name, field.name) for field in structs.fields(kind))


def _value(path: str, name: str, sent: object, stored: object) -> Iterator[Finding]:
    if stored is None or sent is None or sent in ("", ()):
        return
    if isinstance(sent, tuple):
        if isinstance(stored, tuple) and stored:
            yield from _items(path, name, sent, stored)
    elif not _same(name, sent, stored):
        yield _finding(path, name, sent, stored)


def _items(path: str, name: str, sent: Sequence[object], stored: Sequence[object]) -> Iterator[Finding]:
    ours, theirs = _by_key(sent), _by_key(stored)
    for key, item in ours.items():
        place = f"{path}[{key}]"
        other = theirs.get(key)
        if other is None:
            yield _finding(place, name, item, None)
        elif isinstance(item, Struct) and isinstance(other, Struct):
            yield from _members(f"{place}.", item, other)
        else:
            yield from _value(place, name, item, other)
    for key, item in theirs.items():
        if key not in ours:
            yield Finding(
                element=f"{path}[{key}]", sent=_NOT_STORED, stored=_text(item), severity=_weight(name, item)
            )


def _by_key(items: Sequence[object]) -> dict[int, object]:
    return {
        item.customer_po_line if isinstance(item, SalesOrderLine) else place: item
        for place, item in enumerate(items, 1)
    }


def _same(name: str, sent: object, stored: object) -> bool:
    if isinstance(sent, str) and isinstance(stored, str):
        return _plain(name, sent) == _plain(name, stored)
    return sent == stored


def _plain(name: str, text: str) -> str:
    text = text.strip()
    return (text.lstrip("0") or "0") if name in _KEYS and text.isdecimal() else text


def _finding(path: str, name: str, sent: object, stored: object) -> Finding:
    dropped = stored is None or stored == ""
    return Finding(
        element=path,
        sent=_text(sent),
        stored=_NOT_STORED if dropped else _text(stored),
        severity=_weight(name, sent),
    )


def _weight(name: str, value: object) -> Severity:
    if isinstance(value, SalesOrderLine):
        return "note" if value.kind == "comment" else "money"
    return "money" if name in _GRAVE or isinstance(value, (Money, Struct)) else "note"


def _text(value: object) -> str:
    if isinstance(value, SalesOrderLine):
        return " ".join(part for part in (value.kind, value.stock_code or value.description) if part)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Struct) and not isinstance(value, Money):
        return " ".join(_text(item) for item in structs.astuple(value) if item not in (None, ""))
    return str(value)
