"""An independent client of the JSON face: written from the contract, sharing nothing with the connector."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from integration.sandbox.syspro import Settings, SysproSandbox, SysproSandboxConfig
from tests.connectors.serving import served

BASE = "/api/harmony/2.0"
Json = dict[str, Any]
_keys = itertools.count(1)


class Client:
    """Bearer token, idempotency keys and nothing else."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.token = ""

    def headers(self, key: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**headers, "Idempotency-Key": key} if key is not None else headers

    async def logon(
        self, operator: str = "OPAYO1", password: str | None = None, company: str = "EDU1"
    ) -> httpx.Response:
        body = {
            "Operator": operator,
            "OperatorPassword": password if password is not None else f"sandbox-{operator[-1]}",
            "CompanyId": company,
            "CompanyPassword": "",
        }
        answer = await self.http.post(f"{BASE}/Auth/Logon", json=body)
        if answer.status_code == 200:
            self.token = answer.json()["UserId"]
        return answer

    async def get(self, path: str, **params: str) -> httpx.Response:
        return await self.http.get(f"{BASE}/{path}", params=params, headers=self.headers())

    async def post(self, path: str, body: object, key: str | None = "") -> httpx.Response:
        key = f"k-{next(_keys)}" if key == "" else key
        return await self.http.post(f"{BASE}/{path}", json=body, headers=self.headers(key))

    async def put(self, path: str, body: object) -> httpx.Response:
        return await self.http.put(f"{BASE}/{path}", json=body, headers=self.headers())

    async def control(self, method: str, name: str, body: object = None) -> Json:
        answer = await self.http.request(method, f"/_sandbox/{name}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        parsed: Json = answer.json()
        return parsed

    async def ledger(self) -> Json:
        return await self.control("GET", "ledger")

    async def invariants_hold(self) -> bool:
        answer = await self.control("GET", "invariants")
        assert answer["broken"] == []
        return bool(answer["ok"])


def sandbox(**settings: Any) -> SysproSandbox:
    """A sandbox whose today is the contract's: 2 June 2025."""
    fixed = Settings(accounting_date="2025-06-02", **settings)
    return SysproSandbox(SysproSandboxConfig(settings=fixed))


@asynccontextmanager
async def connected(company: SysproSandbox, *, logon: bool = True) -> AsyncIterator[Client]:
    """Serve a company and hand out a client, logged on as OPAYO1 unless told otherwise."""
    async with served(company.app) as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
        client = Client(http)
        if logon:
            assert (await client.logon()).status_code == 200
        yield client


def order(po: str = "WEB-2025-000123", lines: list[Json] | None = None, **header: Any) -> Json:
    """A small sales order; header elements of the same name replace its own."""
    line = {
        "CustomerPoLine": "0001", "LineActionType": "A", "StockCode": "A101", "Warehouse": "FG",
        "OrderQty": "2.000000", "OrderUom": "EA", "Price": "10.00000", "PriceUom": "EA",
    }  # fmt: skip
    return {
        "Parameters": {"OrderStatus": "1", "IgnoreWarnings": "W", "AllocationAction": "A", "AcceptEarlierShipDate": "Y"},
        "Orders": [
            {
                "OrderHeader": {
                    "CustomerPoNumber": po, "OrderActionType": "A", "Customer": "0000001",
                    "OrderDate": "2025-06-02", **header,
                },
                "OrderDetails": {"StockLine": lines or [line]},
            }
        ],
    }  # fmt: skip


def payment(value: str = "120.00", **elements: Any) -> Json:
    """An unapplied payment of customer 1; payment elements of the same name replace its own."""
    body = {
        "Customer": "0000001", "PaymentValue": value, "Reference": "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E",
        "PaymentDate": "2025-06-02", "JournalNotation": "Opayo WEB-2025-000123", "Bank": "OC",
        "PaymentType": "O",
        "UnappliedPayment": [{"GrossPaymentValue": value, "CustomerPurchaseOrder": "WEB-2025-000123"}],
        **elements,
    }  # fmt: skip
    return {"Parameters": {}, "Items": [{"Payment": {k: v for k, v in body.items() if v is not None}}]}


def journal(*amounts: str, accounts: tuple[str, ...] = ("30-6200", "00-1010"), **elements: Any) -> Json:
    """A general journal of these amounts on alternating accounts."""
    lines = [
        {"LedgerCode": accounts[n % len(accounts)], "Reference": "T", "EntryAmount": amount}
        for n, amount in enumerate(amounts)
    ]
    item = {
        "JournalType": "N", "PostJournal": "Y", "JournalDate": "2025-06-02", "JournalReference": "T 1",
        "PostingYear": "2025", "PostingPeriod": "06", "JournalDetails": lines, **elements,
    }  # fmt: skip
    return {"Parameters": {}, "Items": [item]}


def invoice(value: str, kind: str = "I", **elements: str) -> Json:
    """An AR document of customer 1."""
    item = {
        "TransactionType": kind, "Customer": "0000001", "InvoiceDate": "2025-06-02", "InvoiceValue": value,
        "ProductClass": "WEB", "Reference": f"R {value}", **elements,
    }  # fmt: skip
    return {"Parameters": {}, "Items": [item]}


def code_of(answer: httpx.Response) -> str:
    """Error.Code of an answer, held against the one shape every error has."""
    body = answer.json()
    assert set(body["Error"]) == {"Code", "Message", "BusinessObject", "CorrelationId", "Retryable"}, body
    assert body["Error"]["CorrelationId"] == answer.headers["X-Correlation-Id"]
    return str(body["Error"]["Code"])


def with_parameters(body: Json, **parameters: str) -> Json:
    return {**body, "Parameters": {**body["Parameters"], **parameters}}


async def refused(client: Client, path: str, body: Json, expected: tuple[int, str, str]) -> str:
    """Post, expect status, code and element of the refusal, see that the books did not move; the error's text."""
    status, code, element = expected
    before = await client.ledger()
    answer = await client.post(path, body)
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text
    errors = answer.json()["Items"][0]["Errors"]
    assert element in {error["Element"] for error in errors}, errors
    assert await client.ledger() == before
    return str(next(error["ErrorDescription"] for error in errors if error["Element"] == element))
