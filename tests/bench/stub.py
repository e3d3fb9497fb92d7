"""Canned answers of Opayo, the shop and SYSPRO on one port: as little work as a server can do.

It remembers which references were posted, because the road looks before it posts and reads back afterwards, and
nothing else. `python -m tests.bench.stub LATENCY_MS` prints its address and answers until it is stopped.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
import uvicorn

from tests.bench.stub_enet import PREFIX as ENET
from tests.bench.stub_enet import EnetStub

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MINOR = 1_000
_JSON = [(b"content-type", b"application/json")]
_BYTES = [(b"content-type", b"application/octet-stream")]
_ADDRESS = {
    "first_name": "Jane", "last_name": "Smith", "company": "", "address_1": "1 High Street", "address_2": "",
    "city": "Leeds", "state": "", "postcode": "LS1 1AA", "country": "GB", "email": "jane@example.org", "phone": "",
}  # fmt: skip
_FIXED = {
    "Auth/Logon": {
        "UserId": "A" * 34, "TokenType": "Bearer", "CompanyId": "EDU1", "Operator": "OPAYO1",
        "SysproVersion": "8.0.0", "EnetVersion": "8.0.161", "LocalCurrencyCode": "GBP",
        "AccountingDate": "2025-06-02", "DefaultBank": "HB", "DefaultArBranch": "10", "DefaultWarehouse": "FG",
    },
    "Customer": {"Customer": "0000001", "Name": "Bench", "Currency": "GBP", "CustomerOnHold": "N", "Branch": "10",
                 "TermsCode": "00", "PaymentsAllowed": "Y", "UnappPayAllowed": "Y"},
    "StockItem": {
        "StockItem": {"StockCode": "A100", "Description": "Widget", "StockUom": "EA", "ProductClass": "WEB",
                      "TaxCode": "A", "StockOnHold": "", "SalesOnHold": ""},
        "WarehouseItem": [{"Warehouse": "FG", "QtyOnHand": "1000.000000", "AvailableQty": "1000.000000"}],
    },
}  # fmt: skip


class Stub:
    """The three systems. Orders are kept by customer order number, payments by reference."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.calls = 0
        self.orders: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.payments: dict[str, str] = {}
        self.references: dict[str, str] = {}
        self.enet = EnetStub(latency)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = b""
        if scope["method"] in ("POST", "PUT"):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
        if scope["path"].startswith(ENET):
            answer = await self.enet.answer(scope["path"], scope["query_string"], body)
            await send({"type": "http.response.start", "status": 200, "headers": _BYTES})
            await send({"type": "http.response.body", "body": answer})
            return
        status, answer = self._answer(scope["method"], scope["path"], scope["query_string"], body)
        if self.latency and "/harmony/" in scope["path"]:
            await asyncio.sleep(self.latency)
        await send({"type": "http.response.start", "status": status, "headers": _JSON})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, method: str, path: str, query: bytes, body: bytes) -> tuple[int, bytes]:
        if path == "/_calls":
            return 200, str(self.calls + self.enet.calls).encode()
        if path == "/_enet":
            return 200, msgspec.json.encode(
                {"calls": self.enet.calls, "posts": self.enet.posts, "busy": self.enet.busy}
            )
        self.calls += 1
        if path.startswith("/api/harmony/2.0/"):
            return self._syspro(method, path.removeprefix("/api/harmony/2.0/"), query, body)
        if path.startswith("/api/v1/transactions/"):
            return 200, msgspec.json.encode(_transaction(path.rsplit("/", 1)[1]))
        return self._shop(method, path, query)

    def _shop(self, method: str, path: str, query: bytes) -> tuple[int, bytes]:
        if path.endswith("/notes"):
            return (201, b'{"id":1,"note":"x"}') if method == "POST" else (200, b"[]")
        if path.endswith("/orders"):
            code = parse_qs(query.decode())["search"][0]
            return 200, msgspec.json.encode([_order(code)])
        return 200, msgspec.json.encode(_order(unquote(path.rsplit("/", 1)[1])))

    def _syspro(self, method: str, path: str, query: bytes, body: bytes) -> tuple[int, bytes]:
        head = path.split("/", maxsplit=1)[0]
        if path == "Auth/Logon" or head in ("Customer", "StockItem"):
            return 200, msgspec.json.encode(_FIXED[path if head == "Auth" else head])
        if path == "Auth/Logoff":
            return 204, b""
        if method == "POST":
            return 201, msgspec.json.encode(self._post(path, msgspec.json.decode(body)))
        if path.startswith("SalesOrder/"):
            number = path.split("/")[1]
            return 200, msgspec.json.encode(_sales_order(number, self.numbers[number], detail=True))
        wanted = parse_qs(query.decode())
        rows: list[object] = []
        if path == "SalesOrder":
            found = [po for po in wanted.get("CustomerPoNumber", [""])[0].split(",") if po in self.orders]
            rows = [_sales_order(self.orders[po], po, detail=False) for po in found]
        elif path == "AccountsReceivable/Payment":
            found = [ref for ref in wanted.get("Reference", [""])[0].split(",") if ref in self.payments]
            rows = [_movement(ref) for ref in found]
        elif path == "AccountsReceivable/Invoice":
            found = [po for po in wanted.get("CustomerPoNumber", [""])[0].split(",") if po in self.references]
            rows = [_credit(self.references[po], po) for po in found]
        return 200, msgspec.json.encode({"Items": rows, "RowsReturned": len(rows), "NextStartAt": None})

    def _post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        if path == "SalesOrder":
            po = document["Orders"][0]["OrderHeader"]["CustomerPoNumber"]
            number = self.orders.setdefault(po, f"{len(self.orders) + 100_000:015d}")
            self.numbers[number] = po
            return {
                "Items": [{"ItemNumber": "000001", "Status": "POSTED", "SalesOrder": number, "CustomerPoNumber": po,
                           "SalesOrderDisplay": number.lstrip("0"), "OrderActionType": "A", "OrderStatus": "1",
                           "Errors": [], "Warnings": []}],
                "StatusOfItems": {"ItemsProcessed": "000001", "ItemsInvalid": "000000"},
            }  # fmt: skip
        payment = document["Items"][0]["Payment"]
        reference, po = payment["Reference"], payment["UnappliedPayment"][0]["CustomerPurchaseOrder"]
        self.payments[reference] = po
        self.references[po] = reference
        return {
            "Items": [{"ItemNumber": "000001", "Status": "POSTED", "Kind": "Payment", "Customer": "0000001",
                       "Key": {"TrnYear": "2025", "TrnMonth": "06", "Journal": f"{len(self.payments):010d}"},
                       "UnappliedInvoices": [{"Invoice": _crd(reference), "GrossPaymentValue": "10.00"}],
                       "Errors": [], "Warnings": []}],
            "StatusOfItems": {"ItemsProcessed": "000001", "ItemsInvalid": ""},
        }  # fmt: skip


