"""What the story of customers does on both sides: people edit, the chore takes its turn, and the books are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from integration.sandbox.syspro.documents import Customer
from service.core.customers import CustomerSettings
from service.flow.customers import keep_in_step
from service.flow.desk import Desk
from service.flow.library import Library
from service.store import alerts, audit, customers, lanes, pairs
from service.store.customers import Link
from tests.flow.site import Site

ADDRESS = {"address_1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA", "country": "GB"}
ON_BOTH = {"sync": True, "create_in_syspro": True}


async def settle(site: Site, **members: Any) -> None:
    """Give the pair its settings for customers, and what new SYSPRO customers need."""
    async with site.engine.begin() as connection:
        settings = await pairs.load(connection, site.vault, site.pair)
        assert settings is not None
        settings.customers = msgspec.convert(members, CustomerSettings)
        settings.defaults = {**settings.defaults, "salesperson": "100", "invoice_terms": "00"}
        await pairs.save(connection, site.vault, settings)
    site.stages.forget(site.pair)


async def turn(site: Site) -> dict[str, object]:
    """One turn of the chore, by the holder of the posting lane."""
    async with site.engine.begin() as connection:
        held = await lanes.take(connection, f"{site.pair}/post/OPAYO1")
    assert held is not None
    return await keep_in_step(await site.stages.of(held))


async def register(site: Site, email: str, **members: Any) -> int:
    """A shopper makes an account in the shop; gives its number."""
    person = {"first_name": "Jane", "last_name": "Smith", "billing": ADDRESS} | members
    body = {"customers": [{"email": email, **person}]}
    answer = await site.http.post(f"{site.urls['shop']}/_sandbox/customers", json=body)
    answer.raise_for_status()
    number: int = answer.json()["customers"][0]
    return number


async def edit_account(site: Site, number: int, **members: Any) -> None:
    """A shopper edits the account."""
    answer = await site.http.put(f"{site.urls['shop']}/_sandbox/customers/{number}", json=members)
    answer.raise_for_status()


async def accounts(site: Site) -> list[dict[str, Any]]:
    """Every account of the shop."""
    answer = await site.http.get(f"{site.urls['shop']}/_sandbox/customers")
    found: list[dict[str, Any]] = answer.json()["customers"]
    return found


def seed(site: Site, code: str, **columns: str) -> None:
    """A clerk sets a customer up in SYSPRO."""
    site.syspro.store.add_customer(code, **columns)
    site.syspro.store.settle()


def edit_customer(site: Site, code: str, **columns: str) -> None:
    """A clerk edits a customer in SYSPRO."""
    store = site.syspro.store
    known = {name: value for name, value in columns.items() if name in Customer.__struct_fields__}
    kept = in_syspro(site, code)
    others = {**kept.others, **{name: value for name, value in columns.items() if name not in known}}
    store.customers.put(kept.Customer, msgspec.structs.replace(kept, others=others, **known))


def in_syspro(site: Site, code: str) -> Customer:
    """A SYSPRO customer as the company holds it."""
    found = site.syspro.store.customers.get(site.syspro.store.customer_key(code))
    assert found is not None, code
    return found


def of_email(site: Site, email: str) -> list[Customer]:
    """The SYSPRO customers of an address."""
    return [each for each in site.syspro.store.customers if each.Email.casefold() == email.casefold()]


async def link_of(site: Site, number: int | str) -> Link | None:
    """The link of an account."""
    async with site.engine.connect() as connection:
        return await customers.of_shop(connection, site.pair, str(number))


async def told(site: Site, code: str) -> list[str]:
    """What open alerts of a code are about."""
    async with site.engine.connect() as connection:
        return sorted(await alerts.open_of(connection, site.pair, code))


async def lines(site: Site, action: str) -> list[dict[str, Any]]:
    """What the audit trail says of an action, oldest first."""
    async with site.engine.connect() as connection:
        found = await audit.after(connection, site.pair, 0, 1000)
    return [line for line in found if line["action"] == action]


async def lose(site: Site, fault: str, times: int = 1) -> None:
    """Have answers to a new customer lost, on either transport."""
    where = "/setup/add" if "SYSPROWCFService" in (await base(site)) else "/Customer"
    method = "" if "setup" in where else "POST"
    await site.fault("syspro", fault, times, path=where, **({"method": method} if method else {}))


async def base(site: Site) -> str:
    """The address under which the pair reaches SYSPRO."""
    settings, _ = await site.stages.connections(site.pair)
    return settings.syspro.base_url


@asynccontextmanager
async def at(site: Site, actor: str = "Ada", note: str = "she rang") -> AsyncIterator[Desk]:
    """The desk at which somebody decides."""
    settings, _ = await site.stages.connections(site.pair)
    async with site.engine.begin() as connection:
        yield Desk(
            connection=connection,
            pair=settings,
            library=Library(),
            now=site.stages.shared.clock(),
            actor=actor,
            note=note,
        )


async def quiet(north: Site) -> bool:
    """Whether a turn has nothing to write on either side."""
    before = [account["writes"] for account in await accounts(north)]
    outcome = await turn(north)
    return before == [account["writes"] for account in await accounts(north)] and not outcome.get(
        "fields_written"
    )
