"""A vendor using Opayo's Server protocol: its notification address, and calls written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from integration.sandbox.opayo import OpayoSandboxConfig
from tests.connectors.opayo_client import Merchant, merchant
from tests.connectors.serving import served

ORDER = [
    "VPSTxId",
    "VendorTxCode",
    "Status",
    "TxAuthNo",
    "@vendor",
    "AVSCV2",
    "@key",
    "AddressResult",
    "PostCodeResult",
    "CV2Result",
    "GiftAid",
    "3DSecureStatus",
    "CAVV",
    "AddressStatus",
    "PayerStatus",
    "CardType",
    "Last4Digits",
    "DeclineCode",
    "ExpiryDate",
    "FraudResponse",
    "BankAuthCode",
    "ACSTransID",
    "DSTransID",
    "SchemeTraceID",
]
RETURN = "https://shop.example/return?ref=1"


class Vendor:
    """A vendor's notification address, answering what it is told to."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.answers: list[tuple[int, str]] = []
        self.default = (200, f"Status=OK\r\nRedirectURL={RETURN}\r\nStatusDetail=thanks\r\n")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        self.received.append(dict(parse_qsl(body.decode("latin-1"), encoding="iso-8859-1")))
        status, text = self.answers.pop(0) if self.answers else self.default
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})


@asynccontextmanager
async def shop_and_vendor(pace: float = 1.0) -> AsyncIterator[tuple[Merchant, Vendor, dict[str, str]]]:
    vendor = Vendor()
    async with served(vendor) as url, merchant(OpayoSandboxConfig(pace=pace)) as shop:
        form = {
            "VPSProtocol": "4.00",
            "TxType": "PAYMENT",
            "Vendor": "sandbox",
            "VendorTxCode": "WEB-1",
            "Amount": "1,234.50",
            "Currency": "GBP",
            "Description": "Goods",
            "NotificationURL": f"{url}/notify?pair=a",
        }
        for side in ("Billing", "Delivery"):
            form |= {f"{side}Surname": "Brontë", f"{side}Firstnames": "Anne", f"{side}Address1": "88"}
            form |= {f"{side}City": "Haworth", f"{side}PostCode": "412", f"{side}Country": "GB"}
        yield shop, vendor, form


async def register(shop: Merchant, form: dict[str, str]) -> dict[str, str]:
    return await call(shop, "vspserver-register", form)


async def call(shop: Merchant, service: str, form: dict[str, str]) -> dict[str, str]:
    answer = await shop.http.post(f"/gateway/service/{service}.vsp", data=form)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.endswith("\r\n")
    return dict(line.split("=", 1) for line in answer.text.split("\r\n") if line)


def signature(fields: dict[str, str], key: str) -> str:
    known = {**fields, "@vendor": "sandbox", "@key": key}
    return hashlib.md5("".join(known.get(name, "") for name in ORDER).encode("latin-1")).hexdigest().upper()


async def state(shop: Merchant, code: str = "WEB-1") -> str | None:
    return (await shop.report("getTransactionDetail", vendortxcode=code)).findtext("txstateid")


CARD = {
    "cardholderName": "SUCCESSFUL",
    "cardNumber": "4929000000006",
    "expiryDate": "1230",
    "securityCode": "123",
}


async def pay(shop: Merchant, registered: dict[str, str], **card: Any) -> dict[str, Any]:
    body = {"vpsTxId": registered["VPSTxId"], **card}
    answer: dict[str, Any] = (await shop.http.post("/_sandbox/server/pay", json=body)).json()
    return answer
