"""INVQRY: one stock code with its warehouses."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.documents import StockItem, WarehouseItem
from integration.sandbox.syspro.enet.call import Call, Refused
from integration.sandbox.syspro.enet.xml_out import Answer, Elements, number, texts
from integration.sandbox.syspro.findings import STOCK_NOT_FOUND, Finding

_ROOT = "InvQuery"


def stock_code(call: Call) -> Answer:
    """Answer a stock code; the warehouse filter is honoured unless the site's SYSPRO ignores it.

    Raises:
        Refused: 240004 for an unknown one.
    """
    asked = call.asked("Key/StockCode")
    stock = call.store.stock.get(asked.upper())
    if stock is None:
        finding = Finding("", asked, STOCK_NOT_FOUND, f"Stock code '{asked}' not found")
        raise Refused(_ROOT, "StockCode", finding)
    items = [
        item
        for item in call.store.warehouse_items.by("StockCode", stock.StockCode)
        if _wanted(call, item.Warehouse)
    ]
    content: Elements = [("StockItem", _stock(call, stock))]
    content += [("WarehouseItem", _warehouse(call, stock, item)) for item in items]
    totals = [
        part
        for name in ("QtyOnHand", "QtyOnOrder", "QtyOnBackOrder", "QtyAllocated")
        for part in _quantity(call, stock, name, sum((getattr(i, name) for i in items), Decimal("0.000000")))
    ]
    return Answer(_ROOT, [*content, ("WarehouseTotals", totals)])


def _wanted(call: Call, warehouse: str) -> bool:
    chosen = call.document.find("Filter/Warehouse") if call.document is not None else None
    if chosen is None or call.quirks.warehouse_filter_ignored:
        return True
    values = [part.strip().upper() for part in chosen.attribute("FilterValue").split(",") if part.strip()]
    if not values:
        return True
    if chosen.attribute("FilterType").upper() == "R":
        return values[0] <= warehouse <= values[-1]
    return warehouse in values


def _stock(call: Call, stock: StockItem) -> Elements:
    shown = texts(
        StockCode=stock.StockCode, Description=stock.Description, LongDesc=stock.LongDesc,
        Decimals=stock.Decimals.rjust(15) if call.quirks.leading_blanks else stock.Decimals,
        AlternateKey1="", AlternateKey2="", StockUom=stock.StockUom, AlternateUom=stock.AlternateUom,
        OtherUom=stock.OtherUom, PartCategory=stock.PartCategory, ProductClass=stock.ProductClass,
        TraceableType=stock.TraceableType, WarehouseToUse=stock.WarehouseToUse,
        DistributionWarehouseToUse=stock.DistWarehouseToUse, TaxCode=stock.TaxCode,
        OtherTaxCode=stock.OtherTaxCode, SerialMethod=stock.SerialMethod, KitType=stock.KitType,
        StockOnHold=stock.StockOnHold, SalesOnHold=stock.SalesOnHold,
    )  # fmt: skip
    if call.wants("IncludeCustomForms", "N"):
        shown.append(("CustomForm", [("Field", texts(Column="Web", Value="Y"))]))
    return shown


def _warehouse(call: Call, stock: StockItem, item: WarehouseItem) -> Elements:
    quantities = {
        "QtyOnHand": item.QtyOnHand, "AvailableQty": item.QtyOnHand - item.QtyAllocated,
        "QtyOnOrder": item.QtyOnOrder, "QtyOnBackOrder": item.QtyOnBackOrder,
        "QtyAllocated": item.QtyAllocated, "QtyInTransit": item.QtyInTransit,
        "QtyAllocatedWip": item.QtyAllocatedWip, "QtyInInspection": Decimal("0.000000"),
        "MinimumQty": Decimal("0.000000"), "MaximumQty": Decimal("0.000000"),
    }  # fmt: skip
    shown = texts(Warehouse=item.Warehouse, Description=call.store.warehouses.get(item.Warehouse, ""))
    for name, value in quantities.items():
        shown += _quantity(call, stock, name, value)
    return [*shown, ("DefaultBin", item.DefaultBin), ("UnitCost", number(item.UnitCost, call.quirks))]


def _quantity(call: Call, stock: StockItem, name: str, value: Decimal) -> Elements:
    """A quantity, and again as edited for people: the item's own decimals and thousands in commas."""
    decimals = int(stock.Decimals) if stock.Decimals.isdigit() else 0
    return [(name, number(value, call.quirks, 20)), (f"Edited_{name}", f"{value:,.{decimals}f}")]
