"""Sales orders as they are now, from rows of SorMaster, SorDetail and ArTrnDetail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from integration.canonical.erp_records import OrderLineState, OrderState
from integration.canonical.money import Money
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.comfnd import Row
from integration.syspro.enet.parsing import amount, day, number
from integration.syspro.site import SiteConfig

ORDER_COLUMNS = (
    "SalesOrder",
    "DocumentType",
    "Customer",
    "CustomerPoNumber",
    "OrderStatus",
    "CancelledFlag",
    "Currency",
    "OrderDate",
    "ReqShipDate",
    "LastInvoice",
    "DateLastInvPrt",
)
LINE_COLUMNS = (
    "SalesOrder",
    "SalesOrderLine",
    "LineType",
    "MStockCode",
    "MStockDes",
    "MOrderQty",
    "MShipQty",
    "MBackOrderQty",
    "MPrice",
    "MCreditOrderNo",
    "MCreditOrderLine",
    "NComment",
    "NMscChargeValue",
)
INVOICED_COLUMNS = ("SalesOrder", "SalesOrderLine", "QtyInvoiced")

Invoiced = Mapping[tuple[str, int], Decimal]


def order_state(
    row: Row, lines: Sequence[Row], codes: CurrencyCodes, site: SiteConfig, invoiced: Invoiced | None = None
) -> OrderState:
    """An order with its lines.

    Args:
        invoiced: quantities by order and line; `None` when they were not read.

    Raises:
        ValueError: a number or date in it is none.
    """
    status = row["OrderStatus"]
    currency = codes.iso(row["Currency"])
    own = [line for line in lines if line["SalesOrder"] == row["SalesOrder"]]
    states = [_line(line, currency, invoiced) for line in own]
    return OrderState(
        sales_order=row["SalesOrder"],
        customer=row["Customer"],
        customer_po_number=row["CustomerPoNumber"],
        order_status=status,
        document_type=row["DocumentType"],
        cancelled=row["CancelledFlag"] == "Y" or status in site.cancelled_statuses,
        currency=currency,
        order_date=day(row["OrderDate"]),
        requested_ship_date=day(row["ReqShipDate"]),
        last_invoice=row["LastInvoice"],
        last_invoice_date=day(row["DateLastInvPrt"]),
        lines=tuple(sorted(states, key=lambda line: line.sales_order_line)),
    )


def invoiced_quantities(rows: Sequence[Row]) -> Invoiced:
    """What the invoice register holds of each line; a line may have been invoiced in several parts."""
    sums: dict[tuple[str, int], Decimal] = {}
    for row in rows:
        place = row["SalesOrder"], int(number(row["SalesOrderLine"]))
        sums[place] = sums.get(place, Decimal(0)) + number(row["QtyInvoiced"])
    return sums


def _line(row: Row, currency: str, invoiced: Invoiced | None) -> OrderLineState:
    place = int(number(row["SalesOrderLine"]))
    goods = bool(row["MStockCode"])
    credited = int(number(row["MCreditOrderLine"]))
    return OrderLineState(
        sales_order_line=place,
        line_type=row["LineType"],
        stock_code=row["MStockCode"],
        description=row["MStockDes"] if goods else row["NComment"],
        order_qty=number(row["MOrderQty"]),
        ship_qty=number(row["MShipQty"]),
        back_order_qty=number(row["MBackOrderQty"]),
        invoiced_qty=None if invoiced is None else invoiced.get((row["SalesOrder"], place), Decimal(0)),
        price=number(row["MPrice"]),
        charge_value=None if goods else _charge(row, currency),
        credited_order=row["MCreditOrderNo"] if credited else "",
        credited_line=credited or None,
    )


def _charge(row: Row, currency: str) -> Money:
    return amount(row["NMscChargeValue"], currency)
