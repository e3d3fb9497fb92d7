"""SORQRY, SORQSO and SORRSH: one sales order, lists of them, and a header suggested for a new one."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.documents import Customer, OrderLine, SalesOrder
from integration.sandbox.syspro.enet.call import Call, Refused
from integration.sandbox.syspro.enet.xml_in import Node
from integration.sandbox.syspro.enet.xml_out import RATE_WIDTH, Answer, Elements, joined, number, texts
from integration.sandbox.syspro.findings import NOT_FOUND, Finding
from integration.sandbox.syspro.order_lines import line_value
from integration.sandbox.syspro.values import plain

_STATUSES = {
    "0": "In process", "1": "Open order", "2": "Open back order", "3": "Released back order",
    "4": "In warehouse", "8": "Ready to invoice", "9": "Complete", "F": "Forward order", "S": "In suspense",
    "*": "Cancelled during entry", "\\": "Cancelled",
}  # fmt: skip
_TYPES = {
    "O": "Order",
    "B": "Billing",
    "S": "Scheduled",
    "C": "Credit note",
    "F": "Forward",
    "I": "Inter-branch",
}
_SHORT_TYPES = {"O": "ORD", "B": "BIL", "S": "SCH", "C": "CRN", "F": "FWD", "I": "IBT"}
_TAX = {"E": "Exempt from tax", "N": "Taxable", "O": "Other tax code"}
_PREFIXES = ("SALARE", "SALSLS", "TBLART", "SALBRN", "TBLCUR")
_LIST_ROWS = 20


def sales_order(call: Call) -> Answer:
    """SORQRY: an order by its number, or by the invoice made from it.

    Raises:
        Refused: when there is none.
    """
    order = _wanted(call)
    return Answer("SorDetail", [*_header(call, order), *_lines(call, order)], _PREFIXES)


def _wanted(call: Call) -> SalesOrder:
    store = call.store
    number_, invoice = call.asked("Key/SalesOrder"), call.asked("Key/Invoice")
    if not number_ and invoice:
        held = store.invoices.by("Invoice", store.invoice_key(invoice))
        number_ = next((one.SalesOrder for one in held if one.SalesOrder), "")
    order = store.orders.get(store.order_key(number_)) if number_ else None
    if order is None:
        element, asked = ("Invoice", invoice) if invoice and not number_ else ("SalesOrder", number_)
        kind = "Invoice" if element == "Invoice" else "Sales order"
        raise Refused("SorDetail", element, Finding("", asked, NOT_FOUND, f"{kind} '{asked}' not found"))
    return order


def _header(call: Call, order: SalesOrder) -> Elements:
    quirks = call.quirks
    customer = call.store.customers.get(order.Customer) or Customer(order.Customer)
    sold = {f"SoldAddr{n}": customer.others.get(f"SoldToAddr{n}", "") for n in range(1, 6)}
    currency = call.store.currencies.get(order.Currency)
    return [
        *texts(
            SalesOrder=order.SalesOrder, DocumentType=order.DocumentType,
            DocumentTypeDesc=_TYPES.get(order.DocumentType, ""), InterBranchTransfer="", InterWhSale="",
            SourceWarehouse="", TargetWarehouse="", GtrReference="", Customer=order.Customer,
            CustomerName=order.CustomerName, TaxStatusCode=order.TaxStatus,
            TaxStatus=_TAX.get(order.TaxStatus, ""), SoldToName=customer.Name, **sold,
            SoldPostalCode=customer.others.get("SoldPostalCode", ""), Salesperson=order.Salesperson,
            ScheduledOrdFlag="", DiscPct1="0.00", DiscPct2="0.00", DiscPct3="0.00",
        ),
        ("Commissions", texts(Salesperson=order.Salesperson, CommissionSales1="0.00")),
        (joined("SALSLS", "Name", quirks), f"Salesperson {order.Salesperson}"),
        *texts(
            OrderStatus=order.OrderStatus, OrderStatusDesc=_STATUSES.get(order.OrderStatus, ""),
            CustomerPoNumber=order.CustomerPoNumber, OrderDate=order.OrderDate, GITReference="",
            ReqShipDate=order.ReqShipDate, ShippingInstrs=order.ShippingInstrs, ShippingInstrsCod="",
            SpecialInstrs=order.SpecialInstrs, InvTermsOverride=order.InvTermsOverride, DeliveryNote="",
            LastDelNote="", LastInvoice=order.LastInvoice, DateLastInvPrt=order.DateLastInvPrt,
        ),
        (joined("TBLART", "Description", quirks), f"Terms {order.InvTermsOverride}"),
        ("Branch", order.Branch),
        (joined("SALBRN", "Description", quirks), f"Branch {order.Branch}"),
        *texts(EntInvoice="", OrderType=order.OrderType, Area=order.Area),
        (joined("SALARE", "Description", quirks), ""),
        *texts(TaxExemptNumber="", Currency=order.Currency),
        (joined("TBLCUR", "Description", quirks), currency.Description if currency else ""),
        *texts(
            ShipAddress1=order.ShipAddress1, ShipAddress2=order.ShipAddress2,
            ShipAddress3=order.ShipAddress3, ShipAddress4=order.ShipAddress4,
            ShipAddress5=order.ShipAddress5, ShipAddress3Locality=order.ShipAddress3Locality,
            ShipPostalCode=order.ShipPostalCode, Email=order.Email, FixExchangeRate="N",
            ExchangeRate=number(order.ExchangeRate, quirks, RATE_WIDTH),
            Edited_ExchangeRate=plain(order.ExchangeRate), MulDiv=order.MulDiv,
            Nationality=customer.others.get("Nationality", ""), AlternateKey=order.AlternateKey, DepositFlag=order.DepositFlag, WebCreated=order.WebCreated,
            CancelledFlag=order.CancelledFlag, IncludeInMrp="Y",
        ),
        ("HeaderText", []),
        ("HeaderNotes", []),
    ]  # fmt: skip


def _lines(call: Call, order: SalesOrder) -> Elements:
    options = {"1": "IncludeStockedLines", "4": "IncludeFreightLines", "5": "IncludeMiscLines",
               "6": "IncludeCommentLines"}  # fmt: skip
    return [
        ("SalesOrderLine", [_line(call, line)])
        for line in order.lines
        if call.wants(options.get(line.LineType, "IncludeStockedLines"), "Y")
    ]


def _line(call: Call, line: OrderLine) -> tuple[str, Elements]:
    quirks = call.quirks
    if line.LineType == "1":
        shown = texts(
            SalesOrderLine=line.SalesOrderLine, LineType=line.LineType, MStockCode=line.MStockCode,
            MStockDes=line.MStockDes, MWarehouse=line.MWarehouse, MOrderQty=number(line.MOrderQty, quirks),
            MShipQty=number(line.MShipQty, quirks), MBackOrderQty=number(line.MBackOrderQty, quirks),
            MOrderUom=line.MOrderUom, MPrice=number(line.MPrice, quirks), MPriceUom=line.MPriceUom,
            MProductClass=line.MProductClass, MDiscPct1=number(line.MDiscPct1, quirks), MTaxCode=line.MTaxCode,
            OrderLineValue=number(line_value(line), quirks),
        )  # fmt: skip
        return "Merchandise", shown
    name = {"4": "Freight", "5": "MiscCharge"}.get(line.LineType, "CommentLine")
    shown = texts(SalesOrderLine=line.SalesOrderLine, LineType=line.LineType, NComment=line.NComment)
    if name != "CommentLine":
        shown += texts(
            NMscChargeValue=number(line.NMscChargeValue, quirks), NMscProductCls=line.NMscProductCls,
            NMscTaxCode=line.NMscTaxCode,
        )  # fmt: skip
    return name, shown


def sales_orders(call: Call) -> Answer:
    """SORQSO: a page of orders, 20 unless told otherwise, filtered by single values, lists and ranges."""
    start = call.asked("Option/StartAtOrder")
    asked = call.asked("Option/ReturnOrders")
    size = int(asked) if asked.isdigit() and int(asked) else _LIST_ROWS
    filters = call.document.find("Filter") if call.document is not None else None
    chosen = list(filters.nodes()) if filters is not None else []
    first = call.store.order_key(start) if start else ""
    content: Elements = []
    for order in call.store.orders:
        if order.SalesOrder >= first and _listed(call, order) and all(_fits(call, order, f) for f in chosen):
            content.append(("SalesOrderItem", _item(order)))
        if len(content) == size:
            break
    return Answer("SorQuery", [*content, ("RowsReturned", number(Decimal(len(content)), call.quirks))])


def _listed(call: Call, order: SalesOrder) -> bool:
    options = {
        "9": "IncludeCompletedOrders", "*": "IncludeCancelledOrders", "\\": "IncludeCancelledOrders",
        "F": "IncludeForwardOrders",
    }  # fmt: skip
    option = options.get(order.OrderStatus)
    return option is None or call.wants(option, "N")


def _fits(call: Call, order: SalesOrder, node: Node) -> bool:
    values = {
        "salesperson": order.Salesperson, "branch": order.Branch, "customer": order.Customer,
        "customerpo": order.CustomerPoNumber, "geographicarea": order.Area, "salesorder": order.SalesOrder,
        "orderdate": order.OrderDate, "requestedshipdate": order.ReqShipDate, "ordertype": order.OrderType,
        "orderstatus": order.OrderStatus, "alternatekey": order.AlternateKey,
    }  # fmt: skip
    name, kind = node.name.lower(), node.attribute("FilterType").upper() or "A"
    if kind == "A" or name not in values:
        return True
    pads = {"customer": call.store.customer_key, "salesorder": call.store.order_key}
    pad = pads.get(name, str.strip)
    wanted = [pad(part) for part in node.attribute("FilterValue").split(",")]
    if kind == "R":
        return wanted[0] <= values[name] <= wanted[-1]
    return values[name] in wanted


def _item(order: SalesOrder) -> Elements:
    return texts(
        SalesOrder=order.SalesOrder, Customer=order.Customer, CustomerName=order.CustomerName,
        OrderStatus=order.OrderStatus, Branch=order.Branch, OrderType=order.OrderType, Area=order.Area,
        AlternateKey=order.AlternateKey, NextDetailLine=f"{len(order.lines) + 1:04}",
        DocumentType=_SHORT_TYPES.get(order.DocumentType, "ORD"), Salesperson=order.Salesperson,
        Currency=order.Currency, CustomerPoNumber=order.CustomerPoNumber,
        ShippingInstrs=order.ShippingInstrs, SpecialInstrs=order.SpecialInstrs, OrderDate=order.OrderDate,
        ReqShipDate=order.ReqShipDate,
    )  # fmt: skip


def suggested_header(call: Call) -> Answer:
    """SORRSH: what a new order of a customer would begin with; nothing is written.

    Raises:
        Refused: for an unknown customer.
    """
    code = call.asked("Customer") or call.asked("Key/Customer")
    customer = call.store.customers.get(call.store.customer_key(code)) if code else None
    if customer is None:
        raise Refused("SoHeader", "Customer", Finding("", code, NOT_FOUND, f"Customer '{code}' not found"))
    suggested = texts(
        Customer=customer.Customer, CustomerName=customer.Name, Branch=customer.Branch,
        Salesperson=customer.Salesperson, Area=customer.Area, InvoiceTerms=customer.TermsCode,
        Currency=call.store.currency_of(customer), Warehouse=call.store.config.warehouse,
        OrderDate=call.store.accounting_date().isoformat(), Email=customer.Email,
    )  # fmt: skip
    return Answer("SoHeader", suggested)
