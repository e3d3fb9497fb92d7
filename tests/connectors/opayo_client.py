"""A hand-written client of Opayo's wire, independent of both the connector and the stand-in."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from xml.etree import ElementTree as ET

import httpx

from integration.sandbox.opayo import OpayoSandbox, OpayoSandboxConfig
from tests.connectors.serving import served

BILLING = {"address1": "88", "city": "London", "postalCode": "412", "country": "GB"}
SCA = {
    "notificationURL": "https://shop.example/3ds",
    "browserIP": "203.0.113.9",
    "browserAcceptHeader": "text/html",
    "browserJavascriptEnabled": False,
    "browserLanguage": "en-GB",
    "browserUserAgent": "test",
    "challengeWindowSize": "Small",
    "transType": "GoodsAndServicePurchase",
}


class Merchant:
    """A merchant's server and its shopper's browser against one stand-in."""

    def __init__(self, http: httpx.AsyncClient, sandbox: OpayoSandbox, strict: bool = False) -> None:
        self.http = http
        self.sandbox = sandbox
        config = sandbox.config
        self.vendor = config.strict_vendor if strict else config.vendor
        self.auth = (config.integration_key + ("EC" if strict else ""), config.integration_password)

    async def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return await self.http.post(f"/api/v1/{path}", json=body, auth=self.auth, **more)

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(f"/api/v1/{path}", auth=self.auth)

    async def session(self) -> str:
        answer = await self.post("merchant-session-keys", {"vendorName": self.vendor})
        assert answer.status_code == 201
        return str(answer.json()["merchantSessionKey"])

    async def card(self, session: str, number: str, name: str, cv2: str = "123") -> httpx.Response:
        details = {"cardholderName": name, "cardNumber": number, "expiryDate": "1235", "securityCode": cv2}
        headers = {"Authorization": f"Bearer {session}"}
        return await self.http.post(
            "/api/v1/card-identifiers", json={"cardDetails": details}, headers=headers
        )

    async def sale_body(
        self, code: str, amount: int, number: str = "4929000000006", name: str = "SUCCESSFUL", **more: Any
    ) -> dict[str, Any]:
        session = await self.session()
        identifier = (await self.card(session, number, name)).json()["cardIdentifier"]
        card = {"merchantSessionKey": session, "cardIdentifier": identifier, **more.pop("card", {})}
        return {
            "transactionType": "Payment",
            "vendorTxCode": code,
            "amount": amount,
            "currency": "GBP",
            "description": "Goods",
            "customerFirstName": "Ada",
            "customerLastName": "Byron",
            "billingAddress": BILLING,
            "paymentMethod": {"card": card},
            **more,
        }

    async def sell(self, code: str, amount: int = 1999, **more: Any) -> httpx.Response:
        return await self.post("transactions", await self.sale_body(code, amount, **more))

    async def follow(self, kind: str, code: str, amount: int, reference: str, **more: Any) -> httpx.Response:
        body = {"transactionType": kind, "vendorTxCode": code, "amount": amount, "description": "Follow"}
        return await self.post("transactions", {**body, "referenceTransactionId": reference, **more})

    async def instruct(self, identifier: str, kind: str, **more: Any) -> httpx.Response:
        return await self.post(f"transactions/{identifier}/instructions", {"instructionType": kind, **more})

    async def report(self, command: str, algorithm: str = "md5", **parameters: str) -> ET.Element:
        config = self.sandbox.config
        fields = {"command": command, "vendor": self.vendor, "user": config.reporting_user, **parameters}
        if algorithm == "sha256":
            fields["algorithm"] = "sha256"
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        signed = f"{inner}<password>{config.reporting_password}</password>"
        signature = hashlib.new(algorithm, signed.encode()).hexdigest()
        xml = f"<vspaccess>{inner}<signature>{signature}</signature></vspaccess>"
        answer = await self.http.post("/access/access.htm", data={"XML": xml})
        assert answer.status_code == 200
        return ET.fromstring(answer.content)

    async def ledger(self) -> dict[str, dict[str, Any]]:
        rows = (await self.http.get("/_sandbox/ledger")).json()["transactions"]
        return {row["vendorTxCode"]: row for row in rows}


@asynccontextmanager
async def merchant(config: OpayoSandboxConfig | None = None, strict: bool = False) -> AsyncIterator[Merchant]:
    sandbox = OpayoSandbox(config)
    async with (
        served(sandbox.app) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=10, verify=False) as http,
    ):
        yield Merchant(http, sandbox, strict)
