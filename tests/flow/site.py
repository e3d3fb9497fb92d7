"""A site for tests of the road: three real stand-ins, a real database, and one pair that joins them.

Lanes are worked by calling their job directly, so that a test decides when; waits are divided by 600.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.sandbox.ecommerce import ShopSandbox, ShopSandboxConfig
from integration.sandbox.opayo import OpayoSandbox, OpayoSandboxConfig
from integration.sandbox.syspro import SysproSandbox, SysproSandboxConfig
from integration.sandbox.syspro.config import Settings as SysproRules
from service.app import connect
from service.flow.library import install_templates
from service.flow.stages import Stages, Surroundings
from service.jobs.lane import Pace, advance_lane
from service.store import audit, lanes, pairs, payment_views, payments
from service.store.database import create_engine
from service.store.inbox import Accepted, Delivery, store
from service.store.pairs import PairSettings
from service.store.payments import Payment
from service.store.vault import Vault, new_key
from tests.connectors.serving import served

PACE = 600
PATHS = {"harmony": "/api/harmony/2.0", "enet": "/SYSPROWCFService/Rest"}
CUSTOMER = "0000001"


def pair_settings(pair: str, opayo: str, syspro: str, shop: str | None) -> PairSettings:
    """A pair that joins the three stand-ins; one operator, answers expected within a second."""
    document = {
        "pair": pair,
        "name": f"Pair {pair}",
        "vendor": "sandbox",
        "opayo": {
            "pi_url": f"{opayo}/api/v1",
            "reporting_url": f"{opayo}/access/access.htm",
            "gateway_url": f"{opayo}/gateway/service",
            "integration_key": "sandbox-integration-key",
            "integration_password": "sandbox-integration-password",
            "reporting_user": "reports",
            "reporting_password": "S3cret-Pw",
            "webhook_secrets": ["whsec_test_0123456789"],
            "timeout_seconds": 1.0,
            "read_seconds": 1.0,
        },
        "syspro": {
            "base_url": f"{syspro}/api/harmony/2.0",
            "company_id": "EDU1",
            "operators": [{"operator": "OPAYO1", "password": "sandbox-1"}],
            "query_seconds": 1.0,
            "post_seconds": 1.0,
        },
        "shop": None
        if shop is None
        else {
            "kind": "woocommerce",
            "base_url": shop,
            "key": ShopSandboxConfig().consumer_key,
            "secret": ShopSandboxConfig().consumer_secret,
            "webhook_secret": "whsec_shop_0123456789",
        },
        "currencies": ["GBP", "EUR"],
        "defaults": {
            "customer": CUSTOMER,
            "warehouse": "FG",
            "branch": "10",
            "bank": "OC",
            "order_uom": "EA",
            "product_class": "_OTH",
        },
        "order_wait_minutes": 1,
    }
    return msgspec.convert(document, PairSettings)


def over(settings: PairSettings, transport: Literal["harmony", "enet"], syspro: str) -> PairSettings:
    """The pair with SYSPRO's address for a transport."""
    address = f"{syspro}{PATHS[transport]}"
    changed = msgspec.structs.replace(settings.syspro, transport=transport, base_url=address)
    return msgspec.structs.replace(settings, syspro=changed)


