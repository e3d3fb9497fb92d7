"""SORTOI, the import of sales orders: its parameters and its document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from integration.canonical.documents import SalesOrder, SalesOrderLine
from integration.errors import UnmappedField
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.building import Part, Parts, filled
from integration.syspro.enet.key_widths import Widths
from integration.syspro.limits import fitted, money_text, price_text, quantity_text

_ADD = "A"
_TRANSMISSION = 14


def order_parameters(config: SysproConfig, warnings: str, *, rehearsal: bool) -> list[tuple[str, str]]:
    """How an order is taken. `Process` is VALIDATE unless said otherwise, and `ValidateOnly` is not known here."""
    return [
        ("InBoxMsgReqd", "N"),
        ("Process", "VALIDATE" if rehearsal else "IMPORT"),
        ("TypeOfOrder", "ORD"),
        ("OrderStatus", "1"),
        ("IgnoreWarnings", warnings),
        ("AllocationAction", "A"),
        ("AlwaysUsePriceEntered", "Y"),
        ("AllowZeroPrice", "N"),
        # SYSPRO itself is then a guard against posting an order twice.
        ("AllowDuplicateOrderNumbers", "N"),
        ("CheckForCustomerPoNumbers", "Y"),
        ("AcceptOrdersIfNoCredit", "Y" if config.accept_orders_if_no_credit else "N"),
        ("AcceptEarlierShipDate", "Y"),
        ("ShipFromDefaultBin", "Y"),
        ("AllowNonStockItems", "N"),
        ("WarnIfCustomerOnHold", "N"),
        ("StatusInProcess", "N"),
    ]


def order_parts(order: SalesOrder, codes: CurrencyCodes, widths: Widths) -> Parts:
    """The document of one order."""
    transmission: Parts = [("TransmissionReference", order.customer_po_number[-_TRANSMISSION:])]
    lines = sorted(order.lines, key=lambda line: line.customer_po_line)
    return [
        ("TransmissionHeader", transmission),
        (
            "Orders",
            filled(
                [
                    ("OrderHeader", _header(order, codes, widths)),
                    # SYSPRO has mixed up lines of several kinds that did not come in the order of their numbers.
                    ("OrderDetails", [_LINES[line.kind](line) for line in lines]),
                ]
            ),
        ),
    ]


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _header(order: SalesOrder, codes: CurrencyCodes, widths: Widths) -> Parts:
    texts: dict[str, str | None] = {
        "CustomerName": order.customer_name,
        "ShipAddress1": order.ship_address1,
        "ShipAddress2": order.ship_address2,
        "ShipAddress3": order.ship_address3,
        "ShipAddress3Locality": order.ship_address3_locality,
        "ShipAddress4": order.ship_address4,
        "ShipAddress5": order.ship_address5,
        "ShipPostalCode": order.ship_postal_code,
        "Email": order.email,
        "Warehouse": order.warehouse,
        "SpecialInstrs": order.special_instrs,
        "Salesperson": order.salesperson,
        "Branch": order.branch,
        "Area": order.area,
    }
    comments: list[Part] = [
        ("OrderComments", fitted("OrderComments", each)) for each in order.order_comments or ()
    ]
    return filled(
        [
            ("CustomerPoNumber", fitted("CustomerPoNumber", order.customer_po_number)),
            ("OrderActionType", _ADD),
            ("Customer", fitted("Customer", widths.customer(order.customer))),
            ("OrderDate", _day(order.order_date)),
            ("InvoiceTerms", fitted("InvoiceTerms", order.invoice_terms)),
            ("Currency", fitted("Currency", codes.site(order.currency))),
            *((name, fitted(name, text)) for name, text in texts.items()),
            ("RequestedShipDate", _day(order.requested_ship_date)),
            *comments,
        ]
    )


def _line(kind: str, line: SalesOrderLine, parts: Parts) -> Part:
    head: Parts = [("CustomerPoLine", f"{line.customer_po_line:04d}"), ("LineActionType", _ADD)]
    return (kind, filled([*head, *parts]))


def _flag(value: bool | None) -> str:
    return "Y" if value else ""


def _stock(line: SalesOrderLine) -> Part:
    if line.order_qty is None:
        raise _missing("OrderQty", line)
    priced = line.price is not None
    return _line(
        "StockLine",
        line,
        [
            ("StockCode", fitted("StockCode", line.stock_code)),
            ("StockDescription", fitted("StockDescription", line.stock_description)),
            ("Warehouse", fitted("Warehouse", line.warehouse)),
            ("OrderQty", quantity_text("OrderQty", line.order_qty)),
            ("OrderUom", fitted("OrderUom", line.order_uom)),
            ("Price", price_text("Price", line.price) if line.price is not None else ""),
            # SYSPRO refuses a price without its unit, and prices here are always per ordered unit.
            ("PriceUom", fitted("PriceUom", line.order_uom) if priced else ""),
            ("ProductClass", fitted("ProductClass", line.product_class)),
            ("StockTaxCode", fitted("StockTaxCode", line.tax_code)),
            ("StockNotTaxable", _flag(line.not_taxable)),
        ],
    )


def _freight(line: SalesOrderLine) -> Part:
    return _line(
        "FreightLine",
        line,
        [
            ("FreightValue", _value("FreightValue", line)),
            ("FreightCost", "0.00"),
            ("FreightTaxCode", fitted("FreightTaxCode", line.tax_code)),
            ("FreightNotTaxable", _flag(line.not_taxable)),
        ],
    )


def _charge(line: SalesOrderLine) -> Part:
    return _line(
        "MiscChargeLine",
        line,
        [
            ("MiscChargeValue", _value("MiscChargeValue", line)),
            ("MiscChargeCost", "0.00"),
            ("MiscProductClass", fitted("MiscProductClass", line.product_class)),
            ("MiscTaxCode", fitted("MiscTaxCode", line.tax_code)),
            ("MiscNotTaxable", _flag(line.not_taxable)),
            ("MiscDescription", fitted("MiscDescription", line.description)),
        ],
    )


def _comment(line: SalesOrderLine) -> Part:
    remark: Parts = [("Comment", fitted("Comment", line.description)), ("CommentType", "O")]
    return _line("CommentLine", line, remark)


_LINES: dict[str, Callable[[SalesOrderLine], Part]] = {
    "stock": _stock,
    "freight": _freight,
    "charge": _charge,
    "comment": _comment,
}


def _value(element: str, line: SalesOrderLine) -> str:
    if line.value is None:
        raise _missing(element, line)
    return money_text(element, line.value)


def _missing(element: str, line: SalesOrderLine) -> UnmappedField:
    return UnmappedField(
        f"Line {line.customer_po_line} ({line.kind}) of the sales order has no {element}",
        evidence={"element": element, "line": line.customer_po_line},
    )
