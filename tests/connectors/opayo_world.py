"""Opayo's stand-in with our gateway before it, a shopper's browser, and faults to order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec

from integration.canonical.money import Money
from integration.canonical.party import Party, PostalAddress
from integration.canonical.payment import GatewayTransaction
from integration.opayo.client import OpayoGateway
from integration.opayo.config import OpayoConfig
from integration.ports import Challenge, HostedPayment, PaymentRequest, RelatedRequest
from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.sandbox.opayo import OpayoSandbox
from tests.connectors.serving import served

ADA = Party(first_name="Ada", last_name="King", email="ada@shop.example", phone="+442079460000")
HOME = PostalAddress(lines=("88 High Street",), city="Leeds", postcode="LS1 4AB", country="GB")
SCA = {
    "strongCustomerAuthentication": {
        "notificationURL": "https://shop.example/3ds",
        "browserIP": "203.0.113.7",
        "browserAcceptHeader": "text/html",
        "browserJavascriptEnabled": False,
        "browserLanguage": "en-GB",
        "browserUserAgent": "Mozilla/5.0",
        "challengeWindowSize": "Small",
        "transType": "GoodsAndServicePurchase",
    },
    "apply3DSecure": "Force",
}


class World:
    def __init__(self, sandbox: OpayoSandbox, base: str, gateway: OpayoGateway) -> None:
        self.sandbox = sandbox
        self.base = base
        self.gateway = gateway

    async def card(self, number: str = "4929000000006", name: str = "SUCCESSFUL") -> tuple[str, str]:
        """What the shopper's browser does: card details go to Opayo and never to us."""
        key = (await self.gateway.session_key()).merchant_session_key
        details = {"cardholderName": name, "cardNumber": number, "expiryDate": "1235", "securityCode": "123"}
        async with httpx.AsyncClient() as browser:
            answer = await browser.post(
                f"{self.base}/api/v1/card-identifiers",
                json={"cardDetails": details},
                headers={"authorization": f"Bearer {key}"},
            )
        return key, answer.json()["cardIdentifier"]

    async def request(self, code: str, minor: int = 12_995, **changes: object) -> PaymentRequest:
        number = str(changes.pop("number", "4929000000006"))
        key, identifier = await self.card(number, str(changes.pop("name", "SUCCESSFUL")))
        request = PaymentRequest(
            kind="payment",
            vendor_tx_code=code,
            amount=Money(minor, "GBP"),
            description="Six white hearts",
            merchant_session_key=key,
            card_identifier=identifier,
            customer=ADA,
            billing=HOME,
        )
        return msgspec.structs.replace(request, **changes)

    async def pay(self, code: str, minor: int = 12_995, **changes: object) -> GatewayTransaction:
        taken = await self.gateway.pay(await self.request(code, minor, **changes))
        assert isinstance(taken, GatewayTransaction)
        return taken

    def fault(self, name: str, path: str, times: int = 1, **parameters: int) -> None:
        match = FaultMatch(path=path)
        self.sandbox.plan.order(FaultOrder(name, times=times, match=match, parameters=dict(parameters)))

    def stored(self, code: str) -> int:
        return sum(row.code == code for row in self.sandbox.parts.store.transactions.values())


def config(base: str, **changes: object) -> OpayoConfig:
    plain = OpayoConfig(
        vendor="sandbox",
        integration_key="sandbox-integration-key",
        integration_password="sandbox-integration-password",
        pi_url=f"{base}/api/v1",
        reporting_url=f"{base}/access/access.htm",
        service_url=f"{base}/gateway/service",
        reporting_user="reports",
        reporting_password="S3cret-Pw",
        timeout=1.0,
        read_timeout=1.0,
    )
    return msgspec.structs.replace(plain, **changes)


@asynccontextmanager
async def opayo(**changes: object) -> AsyncIterator[World]:
    sandbox = OpayoSandbox()
    async with served(sandbox.app) as base:
        gateway = OpayoGateway(config(base, **changes))
        try:
            yield World(sandbox, base, gateway)
        finally:
            await gateway.close()


def refund(original: GatewayTransaction, code: str, minor: int) -> RelatedRequest:
    return RelatedRequest(
        kind="refund",
        vendor_tx_code=code,
        related_transaction_id=original.transaction_id,
        amount=Money(minor, "GBP"),
        description="One heart came broken",
    )


def hosted(code: str, minor: int = 2_500) -> HostedPayment:
    return HostedPayment(
        kind="payment",
        vendor_tx_code=code,
        amount=Money(minor, "GBP"),
        description="Café crème ☕",
        notification_url="https://service.example/opayo/notify?pair=uk",
        customer=Party(first_name="Zoë", last_name="Łukasz", email="zoe@shop.example"),
        billing=HOME,
        delivery=HOME,
    )


async def bank_says(challenge: Challenge, password: str) -> str:
    async with httpx.AsyncClient() as browser:
        form = {"creq": challenge.creq, "password": password}
        page = (await browser.post(challenge.acs_url, data=form)).text
    return page.split('name="cres" value="')[1].split('"')[0]
