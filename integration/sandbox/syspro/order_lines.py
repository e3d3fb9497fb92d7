"""Lines of a sales order: checks, tax, value, and what the warehouse can give."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import OrderLine, SalesOrder, StockItem, WarehouseItem
from integration.sandbox.syspro.findings import (
    INVALID_CHOICE,
    ON_HOLD,
    REFUSED,
    STOCK_NOT_FOUND,
    Reader,
)
from integration.sandbox.syspro.posting import Posting
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import ZERO, money, price, quantity

NONE = Decimal("0.000000")
FREIGHT_CLASS = "_FRT"
LARGEST_VALUE = Decimal(10) ** 12


class LineOptions:
    """The parameters of one import that concern its lines."""

    def __init__(self, posting: Posting) -> None:
        choose = posting.parameters.choice
        self.allocation = choose("AllocationAction", "F B A", "F")
        self.zero_price = choose("AllowZeroPrice", "N Y", "N")
        self.non_stock = choose("AllowNonStockItems", "Y N S", "N")
        self.warehouses = posting.parameters.code("WarehouseListToUse").split(",")
        choose("AlwaysUsePriceEntered", "N Y", "N")


class LineMaker:
    """Turns the lines of one document into stored lines, allocating stock on the way."""

    def __init__(self, store: Store, order: SalesOrder, options: LineOptions, first: int = 1) -> None:
        self.store = store
        self.order = order
        self.options = options
        self.next = first
        self._makers: dict[str, Callable[[Reader, str], OrderLine | None]] = {
            "StockLine": self._stock,
            "FreightLine": self._freight,
            "MiscChargeLine": self._charge,
            "CommentLine": self._comment,
        }

    def make(self, kind: str, line: Reader) -> OrderLine | None:
        """Make one line; ``None`` when it is refused."""
        number = str(self.next)
        self.next += 1
        made = self._makers[kind](line, number)
        if made is None:
            return None
        return msgspec.structs.replace(made, po_line=line.text("CustomerPoLine", f"{int(number):04}"))

    def _stock(self, line: Reader, number: str) -> OrderLine | None:
        code = line.required("StockCode")
        wanted = quantity(line.number("OrderQty"))
        if wanted <= 0:
            line.refuse("OrderQty", REFUSED, "Order quantity must be greater than zero")
        stock = self.store.stock.get(code)
        if stock is None:
            return self._non_stocked(line, number, code, wanted)
        if stock.StockOnHold in {"F", "Y"} or stock.SalesOnHold == "Y":
            line.refuse("StockCode", ON_HOLD, f"Stock code '{code}' is on hold")
        self._check_units(line, stock)
        item = self._warehouse(line, stock)
        entered = price(line.number("Price"))
        if entered == 0 and self.options.zero_price == "N":
            line.refuse("Price", REFUSED, f"Price of stock code '{code}' cannot be zero")
        if wanted * entered >= LARGEST_VALUE:
            line.refuse(
                "OrderQty", REFUSED, f"Value of stock code '{code}' cannot be stored, it is too large"
            )
        if item is None or line.failed():
            return None
        ship = self._allocate(line, stock, item, wanted)
        return OrderLine(
            number, "1", code, line.text("StockDescription", stock.Description), item.Warehouse,
            MOrderQty=wanted, MShipQty=ship, MBackOrderQty=wanted - ship,
            MOrderUom=line.code("OrderUom", stock.StockUom), MPrice=entered,
            MPriceUom=line.code("PriceUom", stock.StockUom),
            MDiscPct1=money(line.number("LineDiscPercent1")), MProductClass=stock.ProductClass,
            MTaxCode=self._tax_code(line, stock), allocates=True,
        )  # fmt: skip

    def _non_stocked(self, line: Reader, number: str, code: str, wanted: Decimal) -> OrderLine | None:
        marked = line.code("NonStockedLine") == "Y"
        if not code:
            return None
        if self.options.non_stock == "N" or (self.options.non_stock == "S" and not marked):
            line.not_found("StockCode", "Stock code", STOCK_NOT_FOUND)
            return None
        product_class = line.required("NsProductClass")
        if product_class and product_class not in self.store.product_classes:
            line.not_found("NsProductClass", "Product class")
        return OrderLine(
            number, "1", code, line.text("StockDescription"), line.code("Warehouse"),
            MOrderQty=wanted, MShipQty=wanted, MOrderUom=line.code("OrderUom", "EA"),
            MPrice=price(line.number("Price")), MPriceUom=line.code("PriceUom", "EA"),
            MDiscPct1=money(line.number("LineDiscPercent1")), MProductClass=product_class,
            MTaxCode=line.code("StockTaxCode"),
        )  # fmt: skip

    def _check_units(self, line: Reader, stock: StockItem) -> None:
        units = {stock.StockUom, stock.AlternateUom, stock.OtherUom}
        names = ["OrderUom"] if line.given("OrderUom") else []
        if line.given("Price"):
            names.append("PriceUom")
        for name in names:
            unit = line.code(name)
            if unit and unit not in units:
                text = f"Unit of measure '{unit}' must be one of {', '.join(sorted(units))}"
                line.refuse(name, INVALID_CHOICE, text)
        if not line.given("OrderUom"):
            line.required("OrderUom")

    def _warehouse(self, line: Reader, stock: StockItem) -> WarehouseItem | None:
        named = line.code("Warehouse") or self.order.Warehouse
        candidates = (
            [named] if named else [*self.options.warehouses, stock.DistWarehouseToUse, stock.WarehouseToUse]
        )
        for warehouse in filter(None, candidates):
            item = self.store.warehouse_items.get(f"{stock.StockCode}|{warehouse}")
            if item is not None:
                return item
        if named and named not in self.store.warehouses:
            line.refuse("Warehouse", "900002", f"Warehouse '{named}' not found")
        else:
            text = f"Stock code '{stock.StockCode}' not found in warehouse '{named or stock.WarehouseToUse}'"
            line.refuse("Warehouse", "900002", text)
        return None

    def _allocate(self, line: Reader, stock: StockItem, item: WarehouseItem, wanted: Decimal) -> Decimal:
        action = line.choice("AllocationAction", "F B A", self.options.allocation)
        available = max(item.QtyOnHand - item.QtyAllocated, NONE)
        manual = stock.SerialMethod != "N" or stock.KitType != "N" or stock.TraceableType != "N"
        if action == "B" or manual:
            ship = NONE
        elif action == "A":
            ship = min(wanted, available)
        else:
            ship = wanted if available >= wanted else NONE
        if ship < wanted:
            number = line.text("CustomerPoLine", f"{self.next - 1:04}")
            line.warn("", f"Line {number} for stock code '{stock.StockCode}' was placed on back order")
        move_stock(self.store, item, allocated=ship, back_order=wanted - ship)
        return ship

    def _tax_code(self, line: Reader, stock: StockItem) -> str:
        code = line.code("StockTaxCode")
        if not code or self.store.config.quirks.stock_tax_code_ignored:
            return stock.TaxCode
        return self._known_tax(line, "StockTaxCode", code)

    def _known_tax(self, line: Reader, name: str, code: str) -> str:
        if code and code not in self.store.tax_rates:
            line.not_found(name, "Tax code")
        return code

    def _freight(self, line: Reader, number: str) -> OrderLine:
        exempt = line.code("FreightNotTaxable") == "Y"
        code = "" if exempt else self._known_tax(line, "FreightTaxCode", line.code("FreightTaxCode"))
        return OrderLine(
            number, "4", NMscChargeValue=money(line.number("FreightValue")),
            NMscChargeCost=money(line.number("FreightCost")), NMscProductCls=FREIGHT_CLASS, NMscTaxCode=code,
        )  # fmt: skip

    def _charge(self, line: Reader, number: str) -> OrderLine:
        product_class = line.code("MiscProductClass")
        if not line.code("MiscChargeCode"):
            product_class = line.required("MiscProductClass")
        if product_class and product_class not in self.store.product_classes:
            line.not_found("MiscProductClass", "Product class")
        exempt = line.code("MiscNotTaxable") == "Y"
        code = "" if exempt else self._known_tax(line, "MiscTaxCode", line.code("MiscTaxCode"))
        return OrderLine(
            number, "5", NComment=line.text("MiscDescription"),
            NMscChargeValue=money(line.number("MiscChargeValue")),
            NMscChargeCost=money(line.number("MiscChargeCost")), NMscProductCls=product_class,
            NMscTaxCode=code,
        )  # fmt: skip

    def _comment(self, line: Reader, number: str) -> OrderLine:
        return OrderLine(number, "6", NComment=line.text("Comment"))


def move_stock(store: Store, item: WarehouseItem, *, allocated: Decimal, back_order: Decimal) -> None:
    """Change what is allocated and on back order of one stock code in one warehouse."""
    key = f"{item.StockCode}|{item.Warehouse}"
    held = store.warehouse_items[key]
    moved = msgspec.structs.replace(
        held, QtyAllocated=held.QtyAllocated + allocated, QtyOnBackOrder=held.QtyOnBackOrder + back_order
    )
    store.warehouse_items.put(key, moved)


def release_stock(store: Store, line: OrderLine) -> None:
    """Give back what a line holds in its warehouse."""
    item = store.warehouse_items.get(f"{line.MStockCode}|{line.MWarehouse}")
    if line.allocates and item is not None:
        move_stock(store, item, allocated=-line.MShipQty, back_order=-line.MBackOrderQty)


def line_value(line: OrderLine, *, shipped_only: bool = False) -> Decimal:
    """Net value of a line in the order's currency."""
    if line.LineType != "1":
        return line.NMscChargeValue
    count = line.MShipQty if shipped_only else line.MOrderQty
    return money(count * line.MPrice * (100 - line.MDiscPct1) / 100)


def line_tax(store: Store, order: SalesOrder, line: OrderLine, net: Decimal) -> Decimal:
    """VAT on a line's net value; exempt customers pay none."""
    code = line.MTaxCode if line.LineType == "1" else line.NMscTaxCode
    if order.TaxStatus == "E" or not code:
        return ZERO
    return money(net * store.tax_rates.get(code, ZERO) / 100)


def order_value(store: Store, order: SalesOrder, *, shipped_only: bool = False) -> tuple[Decimal, Decimal]:
    """Net value and VAT of an order."""
    nets = [(line, line_value(line, shipped_only=shipped_only)) for line in order.lines]
    net = sum((value for _, value in nets), ZERO)
    tax = sum((line_tax(store, order, line, value) for line, value in nets), ZERO)
    return net, tax
