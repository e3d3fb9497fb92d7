"""A pair's secrets: taken out of what is stored in the open, and put back where they belong."""

from __future__ import annotations

import msgspec
from msgspec import structs
from sqlalchemy import select

from service.store import pairs
from service.store.database import create_engine
from service.store.pairs import Operator
from service.store.tables import pairs as pair_rows
from service.store.vault import Vault, new_key
from tests.flow.site import pair_settings

SECRETS = ("sandbox-integration-password", "S3cret-Pw", "whsec_test_0123456789", "sandbox-1", "cs_sandbox_")


async def test_nothing_secret_is_stored_in_the_open_and_everything_comes_back(database_url: str) -> None:
    engine, vault = create_engine(database_url), Vault([new_key()])
    settings = pair_settings("north", "http://a", "http://b", "http://c")
    async with engine.begin() as connection:
        await pairs.save(connection, vault, settings)
        stored = msgspec.json.encode(await connection.scalar(select(pair_rows.c.settings))).decode()
        loaded = await pairs.load(connection, vault, "north")
    await engine.dispose()

    assert [secret for secret in SECRETS if secret in stored] == []
    assert loaded == settings


async def test_an_empty_secret_keeps_the_stored_one(database_url: str) -> None:
    engine, vault = create_engine(database_url), Vault([new_key()])
    settings = pair_settings("north", "http://a", "http://b", "http://c")
    async with engine.begin() as connection:
        await pairs.save(connection, vault, settings)
        changed = msgspec.convert(msgspec.to_builtins(settings), pairs.PairSettings)
        changed.name, changed.opayo.integration_password = "Renamed", ""
        await pairs.save(connection, vault, changed)
        loaded = await pairs.load(connection, vault, "north")
    await engine.dispose()

    assert loaded is not None
    assert (loaded.name, loaded.opayo.integration_password) == ("Renamed", "sandbox-integration-password")


async def test_operators_keep_their_own_passwords_when_their_order_changes(database_url: str) -> None:
    engine, vault = create_engine(database_url), Vault([new_key()])
    settings = pair_settings("north", "http://a", "http://b", "http://c")
    first = [Operator(operator="ONE", password="1"), Operator(operator="TWO", password="2")]
    settings.syspro = structs.replace(settings.syspro, operators=first)
    async with engine.begin() as connection:
        await pairs.save(connection, vault, settings)
        turned = [Operator(operator="TWO"), Operator(operator="ONE")]
        settings.syspro = structs.replace(settings.syspro, operators=turned)
        await pairs.save(connection, vault, settings)
        loaded = await pairs.load(connection, vault, "north")
    await engine.dispose()

    assert loaded is not None
    assert {each.operator: each.password for each in loaded.syspro.operators} == {"ONE": "1", "TWO": "2"}
