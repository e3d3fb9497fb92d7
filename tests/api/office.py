"""The service over HTTP, without its worker, before the stand-ins of the road's tests; two pairs, and all keys."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Table, text

from integration.sandbox.ecommerce import ShopSandbox, ShopSandboxConfig
from integration.sandbox.opayo import OpayoSandbox, OpayoSandboxConfig
from integration.sandbox.syspro import SysproSandbox, SysproSandboxConfig
from integration.sandbox.syspro.config import Settings as SysproRules
from service.app import connect, create_app
from service.flow.library import install_templates
from service.flow.stages import Stages, Surroundings
from service.settings import Settings
from service.store import pairs, users
from service.store.database import Database, create_engine
from service.store.users import NewKey
from service.store.vault import Vault, new_key
from tests.connectors.serving import served
from tests.flow.site import PACE, Site, pair_settings

PAIRS = ("north", "south")
ROLES = ("viewer", "operator", "admin")
CARD = {
    "cardholderName": "SUCCESSFUL",
    "cardNumber": "4929000000006",
    "expiryDate": "1235",
    "securityCode": "123",
}
SHOPPER = {
    "customer": {"firstName": "Ada", "lastName": "King", "email": "ada@shop.example"},
    "billingAddress": {"address1": "88", "city": "Leeds", "postalCode": "412", "country": "GB"},
}


@dataclass
class Office:
    """The served service, its keys, and the road behind it.

    Attributes:
        keys: by `pair role`; `* admin` is for every pair.
        site: north's road and the stand-ins that both pairs use.
    """

    url: str
    http: httpx.AsyncClient
    keys: dict[str, str]
    site: Site

    async def call(self, method: str, path: str, key: str = "north admin", **more: Any) -> httpx.Response:
        """Call a route; a path without a leading slash is below north's."""
        headers = {"x-api-key": self.keys[key], **more.pop("headers", {})}
        where = path if path.startswith("/") else f"/api/v1/pairs/north/{path}"
        return await self.http.request(method, f"{self.url}{where}", headers=headers, **more)

    async def get(self, path: str, key: str = "north admin", **more: Any) -> Any:
        """What a route answers, which must be a success."""
        answer = await self.call("GET", path, key, **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str, body: object = None, key: str = "north admin", **more: Any) -> Any:
        """What a POST answers, which must be a success."""
        answer = await self.call("POST", path, key, json={} if body is None else body, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def card(self, key: str = "north admin") -> dict[str, str]:
        """A session key, and the identifier that the shopper's browser got for a card from Opayo."""
        session = (await self.post("/api/v3/tokens", key=key))["merchantSessionKey"]
        answer = await self.http.post(
            f"{self.site.urls['opayo']}/api/v1/card-identifiers",
            json={"cardDetails": CARD},
            headers={"authorization": f"Bearer {session}"},
        )
        return {"merchantSessionKey": session, "cardIdentifier": answer.json()["cardIdentifier"]}

    async def transaction(self, minor: int, key: str = "north admin", **more: Any) -> dict[str, Any]:
        """The body of a payment with a fresh card identifier."""
        body = {"transactionType": "Payment", "amount": minor, "currency": "GBP", "description": "Hearts"}
        return {**body, **SHOPPER, **await self.card(key), **more}

    async def paid(self, minor: int, key: str = "north admin", **more: Any) -> dict[str, Any]:
        """A payment that was taken."""
        body = await self.transaction(minor, key, **more)
        taken: dict[str, Any] = await self.post("/api/v3/transactions", body, key)
        return taken

    async def rows(self, table: Table, pair: str | None = "north") -> list[dict[str, Any]]:
        """Rows of a table as they are in the database now."""
        where = "" if pair is None else f" WHERE pair = '{pair}'"
        async with self.site.engine.connect() as connection:
            found = await connection.execute(text(f"SELECT * FROM {table.name}{where}"))
            return [dict(row) for row in found.mappings()]


@contextlib.asynccontextmanager
async def office(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Office]:
    """The office for the time of a `with` block."""
    opayo = OpayoSandbox(OpayoSandboxConfig(pace=PACE))
    syspro = SysproSandbox(SysproSandboxConfig(settings=SysproRules(idempotency=False)))
    shop = ShopSandbox(ShopSandboxConfig())
    vault_key = new_key()
    async with contextlib.AsyncExitStack() as stack:
        urls = {
            name: await stack.enter_async_context(served(app))
            for name, app in (("opayo", opayo.app), ("syspro", syspro.app), ("shop", shop.app))
        }
        engine = create_engine(database_url)
        stack.push_async_callback(engine.dispose)
        vault, keys = Vault([vault_key]), dict[str, str]()
        async with engine.begin() as connection:
            for pair in PAIRS:
                await pairs.save(
                    connection, vault, pair_settings(pair, urls["opayo"], urls["syspro"], urls["shop"])
                )
                await install_templates(connection, pair)
            for pair in (*PAIRS, None):
                for role in ROLES:
                    new = NewKey(name=f"{pair or 'every'} {role}", role=role, pair=pair)
                    keys[f"{pair or '*'} {role}"] = (await users.create(connection, new))[1]
        stages = Stages(
            Surroundings(engine=engine, vault=vault, connect=connect, pace=PACE, chance=lambda: 0.5)
        )
        stack.push_async_callback(stages.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=20))
        configured = Settings(
            data_dir=folder,
            worker=False,
            vault_keys=[SecretStr(vault_key)],
            **{"public_url": "https://pay.shop.example", **settings},
        )
        url = await stack.enter_async_context(served(create_app(configured, Database(database_url))))
        site = Site(opayo, syspro, shop, urls, engine, vault, stages, "north", http)
        yield Office(url, http, keys, site)
