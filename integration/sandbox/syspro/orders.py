"""SORTOI, adding: a sales order is checked, its stock allocated, its number given."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from integration.sandbox.syspro.documents import Customer, OrderLine, SalesOrder
from integration.sandbox.syspro.findings import DUPLICATE_ORDER, INVALID_CHOICE, ON_HOLD, REFUSED, Reader
from integration.sandbox.syspro.order_lines import LineMaker, LineOptions
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import ORDER
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import Document, displayed

SHIP_TO = (
    "ShipAddress1", "ShipAddress2", "ShipAddress3", "ShipAddress3Locality", "ShipAddress4", "ShipAddress5",
    "ShipPostalCode",
)  # fmt: skip
LINE_KINDS = ("StockLine", "FreightLine", "MiscChargeLine", "CommentLine")
CANCELLED = "\\"


def import_orders(posting: Posting, orders: list[Document]) -> Outcome:
    """Add sales orders (OrderActionType A), one result per order."""
    rules = OrderRules(posting)
    posting.warnings_allowed("N Y W")
    return run(posting, Plan("SORTOI", ORDER, rules.add), orders)


class OrderRules:
    """The parameters of one import and the rules they switch."""

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.store = posting.store
        choose = posting.parameters.choice
        self.status = choose("OrderStatus", "1 4 8 S", "1")
        self.type = choose("TypeOfOrder", "ORD FWD SCH IBT BIL", "ORD")
        self.duplicates = choose("AllowDuplicateOrderNumbers", "N Y A", "N")
        self.check_numbers = choose("CheckForCustomerPoNumbers", "Y N C", "Y")
        self.warn_on_hold = choose("WarnIfCustomerOnHold", "N Y", "N")
        self.early_ship = choose("AcceptEarlierShipDate", "N Y", "N")
        self.lines = LineOptions(posting)
        self.manual_number = choose("AllowManualOrderNumberToBeUsed", "N Y", "N")

    def add(self, item: Reader) -> Document:
        """Check and store one order."""
        header = item.child("OrderHeader")
        header.choice("OrderActionType", "A", "A")
        customer = self._customer(header)
        if customer is None:
            return {}
        self._check_number(header, customer)
        self._check_codes(header, customer)
        order = self._header(header, customer)
        lines = sorted_lines(item.child("OrderDetails"))
        if not lines:
            item.refuse("OrderDetails", REFUSED, "Sales order has no detail lines")
        maker = LineMaker(self.store, order, self.lines)
        made = [maker.make(kind, line) for kind, line in lines]
        if item.failed():
            return {}
        return self._store(item, order, [line for line in made if line is not None])

    def _customer(self, header: Reader) -> Customer | None:
        code = header.required("Customer")
        customer = self.store.customers.get(self.store.customer_key(code)) if code else None
        if customer is None:
            if code:
                header.not_found("Customer", "Customer")
            return None
        if customer.CustomerOnHold == "Y":
            text = f"Customer '{customer.Customer}' is on hold"
            if self.warn_on_hold == "Y":
                header.warn("Customer", text)
            else:
                header.refuse("Customer", ON_HOLD, text)
        if customer.SalesAllowed == "N":
            header.refuse("Customer", REFUSED, f"Sales are not allowed for customer '{customer.Customer}'")
        return customer

    def _check_number(self, header: Reader, customer: Customer) -> None:
        number = header.text("CustomerPoNumber")
        mandatory = self.check_numbers == "Y" or (
            self.check_numbers == "C" and customer.PoNumberMandatory == "Y"
        )
        if not number:
            if mandatory:
                header.required("CustomerPoNumber")
            return
        if self.duplicates == "A":
            return
        held = [o for o in self.store.orders.by("CustomerPoNumber", number) if o.CancelledFlag != "Y"]
        anywhere = self.store.config.quirks.unique_purchase_orders
        same = [o for o in held if o.Customer == customer.Customer]
        if (anywhere and held) or (not anywhere and same and self.duplicates == "N"):
            order = displayed((same or held)[0].SalesOrder)
            text = f"Duplicate customer purchase order number '{number}' on sales order '{order}'"
            header.refuse("CustomerPoNumber", DUPLICATE_ORDER, text)

    def _check_codes(self, header: Reader, customer: Customer) -> None:
        store = self.store
        currency = header.code("Currency")
        if currency and currency != store.currency_of(customer):
            text = f"Currency '{currency}' must be the customer's currency '{store.currency_of(customer)}'"
            header.refuse("Currency", INVALID_CHOICE, text)
        for name, kind, known in (
            ("Branch", "Branch", store.branches), ("Warehouse", "Warehouse", store.warehouses),
            ("Salesperson", "Salesperson", store.salespersons), ("InvoiceTerms", "Terms code", store.terms),
        ):  # fmt: skip
            if header.code(name) and header.code(name) not in known:
                header.not_found(name, kind)
        ship = header.date("RequestedShipDate")
        if ship and self.early_ship == "N" and ship < store.accounting_date().isoformat():
            header.refuse("RequestedShipDate", REFUSED, f"Ship date '{ship}' cannot be earlier than today")

    def _header(self, header: Reader, customer: Customer) -> SalesOrder:
        store = self.store
        today = store.accounting_date().isoformat()
        currency = store.currency_of(customer)
        rate, mul_div = store.rate_of(currency)
        order_date = header.date("OrderDate", today)
        ship_to = {name: header.text(name) for name in SHIP_TO}
        if not any(ship_to.values()):
            ship_to = {name: customer.others.get(_customer_column(name), "") for name in SHIP_TO}
        order = SalesOrder(
            "",
            customer.Customer,
            header.text("CustomerPoNumber"),
            OrderStatus="8" if self.type == "BIL" else "F" if self.type == "FWD" else self.status,
            DocumentType={"BIL": "B", "SCH": "S", "FWD": "F", "IBT": "I"}.get(self.type, "O"),
            OrderDate=order_date,
            ReqShipDate=header.date("RequestedShipDate", order_date),
            Branch=header.code("Branch", customer.Branch),
            Salesperson=header.code("Salesperson", customer.Salesperson),
            Area=header.code("Area", customer.Area),
            Warehouse=header.code("Warehouse"),
            Currency=currency,
            ExchangeRate=rate,
            MulDiv=mul_div,
            InvTermsOverride=header.code("InvoiceTerms", customer.TermsCode),
            TaxStatus=header.code("TaxExemptionStatus", customer.TaxStatus),
            OrderType=header.code("OrderType"),
            AlternateKey=header.text("AlternateReference"),
            CustomerName=header.text("CustomerName", customer.Name),
            Email=header.text("Email", customer.Email),
            ShippingInstrs=header.text("ShippingInstrs"),
            SpecialInstrs=header.text("SpecialInstrs")[:30],
        )
        return msgspec.structs.replace(order, **ship_to)

    def _store(self, item: Reader, order: SalesOrder, lines: list[OrderLine]) -> Document:
        number = self._number(item)
        if item.failed():
            return {}
        comments = _comments(item.child("OrderHeader"), len(lines))
        order = msgspec.structs.replace(order, SalesOrder=number, lines=(*lines, *comments))
        self.store.orders.put(number, order)
        return {
            "SalesOrder": number,
            "CustomerPoNumber": order.CustomerPoNumber,
            "OrderActionType": "A",
            "OrderStatus": order.OrderStatus,
        }

    def _number(self, item: Reader) -> str:
        wanted = item.child("OrderHeader").code("SalesOrder")
        if not wanted:
            return next_order_number(self.store)
        key = self.store.order_key(wanted)
        if self.manual_number == "N":
            item.child("OrderHeader").refuse("SalesOrder", REFUSED, "Manual order numbers are not allowed")
        elif key in self.store.orders:
            text = f"Duplicate key '{displayed(key)}' on 'SorMaster'"
            item.child("OrderHeader").refuse("SalesOrder", "120001", text)
        return key


def next_order_number(store: Store) -> str:
    """The next free sales order number, as stored."""
    while True:
        key = store.order_key(str(store.next_number("SalesOrder", store.config.next_sales_order)))
        if key not in store.orders:
            return key


def sorted_lines(details: Reader) -> list[tuple[str, Reader]]:
    """All lines of all kinds in CustomerPoLine order; lines without one keep their place at the end."""
    lines = [(kind, line) for kind in LINE_KINDS for line in details.children(kind)]
    position: Callable[[tuple[str, Reader]], int] = lambda pair: _position(pair[1])  # noqa: E731
    return sorted(lines, key=position)


def _position(line: Reader) -> int:
    text = line.text("CustomerPoLine")
    return int(text) if text.isascii() and text.isdigit() else 99_999


def _customer_column(ship_element: str) -> str:
    return {"ShipPostalCode": "ShipPostalCode", "ShipAddress3Locality": "ShipToAddr3Loc"}.get(
        ship_element, ship_element.replace("ShipAddress", "ShipToAddr")
    )


def _comments(header: Reader, lines_before: int) -> list[OrderLine]:
    value = header.document.get("OrderComments", [])
    comments = value if isinstance(value, list) else [value]
    parts = [
        text[start : start + 100]
        for text in comments
        if isinstance(text, str)
        for start in range(0, len(text), 100)
    ]
    return [OrderLine(str(lines_before + n), "6", NComment=part) for n, part in enumerate(parts[:4], start=1)]
