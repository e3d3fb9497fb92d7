"""Canned answers of SYSPRO's e.net: one call of an operator at a time, each as long as the latency says.

It remembers which references were posted, because the road looks before it posts and reads back afterwards.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs

PREFIX = "/SYSPROWCFService/Rest"
Row = dict[str, str]

_ASKED = re.compile(r"<Column>(\w+)</Column><Condition>EQ</Condition><Value>([^<]*)</Value>")
_WANTED = re.compile(r"<Columns>(.*?)</Columns>")
_COLUMN = re.compile(r"<Column>(\w+)</Column>")
_CUSTOMER = {
    "Customer": "0000001", "Name": "Bench", "Currency": "GBP", "CustomerOnHold": "N", "Branch": "10",
    "TermsCode": "00", "PaymentsAllowed": "Y",
}  # fmt: skip
_STOCK = {
    "StockCode": "A100", "Description": "Widget", "StockUom": "EA", "ProductClass": "WEB", "TaxCode": "A",
    "StockOnHold": "", "Warehouse": "FG",
}  # fmt: skip
_PROFILE = {
    "OperatorCode": "OPAYO1", "LocalCurrencyCode": "GBP", "AccountingDate": "2025-06-02", "DefaultBank": "HB",
    "DefaultArBranch": "10", "DefaultWarehouse": "FG", "SysproVersion": "8.0.0", "EnetVersion": "8.0.161",
}  # fmt: skip


class EnetStub:
    """Answers by path; `calls` and `posts` count them, `busy` are the seconds that all turns took."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.calls = 0
        self.posts = 0
        self.busy = 0.0
        self.orders: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.payments: dict[str, str] = {}
        self.references: dict[str, str] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._rows: dict[str, Callable[[list[tuple[str, str]]], Iterable[Row]]] = {
            "ArCustomer": lambda _: [_CUSTOMER],
            "InvMaster": lambda _: [_STOCK],
            "InvWarehouse": lambda _: [_STOCK],
            "SorMaster": lambda asked: (self._order(po) for _, po in asked if po in self.orders),
            "SorDetail": lambda asked: (_line(number) for _, number in asked if number in self.numbers),
            "ArInvoicePay": lambda asked: (_movement(ref) for _, ref in asked if ref in self.payments),
            "ArInvoice": lambda asked: (self._cash(po) for _, po in asked if po in self.references),
        }

    async def answer(self, path: str, query: bytes, body: bytes) -> bytes:
        """The answer to a call, after its operator's turn and the latency."""
        self.calls += 1
        asked = {name: values[0] for name, values in parse_qs(query.decode(), keep_blank_values=True).items()}
        text = body.decode()
        token = asked.get("UserId") or _between(text, "UserId")
        async with self._turns.setdefault(token, asyncio.Lock()):
            began = time.monotonic()
            if self.latency:
                await asyncio.sleep(self.latency)
            answer = self._answer(path.removeprefix(PREFIX), asked, text).encode()
            self.busy += time.monotonic() - began
            return answer

    def _answer(self, path: str, asked: dict[str, str], body: str) -> str:
        if path == "/Logon":
            return f"{asked['Operator'].encode().hex().upper():A>34}  "
        if path == "/Logoff":
            return "0"
        if path == "/GetLogonProfile":
            return _document("UserInfo", _elements(_PROFILE, _PROFILE))
        if path == "/Query/Query":
            return self._found(asked["XmlIn"])
        document = body or asked["XmlIn"]
        return self._posted(asked.get("BusinessObject") or _between(body, "BusinessObject"), document)

    def _found(self, document: str) -> str:
        table = _between(document, "TableName")
        wanted = _WANTED.search(document)
        columns = _COLUMN.findall(wanted[1]) if wanted else []
        rows = list(self._rows[table](_ASKED.findall(document)))
        content = "".join(f"<Row>{_elements(row, columns)}</Row>" for row in rows)
        return _document(table, f"{content}<RowsReturned>{len(rows):8}</RowsReturned>")

    def _posted(self, code: str, document: str) -> str:
        self.posts += 1
        if code == "SORTOI":
            po = _between(document, "CustomerPoNumber")
            if not po:  # a rehearsal
                return _document(
                    "SalesOrders", "<ValidationStatus><Status>Successful</Status></ValidationStatus>"
                )
            number = self.orders.setdefault(po, f"{len(self.orders) + 100_000:015d}")
            self.numbers[number] = po
            order = (
                f"<Order><CustomerPoNumber>{po}</CustomerPoNumber><SalesOrder>{number}</SalesOrder></Order>"
            )
            return _document("SalesOrders", f"{order}{_counters()}")
        reference, po = _between(document, "Reference"), _between(document, "CustomerPurchaseOrder")
        self.payments[reference] = po
        self.references[po] = reference
        key = f"<TrnYear>2025</TrnYear><TrnMonth>06</TrnMonth><Journal>{len(self.payments):010d}</Journal>"
        item = f"<Item><Payment><Key>{key}</Key><Customer>0000001</Customer></Payment></Item>"
        return _document("postarpayment", f"{item}{_counters()}")

    def _order(self, po: str) -> Row:
        return {
            "SalesOrder": self.orders[po], "Customer": "0000001", "CustomerPoNumber": po, "OrderStatus": "1",
            "OrderDate": "2025-06-02", "Currency": "GBP", "CustomerName": "Jane Smith", "Email": "jane@example.org",
            "ShipAddress2": "1 High Street", "ShipAddress3": "Leeds", "ShipAddress5": "GB", "ShipPostalCode": "LS1 1AA",
            "Warehouse": "FG", "Branch": "10", "SpecialInstrs": "1001",
        }  # fmt: skip

    def _cash(self, po: str) -> Row:
        return {
            "Customer": "0000001", "Invoice": _crd(self.references[po]), "DocumentType": "I",
            "InvoiceDate": "2025-06-02", "CustomerPoNumber": po, "Branch": "10", "TermsCode": "00",
            "CurrencyValue": "        -10.00", "PostCurrency": "GBP", "InvoiceBal1": "        -10.00",
        }  # fmt: skip


def _crd(reference: str) -> str:
    return f"_CRD{reference[:12]}"


def _movement(reference: str) -> Row:
    return {
        "Customer": "0000001", "Invoice": _crd(reference), "DocumentType": "I", "TrnType": "P",
        "JournalDate": "2025-06-02", "Journal": "0000000001", "TrnYear": "2025", "TrnMonth": "06",
        "Reference": reference, "TrnValue": "         10.00", "DiscValue": "          0.00", "PostCurrency": "GBP",
    }  # fmt: skip


def _line(number: str) -> Row:
    return {
        "SalesOrder": number, "SalesOrderLine": "1", "LineType": "1", "MStockCode": "A100", "MStockDes": "Widget",
        "MWarehouse": "FG", "MOrderQty": "    1.000000", "MOrderUom": "EA", "MPrice": "    10.00000", "MTaxCode": "A",
    }  # fmt: skip


def _between(text: str, name: str) -> str:
    _, found, rest = text.partition(f"<{name}>")
    return rest.partition("<")[0] if found else ""


def _elements(row: Row, columns: Iterable[str]) -> str:
    return "".join(f"<{column}>{row.get(column, '')}</{column}>" for column in columns)


def _counters() -> str:
    return "<StatusOfItems><ItemsProcessed>000001</ItemsProcessed><ItemsInvalid/></StatusOfItems>"


def _document(root: str, inside: str) -> str:
    return f'<?xml version="1.0" encoding="Windows-1252"?>\n<{root} Version=\'8.0.161\'>{inside}</{root}>\n '