def _crd(reference: str) -> str:
    return f"_CRD{reference[:12]}"


def _transaction(transaction_id: str) -> dict[str, object]:
    return {
        "statusCode": "0000", "statusDetail": "The Authorisation was Successful.", "transactionId": transaction_id,
        "transactionType": "Payment", "retrievalReference": 7_470_134, "bankResponseCode": "00",
        "bankAuthorisationCode": "999777",
        "paymentMethod": {"card": {"cardType": "Visa", "lastFourDigits": "0006", "expiryDate": "1235"}},
        "amount": {"totalAmount": MINOR, "saleAmount": MINOR, "surchargeAmount": 0}, "currency": "GBP",
        "fiRecipient": {}, "status": "Ok", "3DSecure": {"status": "Authenticated"},
    }  # fmt: skip


def _order(code: str) -> dict[str, object]:
    return {
        "id": int("".join(filter(str.isdigit, code)) or 0) + 1, "number": "1001", "status": "pending", "currency": "GBP", "total": "10.00", "total_tax": "0.00",
        "date_created_gmt": "2025-06-02T09:00:00", "customer_id": 1,
        # A shopper each: screening has nothing to say about many payments of one.
        "billing": _ADDRESS | {"email": f"{code}@example.org"}, "shipping": _ADDRESS,
        "meta_data": [{"id": 1, "key": "_opayo_vendor_tx_code", "value": code}], "customer_note": "",
        "line_items": [{"id": 1, "name": "Widget", "quantity": 1, "total": "10.00", "total_tax": "0.00", "sku": "A100",
                        "subtotal": "10.00", "subtotal_tax": "0.00", "price": 10}],
        "shipping_lines": [], "fee_lines": [], "coupon_lines": [], "tax_lines": [], "refunds": [],
    }  # fmt: skip


def _sales_order(number: str, po: str, *, detail: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "SalesOrder": number, "Customer": "0000001", "CustomerPoNumber": po, "OrderStatus": "1", "CancelledFlag": "",
        "DocumentType": "O", "OrderDate": "2025-06-02", "Branch": "10", "Warehouse": "FG", "Currency": "GBP",
        "CustomerName": "Jane Smith", "Email": "jane@example.org", "ShipAddress2": "1 High Street",
        "ShipAddress3": "Leeds", "ShipAddress5": "GB", "ShipPostalCode": "LS1 1AA", "SpecialInstrs": "1001",
        "SalesOrderDisplay": number.lstrip("0"),
    }  # fmt: skip
    if detail:
        row["SalesOrderLine"] = [
            {"SalesOrderLine": "1", "LineType": "1", "MStockCode": "A100", "MStockDes": "Widget", "MWarehouse": "FG",
             "MOrderQty": "1.000000", "MOrderUom": "EA", "MPrice": "10.00000", "MPriceUom": "EA", "MTaxCode": "A"}
        ]  # fmt: skip
    return row


def _movement(reference: str) -> dict[str, object]:
    return {
        "Customer": "0000001", "Invoice": _crd(reference), "DocumentType": "I", "EntryNumber": "00001",
        "TrnType": "P", "JournalDate": "2025-06-02", "Journal": "0000000001", "TrnYear": "2025", "TrnMonth": "06",
        "Reference": reference, "TrnValue": "10.00", "DiscValue": "0.00", "PostValue": "10.00",
        "PostCurrency": "GBP", "PostConvRate": "1.000000", "PostMulDiv": "M", "Branch": "10", "InvoiceNotation": "",
    }  # fmt: skip


def _credit(reference: str, po: str) -> dict[str, object]:
    return {
        "Customer": "0000001", "Invoice": _crd(reference), "DocumentType": "I", "InvoiceDate": "2025-06-02",
        "SalesOrder": "", "CustomerPoNumber": po, "Branch": "10", "TermsCode": "00", "CurrencyValue": "-10.00",
        "PostCurrency": "GBP", "ConvRate": "1.000000", "MulDiv": "M", "InvoiceBal1": "-10.00",
        "Payments": [_movement(reference)],
    }  # fmt: skip


def main() -> None:
    """Serve until stopped."""
    stub = Stub(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    config = uvicorn.Config(
        stub, loop="uvloop", http="httptools", access_log=False, log_level="error", lifespan="off"
    )
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