@dataclass
class Site:
    """The stand-ins, the stages of one process, and what a test does with them."""

    opayo: OpayoSandbox
    syspro: SysproSandbox
    shop: ShopSandbox
    urls: dict[str, str]
    engine: AsyncEngine
    vault: Vault
    stages: Stages
    pair: str
    http: httpx.AsyncClient
    _events: int = field(default=0)

    async def order(self, code: str, pounds: str, **changes: Any) -> None:
        """Put an order of one stock line, paid by a vendor transaction code, into the shop."""
        address = {
            "first_name": "Jane",
            "last_name": "Smith",
            "address_1": "1 High Street",
            "city": "Leeds",
            "postcode": "LS1 1AA",
            "country": "GB",
        }
        line = {
            "kind": "stock",
            "stock_code": "A100",
            "description": "Widget",
            "quantity": 1,
            "net": pounds,
            "tax": "0.00",
        }
        order = {
            "payment_reference": code,
            "customer_id": int(CUSTOMER),
            "currency": "GBP",
            "placed_at": "2025-06-02T09:00:00Z",
            "billing": {**address, "email": "jane@example.org"},
            "shipping": address,
            "lines": [line],
        } | changes
        answer = await self.http.post(f"{self.urls['shop']}/_sandbox/orders", json={"orders": [order]})
        answer.raise_for_status()

    async def pay(self, code: str, minor: int, **changes: Any) -> dict[str, Any]:
        """Take a payment at Opayo; gives its reply."""
        body = {"vendorTxCode": code, "amount": minor, "currency": "GBP", "description": "Order"} | changes
        answer = await self.http.post(f"{self.urls['opayo']}/_sandbox/pay", json=body)
        answer.raise_for_status()
        paid: dict[str, Any] = answer.json()
        return paid

    async def deliver(self, paid: dict[str, Any], code: str, **changes: str) -> Accepted:
        """Store an event about a transaction, as the webhook's handler does."""
        self._events += 1
        members = {
            "pair": self.pair,
            "source": "webhook",
            "event_id": f"evt_{self._events}",
            "kind": "payment.authorised",
            "transaction_id": paid["transactionId"],
            "vendor_tx_code": code,
        } | changes
        async with self.engine.begin() as connection:
            return (await store(connection, [Delivery(**members, body=b"{}")]))[0]

    async def sale(self, code: str, minor: int, **changes: Any) -> dict[str, Any]:
        """An order in the shop, paid at Opayo, and its event in the inbox."""
        await self.order(code, f"{minor // 100}.{minor % 100:02d}", **changes)
        paid = await self.pay(code, minor)
        await self.deliver(paid, code)
        return paid

    async def walk(self) -> None:
        """Work every lane of the pair until nothing is due soon; twice, since lanes feed each other."""
        async with self.engine.connect() as connection:
            names = sorted(await lanes.names(connection, pair=self.pair), reverse=True)
        for lane in [*names, *names]:
            await advance_lane(self.stages, lane, Pace(batch=50, linger_seconds=0))

    async def payment(self, code: str) -> Payment:
        """The payment of a vendor transaction code as it is in the database now."""
        async with self.engine.connect() as connection:
            rows = await payment_views.listed(
                connection, self.pair, {"vendor_tx_code": code}, before=0, limit=2
            )
            assert len(rows) == 1, f"{len(rows)} payments for {code}"
            found = await payments.one(connection, self.pair, int(str(rows[0]["payment_id"])))
        assert found is not None
        return found

    async def actions(self, code: str) -> list[str]:
        """What happened to a payment, in order."""
        payment = await self.payment(code)
        async with self.engine.connect() as connection:
            return [
                str(line["action"])
                for line in await audit.timeline(connection, self.pair, payment.payment_id)
            ]

    async def ledger(self) -> dict[str, Any]:
        """SYSPRO's own view of its documents."""
        answer = await self.http.get(f"{self.urls['syspro']}/_sandbox/ledger")
        ledger: dict[str, Any] = answer.json()
        return ledger

    async def ar_payments(self, code: str) -> list[int]:
        """The AR payments SYSPRO holds for a payment, in minor units."""
        return [
            row["minor"]
            for row in (await self.ledger())["ar_payments"]
            if row["CustomerPurchaseOrder"] == code
        ]

    async def sales_orders(self, code: str) -> list[str]:
        """The live orders SYSPRO holds for a payment, by their numbers."""
        return [
            row["SalesOrder"]
            for row in (await self.ledger())["sales_orders"]
            if row["CustomerPoNumber"] == code
        ]

    async def fault(self, system: str, fault: str, times: int = 1, **match: str) -> None:
        """Order a fault of one of the stand-ins."""
        answer = await self.http.post(
            f"{self.urls[system]}/_sandbox/faults",
            json={"fault": fault, "times": times, "match": match},
        )
        answer.raise_for_status()


@contextlib.asynccontextmanager
async def site(
    database_url: str,
    *,
    pair: str = "north",
    idempotency: bool = False,
    shop: bool = True,
    transport: Literal["harmony", "enet"] = "harmony",
) -> AsyncIterator[Site]:
    """A site for the time of a `with` block. SYSPRO keeps no idempotency keys unless a test asks for it."""
    opayo = OpayoSandbox(OpayoSandboxConfig(pace=PACE))
    syspro = SysproSandbox(SysproSandboxConfig(settings=SysproRules(idempotency=idempotency)))
    storefront = ShopSandbox(ShopSandboxConfig())
    async with contextlib.AsyncExitStack() as stack:
        urls = {
            name: await stack.enter_async_context(served(app))
            for name, app in (("opayo", opayo.app), ("syspro", syspro.app), ("shop", storefront.app))
        }
        engine = create_engine(database_url)
        stack.push_async_callback(engine.dispose)
        vault = Vault([new_key()])
        async with engine.begin() as connection:
            settings = pair_settings(pair, urls["opayo"], urls["syspro"], urls["shop"] if shop else None)
            settings = over(settings, transport, urls["syspro"])
            await pairs.save(connection, vault, settings)
            await install_templates(connection, pair)
        stages = Stages(
            Surroundings(engine=engine, vault=vault, connect=connect, pace=PACE, chance=lambda: 0.5)
        )
        stack.push_async_callback(stages.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        yield Site(opayo, syspro, storefront, urls, engine, vault, stages, pair, http)
