"""The service over HTTP, without its worker, before the stand-ins of the road's tests; two pairs, and all keys."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

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
from service.store.schema import metadata
from service.store.users import NewKey
from service.store.vault import Vault, new_key
from tests.connectors.serving import served
from tests.flow.site import PACE, Site, pair_settings

PAIRS = ("north", "south")
ROLES = ("viewer", "operator", "admin")
CARD = {
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
        switches: what stands behind the addresses of the stand-ins.
        environment: the settings of a command of the same service.
    """

    url: str
    http: httpx.AsyncClient
    keys: dict[str, str]
    site: Site
    switches: dict[str, Switch]
    environment: dict[str, str]

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

    async def card(self, key: str = "north admin", name: str = "SUCCESSFUL") -> dict[str, str]:
        """A session key, and the identifier that the shopper's browser got for a card from Opayo."""
        session = (await self.post("/api/v3/tokens", key=key))["merchantSessionKey"]
        answer = await self.http.post(
            f"{self.site.urls['opayo']}/api/v1/card-identifiers",
            json={"cardDetails": {**CARD, "cardholderName": name}},
            headers={"authorization": f"Bearer {session}"},
        )
        return {"merchantSessionKey": session, "cardIdentifier": answer.json()["cardIdentifier"]}

    async def transaction(self, minor: int, key: str = "north admin", **more: Any) -> dict[str, Any]:
        """The body of a payment with a fresh card identifier."""
        body = {"transactionType": "Payment", "amount": minor, "currency": "GBP", "description": "Hearts"}
        return {**body, **SHOPPER, **await self.card(key, more.pop("name", "SUCCESSFUL")), **more}

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


def free_port() -> int:
    """A port that nobody listens on, for an address that must be known before it is served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Switch:
    """An ASGI application that stands for another, which changes from test to test."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, send)


@dataclass
class Building:
    """What all tests of a run share: the served service, its database with two pairs, and every key."""

    url: str
    engine: AsyncEngine
    vault: Vault
    keys: dict[str, str]
    switches: dict[str, Switch]
    urls: dict[str, str]
    environment: dict[str, str]


@contextlib.asynccontextmanager
async def building(database_url: str, folder: Path) -> AsyncIterator[Building]:
    """The building for the time of a `with` block."""
    vault_key = new_key()
    async with contextlib.AsyncExitStack() as stack:
        switches = {name: Switch() for name in ("opayo", "syspro", "shop")}
        urls = {
            name: await stack.enter_async_context(served(switch, http="httptools"))
            for name, switch in switches.items()
        }
        engine = create_engine(database_url)
        stack.push_async_callback(engine.dispose)
        vault = Vault([vault_key])
        keys = await _furnish(engine, vault, urls)
        configured = Settings(
            data_dir=folder,
            worker=False,
            vault_keys=[SecretStr(vault_key)],
            public_url=f"http://127.0.0.1:{(port := free_port())}",
            pace=PACE,
            subscriber_networks=["127.0.0.1/32"],
        )
        app = create_app(configured, Database(database_url))
        url = await stack.enter_async_context(served(app, port, http="httptools"))
        environment = {
            "DATABASE_URL": database_url,
            "OPAYO_SYSPRO_DATA_DIR": str(folder),
            "OPAYO_SYSPRO_VAULT_KEYS": json.dumps([vault_key]),
        }
        yield Building(url, engine, vault, keys, switches, urls, environment)


async def _furnish(engine: AsyncEngine, vault: Vault, urls: dict[str, str]) -> dict[str, str]:
    """Put in the two pairs, and a key of every role for each pair and for all; gives the keys."""
    keys: dict[str, str] = {}
    async with engine.begin() as connection:
        for pair in PAIRS:
            settings = pair_settings(pair, urls["opayo"], urls["syspro"], urls["shop"])
            await pairs.save(connection, vault, settings)
            await install_templates(connection, pair)
        for pair_of_key, role in itertools.product((*PAIRS, None), ROLES):
            name = f"{pair_of_key or '*'} {role}"
            new = NewKey(name=name, role=role, pair=pair_of_key)
            keys[name] = (await users.create(connection, new))[1]
    return keys


@contextlib.asynccontextmanager
async def office(shared: Building) -> AsyncIterator[Office]:
    """A day in the building: fresh stand-ins, and nothing in the database but pairs, keys, flows and mappings."""
    await _clean(shared.engine)
    opayo = OpayoSandbox(OpayoSandboxConfig(pace=PACE))
    syspro = SysproSandbox(SysproSandboxConfig(settings=SysproRules(idempotency=False)))
    shop = ShopSandbox(ShopSandboxConfig())
    for name, app in (("opayo", opayo.app), ("syspro", syspro.app), ("shop", shop.app)):
        shared.switches[name].app = app
    stages = Stages(
        Surroundings(
            engine=shared.engine,
            vault=shared.vault,
            connect=connect,
            pace=PACE,
            chance=lambda: 0.5,
            private_networks=("127.0.0.1/32",),
        )
    )
    async with httpx.AsyncClient(timeout=20) as http:
        site = Site(opayo, syspro, shop, shared.urls, shared.engine, shared.vault, stages, "north", http)
        yield Office(shared.url, http, {**shared.keys}, site, shared.switches, shared.environment)
        await stages.close()


_KEPT = ("pairs", "secrets", "api_keys", "lanes", "flows", "mappings")


async def _clean(engine: AsyncEngine) -> None:
    gone = ", ".join(name for name in metadata.tables if name not in _KEPT)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {gone}, procrastinate_jobs RESTART IDENTITY CASCADE"))
        await connection.execute(text("UPDATE lanes SET paused = false, reason = ''"))
        for table in ("flows", "mappings"):
            await connection.execute(text(f"DELETE FROM {table} WHERE version > 1"))
            await connection.execute(text(f"UPDATE {table} SET live = true"))
