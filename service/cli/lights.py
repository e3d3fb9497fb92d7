"""The lights of `opayo-syspro doctor`: what is asked of each system, and what a red light means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.errors import IntegrationError, Misconfigured
from integration.ports import ERP, CompanyProfile
from service.flow.connections import Connect, Connections
from service.settings import Settings
from service.store import pairs
from service.store.pairs import PairSettings
from service.store.vault import Vault

# Nobody stocks it: the answer that there is no such item proves that items can be read.
_PROBE = "OPAYO-DOCTOR"


class Light(Struct, frozen=True, kw_only=True):
    """One light.

    Attributes:
        found: what was found, in a sentence's half.
        advice: what to do about it; empty when it is green.
    """

    pair: str
    name: str
    green: bool
    found: str
    advice: str = ""


class Practice(Struct, frozen=True, kw_only=True):
    """What the doctor works with."""

    settings: Settings
    engine: AsyncEngine
    vault: Vault
    connect: Connect


Probe = Callable[[], Awaitable[str]]


async def examine(practice: Practice, only: str | None) -> list[Light]:
    """Every light of every pair, or of one."""
    async with practice.engine.connect() as connection:
        version = str(await connection.scalar(text("SHOW server_version")))
        names = [name for name in await pairs.names(connection) if only in (None, name)]
    lights = [Light(pair="", name="database", green=True, found=f"PostgreSQL {version}")]
    if not names:
        advice = "Save one with PUT /api/v1/pairs/{pair}, or set OPAYO_SYSPRO_PAIR for the first start."
        what = f"no pair `{only}`" if only else "no pair is configured"
        lights.append(Light(pair=only or "", name="pairs", green=False, found=what, advice=advice))
    for name in names:
        lights += await _pair(practice, name)
    return lights


async def _pair(practice: Practice, name: str) -> list[Light]:
    try:
        async with practice.engine.connect() as connection:
            settings = await pairs.load(connection, practice.vault, name)
        if settings is None:
            raise Misconfigured(f"There is no pair `{name}`", code="pair.unknown")
        connections = practice.connect(settings)
    except IntegrationError as error:
        return [_red(name, "settings and vault", error)]
    lights = [Light(pair=name, name="settings and vault", green=True, found="read, and the vault opens them")]
    lights += await _opayo(settings, connections)
    lights += await _syspro(settings, connections)
    lights += await _shop(settings, connections)
    lights.append(_public_url(practice.settings, name))
    await connections.gateway.close()
    return lights


async def _opayo(settings: PairSettings, connections: Connections) -> list[Light]:
    async def pi() -> str:
        await connections.gateway.ping()
        return f"a session key for vendor {settings.vendor}"

    async def reporting() -> str:
        await connections.gateway.ping_reporting()
        return "it answers look-ups"

    name, secrets = settings.pair, settings.opayo.webhook_secrets
    return [
        await _light(name, "Opayo Pi", pi),
        await _light(name, "Opayo Reporting", reporting),
        Light(
            pair=name,
            name="webhook secret",
            green=any(secrets),
            found=f"{len(secrets)} set" if any(secrets) else "none is set",
            advice="" if any(secrets) else "Set `opayo.webhook_secrets`: unsigned events are refused.",
        ),
    ]


async def _syspro(settings: PairSettings, connections: Connections) -> list[Light]:
    lights: list[Light] = []
    for operator in settings.syspro.operators:
        session = connections.erp(operator)
        seen: list[CompanyProfile] = []

        async def log_on(session: ERP = session, seen: list[CompanyProfile] = seen) -> str:
            profile = await session.profile()
            seen.append(profile)
            return f"company {profile.company}, {profile.local_currency or 'currency not told'}"

        try:
            lights.append(await _light(settings.pair, f"SYSPRO logon {operator.operator}", log_on))
            # What the first operator reads, the others read as well.
            if seen and operator is settings.syspro.operators[0]:
                lights += await _company(settings, session, seen[0])
        finally:
            await _leave(session)
    return lights


async def _company(settings: PairSettings, session: ERP, profile: CompanyProfile) -> list[Light]:
    name, defaults = settings.pair, settings.defaults

    async def customer() -> str:
        code = defaults.get("customer", "")
        if not code:
            return "no default customer: each order names its own"
        found = await session.customer(code)
        if found is None:
            raise Misconfigured(
                f"SYSPRO does not know the default customer `{code}`",
                code="pair.customer",
                hint="Create the customer in SYSPRO or correct `defaults.customer`.",
            )
        return f"{found.customer} {found.name}"

    async def stock() -> str:
        code = defaults.get("probe_stock_code", _PROBE)
        found = await session.stock_item(code)
        return "stock items can be read" if found is None else f"{found.stock_code} {found.description}"

    return [
        await _light(name, "default customer", customer),
        _known(name, "warehouse", defaults.get("warehouse") or profile.default_warehouse),
        _known(name, "bank", defaults.get("bank") or profile.default_bank),
        await _light(name, "stock", stock),
    ]


def _known(pair: str, name: str, value: str) -> Light:
    return Light(
        pair=pair,
        name=name,
        green=bool(value),
        found=value or "neither the pair nor the operator has one",
        advice="" if value else f"Set `defaults.{name}` of the pair.",
    )


async def _shop(settings: PairSettings, connections: Connections) -> list[Light]:
    storefront = connections.storefront
    if storefront is None:
        return [Light(pair=settings.pair, name="shop", green=True, found="the pair has none")]

    async def ping() -> str:
        await storefront.ping()
        return str(settings.shop.base_url) if settings.shop else ""

    light = await _light(settings.pair, "shop", ping)
    await storefront.close()
    return [light]


def _public_url(settings: Settings, pair: str) -> Light:
    address = urlsplit(settings.public_url)
    if not settings.public_url:
        found, advice = "not set", "Set OPAYO_SYSPRO_PUBLIC_URL if this pair takes hosted payments."
    elif address.scheme == "https" or address.hostname in ("127.0.0.1", "localhost"):
        found, advice = settings.public_url, ""
    else:
        found, advice = settings.public_url, "Opayo notifies over HTTPS only: put a proxy in front."
    return Light(pair=pair, name="public URL", green=not advice, found=found, advice=advice)


async def _light(pair: str, name: str, probe: Probe) -> Light:
    try:
        return Light(pair=pair, name=name, green=True, found=await probe())
    except IntegrationError as error:
        return _red(pair, name, error)
    except Exception as error:  # noqa: BLE001 - a defect behind one light must not put out the others
        return Light(
            pair=pair,
            name=name,
            green=False,
            found=f"the check failed: {type(error).__name__}",
            advice="Report it with the version.",
        )


def _red(pair: str, name: str, error: IntegrationError) -> Light:
    return Light(pair=pair, name=name, green=False, found=error.title, advice=error.advice)


async def _leave(session: ERP) -> None:
    try:
        await session.close()
    except IntegrationError:
        return  # the licence seat is given back by SYSPRO's own time-out
