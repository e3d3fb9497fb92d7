"""Lines of a sales order as SYSPRO stored them, whichever transport read them, paired with the lines we sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, structs

from integration.canonical.documents import SalesOrderLine
from integration.canonical.money import Money
from integration.syspro.site import LineKind


class StoredLine(Struct, frozen=True, kw_only=True):
    """A row of SorDetail; what the answer does not hold is `None`, or zero where it is a number."""

    number: int
    line_type: str
    stock_code: str = ""
    stock_description: str | None = None
    warehouse: str | None = None
    order_qty: Decimal = Decimal(0)
    order_uom: str | None = None
    price: Decimal = Decimal(0)
    tax_code: str | None = None
    comment: str | None = None
    charge: Decimal = Decimal(0)
    charge_class: str | None = None


class LineReading(Struct, frozen=True, kw_only=True):
    """What reading lines takes: the order's ISO currency, and the kinds that the site's `LineType`s stand for."""

    currency: str
    kinds: Mapping[str, LineKind]


def lines_as_sent(
    rows: Sequence[StoredLine], sent: Sequence[SalesOrderLine], reading: LineReading
) -> tuple[tuple[SalesOrderLine, ...], tuple[str, ...] | None]:
    """Stored lines under our own line numbers, and the order's comments, which SYSPRO adds as lines at the end.

    Where the lines do not pair up with what was sent, they keep SYSPRO's numbers and the difference shows.

    Raises:
        ValueError: a charge has more decimals than the currency has.
    """
    rows = sorted(rows, key=lambda row: row.number)
    sent = sorted(sent, key=lambda line: line.customer_po_line)
    extra = rows[len(sent) :]
    if len(rows) < len(sent) or any(_kind(row, None, reading) != "comment" for row in extra):
        return tuple(_line(row, None, reading) for row in rows), None
    paired = tuple(_line(row, line, reading) for row, line in zip(rows, sent, strict=False))
    return paired, tuple(row.comment or "" for row in extra)


def _kind(row: StoredLine, sent: SalesOrderLine | None, reading: LineReading) -> LineKind:
    """The kind of a line by its type, else by what it holds: the letters and digits are not all known."""
    known = reading.kinds.get(row.line_type)
    if known is not None:
        return known
    if row.stock_code:
        return "stock"
    if sent is not None and sent.kind != "stock":
        return sent.kind
    return "charge" if row.charge else "comment"


def _line(row: StoredLine, sent: SalesOrderLine | None, reading: LineReading) -> SalesOrderLine:
    kind = _kind(row, sent, reading)
    place = sent.customer_po_line if sent else row.number
    if kind == "stock":
        return SalesOrderLine(
            kind=kind,
            customer_po_line=place,
            stock_code=row.stock_code,
            stock_description=row.stock_description,
            warehouse=row.warehouse,
            order_qty=row.order_qty,
            order_uom=row.order_uom,
            price=row.price,
            tax_code=row.tax_code,
            product_class=None,
            description=None,
        )
    untold = SalesOrderLine(
        kind=kind,
        customer_po_line=place,
        stock_code=None,
        stock_description=None,
        warehouse=None,
        order_uom=None,
        tax_code=None,
        product_class=row.charge_class if kind == "charge" else None,
        description=row.comment if kind in ("comment", "charge") else None,
    )
    if kind == "comment":
        return untold
    return structs.replace(untold, value=Money.of(row.charge, reading.currency))
