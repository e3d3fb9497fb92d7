"""An independent client of the e.net face: GETs with everything in the query string, XML, opaque tokens."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from xml.sax.saxutils import escape

import httpx

from integration.sandbox.syspro import SysproSandbox
from tests.connectors.serving import served
from tests.connectors.syspro_client import sandbox

REST = "/SYSPROWCFService/Rest"
LD = (
    '<TransactionPostLD xmlns="http://SYSPROWcfService"><UserId>{token}</UserId>'
    "<BusinessObject>{code}</BusinessObject><XmlParameters><![CDATA[{parameters}]]></XmlParameters>"
    "<XmlIn><![CDATA[{document}]]></XmlIn></TransactionPostLD>"
)


def xml(root: str, **members: Any) -> str:
    """A document of nested mappings; lists repeat their element."""
    return f"<{root}>{_inside(members)}</{root}>"


def _inside(value: Any) -> str:
    if isinstance(value, dict):
        parts = (
            (name, one)
            for name, held in value.items()
            for one in (held if isinstance(held, list) else [held])
        )
        return "".join(f"<{name}>{_inside(one)}</{name}>" for name, one in parts)
    return escape(str(value))


def read(body: bytes) -> ET.Element:
    """Decode as Windows-1252, drop the prolog, parse."""
    text = body.decode("cp1252")
    return ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))


class Client:
    """Sends back whatever token it was given, blanks and all."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.token = ""

    async def get(self, path: str, **params: str) -> httpx.Response:
        answer = await self.http.get(f"{REST}/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer

    async def logon(self, operator: str = "OPAYO1", **other: str) -> str:
        params = {
            "Operator": operator, "OperatorPassword": f"sandbox-{operator[-1]}", "CompanyId": "EDU1",
            "CompanyPassword": "", **other,
        }  # fmt: skip
        body = (await self.get("Logon", **params)).text
        if not body.startswith("ERROR"):
            self.token = body
        return body

    async def text(self, path: str, **params: str) -> str:
        return (await self.get(path, UserId=self.token, **params)).text

    async def query(self, code: str, document: str) -> ET.Element:
        answer = await self.get("Query/Query", UserId=self.token, BusinessObject=code, XmlIn=document)
        return read(answer.content)

    async def send(self, operation: str, code: str, parameters: str, document: str) -> ET.Element:
        answer = await self.get(
            operation, UserId=self.token, BusinessObject=code, XmlParameters=parameters, XmlIn=document
        )
        return read(answer.content)

    async def post(self, code: str, parameters: str, document: str) -> ET.Element:
        return await self.send("Transaction/Post", code, parameters, document)

    async def find(self, table: str, columns: str, *wheres: tuple[str, str, str]) -> list[dict[str, str]]:
        """COMFND with conditions joined by And; the rows, trimmed."""
        listed: dict[str, Any] = {
            "TableName": table, "Columns": {"Column": columns.split()},
            "Where": {"Expression": [{"Column": c, "Condition": o, "Value": v} for c, o, v in wheres]},
        }  # fmt: skip
        return rows(await self.query("COMFND", xml("Query", **listed)))

    async def control(self, method: str, name: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"/_sandbox/{name}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    async def quirk(self, **quirks: object) -> None:
        await self.control("PUT", "quirks", quirks)

    async def fault(self, name: str, path: str = "", body: str = "", **parameters: object) -> None:
        match = {"path": path, "body": body}
        await self.control("POST", "faults", {"fault": name, "match": match, "parameters": parameters})

    async def ledger(self) -> Any:
        return await self.control("GET", "ledger")

    async def books_hold(self) -> None:
        assert (await self.control("GET", "invariants"))["broken"] == []

    async def bearer(self) -> dict[str, str]:
        """Log on to the same company's JSON face, as another operator."""
        body = {
            "Operator": "OPAYO8",
            "OperatorPassword": "sandbox-8",
            "CompanyId": "EDU1",
            "CompanyPassword": "",
        }
        answer = await self.http.post("/api/harmony/2.0/Auth/Logon", json=body)
        return {"Authorization": f"Bearer {answer.json()['UserId']}"}

    async def json_get(self, path: str, **params: str) -> Any:
        """A read over the JSON face."""
        headers = await self.bearer()
        return (await self.http.get(f"/api/harmony/2.0/{path}", params=params, headers=headers)).json()

    async def json_post(self, path: str, body: object) -> Any:
        """A posting over the JSON face."""
        headers = {**await self.bearer(), "Idempotency-Key": uuid.uuid4().hex}
        answer = await self.http.post(f"/api/harmony/2.0/{path}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()


@asynccontextmanager
async def connected(company: SysproSandbox | None = None, *, logon: bool = True) -> AsyncIterator[Client]:
    """Serve a company and hand out a client, logged on as OPAYO1 unless told otherwise."""
    company = company if company is not None else sandbox()
    async with served(company.app) as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
        client = Client(http)
        if logon:
            await client.logon()
            assert client.token
        yield client


def rows(answer: ET.Element) -> list[dict[str, str]]:
    """The rows of a find, trimmed."""
    return [{cell.tag: (cell.text or "").strip() for cell in row} for row in answer.findall("Row")]


def errors(answer: ET.Element) -> list[tuple[str, str]]:
    """Number and text of every error anywhere in a document: what mature clients look for."""
    found: list[tuple[str, str]] = []
    for node in answer.iter():
        said = node.find("ErrorDescription")
        if said is not None and said.text:
            found.append((node.findtext("ErrorNumber", ""), said.text))
    return found


def warnings(answer: ET.Element) -> list[str]:
    """Every warning in a document."""
    return [node.text or "" for node in answer.iter("WarningDescription") if node.text]


def order(po: str = "WEB-1", lines: list[dict[str, str]] | None = None, **header: str) -> str:
    """A sales order of customer 1 with one stock line."""
    line = {
        "CustomerPoLine": "0001", "LineActionType": "A", "StockCode": "A101", "Warehouse": "FG",
        "OrderQty": "2.000", "OrderUom": "EA", "Price": "10.00", "PriceUom": "EA",
    }  # fmt: skip
    head = {
        "CustomerPoNumber": po, "OrderActionType": "A", "Customer": "0000001", "OrderDate": "2025-06-02",
        "RequestedShipDate": "2025-06-04", **header,
    }  # fmt: skip
    stock = [{**line, **one} for one in (lines if lines is not None else [{}])]
    return xml("SalesOrders", Orders={"OrderHeader": head, "OrderDetails": {"StockLine": stock}})


def importing(**parameters: str) -> str:
    return xml("SalesOrders", Parameters={"Process": "IMPORT", "AllocationAction": "A", **parameters})


def payment(value: str = "120.00", **elements: Any) -> str:
    """An unapplied payment of customer 1."""
    body = {
        "Customer": "0000001", "PaymentValue": value, "Reference": "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E",
        "PaymentDate": "2025-06-02", "JournalNotation": "Opayo WEB-1", "PaymentNarration": "6b1f0c7e",
        "Bank": "OC", "PaymentType": "O",
        "UnappliedPayment": {"GrossPaymentValue": value, "CustomerPurchaseOrder": "WEB-1"}, **elements,
    }  # fmt: skip
    kept = {name: element for name, element in body.items() if element is not None}
    return xml("PostArPayment", Item={"Payment": kept})


def parameters(root: str, **values: str) -> str:
    return xml(root, Parameters=values)
