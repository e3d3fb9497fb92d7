"""A vault whose key is turned: everything sealed goes under the new key, and a running process goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.errors import Misconfigured
from service.store import cards
from service.store.cards import NewCard
from service.store.database import create_engine
from service.store.sealed import reseal, sealed_columns
from service.store.vault import KEY_FILE, Vault, open_vault, turn_key


async def _cards(engine: AsyncEngine, vault: Vault, count: int) -> list[int]:
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO pairs (pair, name) VALUES ('north', 'North')"))
        return [
            await cards.keep(
                connection,
                vault,
                NewCard(pair="north", vendor_tx_code=f"SO-{number}", card_identifier=f"token-{number}"),
            )
            for number in range(count)
        ]


async def _identifiers(engine: AsyncEngine, vault: Vault, ids: list[int]) -> list[str]:
    async with engine.connect() as connection:
        return [await cards.identifier(connection, vault, "north", token_id) for token_id in ids]


def test_every_table_with_secrets_is_known() -> None:
    tables = {table.name for table, _ in sealed_columns()}
    assert tables >= {"card_tokens", "gateway_requests", "idempotency_keys", "secrets", "subscribers"}


async def test_after_two_rotations_the_first_key_opens_nothing_and_nothing_is_lost(
    database_url: str, tmp_path: Path
) -> None:
    engine = create_engine(database_url)
    running = open_vault([], tmp_path)
    first = (tmp_path / KEY_FILE).read_text().split()
    ids = await _cards(engine, running, 7)
    for _ in range(2):
        await reseal(engine, open_vault([], tmp_path))
        assert (await reseal(engine, turn_key(tmp_path)))["card_tokens"] == 7

    assert first[0] not in (tmp_path / KEY_FILE).read_text()
    assert await _identifiers(engine, running, ids) == [f"token-{number}" for number in range(7)]
    with pytest.raises(Misconfigured, match="No key of the vault"):
        await _identifiers(engine, Vault(first), ids)
    await engine.dispose()


async def test_a_rotation_takes_more_rows_than_one_page_and_each_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.sealed.AT_ONCE", 10)
    engine = create_engine(database_url)
    ids = await _cards(engine, open_vault([], tmp_path), 25)
    turned = turn_key(tmp_path)
    assert (await reseal(engine, turned))["card_tokens"] == 25

    newest = Fernet((tmp_path / KEY_FILE).read_text().split()[0])
    async with engine.connect() as connection:
        sealed = (await connection.execute(text("SELECT sealed FROM card_tokens"))).scalars().all()
    assert all(newest.decrypt(bytes(each)) for each in sealed)
    assert len(await _identifiers(engine, turned, ids)) == 25
    await engine.dispose()


async def test_what_a_running_process_seals_after_the_turn_is_under_the_new_key(tmp_path: Path) -> None:
    running = open_vault([], tmp_path)
    turn_key(tmp_path)
    newest = Fernet((tmp_path / KEY_FILE).read_text().split()[0])
    assert newest.decrypt(running.seal("s", "here"))


async def test_a_key_file_that_is_gone_leaves_a_running_process_its_keys(tmp_path: Path) -> None:
    running = open_vault([], tmp_path)
    sealed = running.seal("s", "here")
    (tmp_path / KEY_FILE).unlink()
    assert running.open(sealed, "here") == running.open(running.seal("s", "here")) == "s"
    assert not (tmp_path / KEY_FILE).exists()
