"""`opayo-syspro vault rotate`: by the key file and by the settings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import cli
from service.store import cards
from service.store.cards import NewCard
from service.store.database import create_engine
from service.store.vault import KEY_FILE, Vault, new_key, open_vault


async def _keep(url: str, vault: Vault) -> None:
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO pairs (pair, name) VALUES ('north', 'North')")
        new = NewCard(pair="north", vendor_tx_code="SO-1", card_identifier="the-token")
        await cards.keep(connection, vault, new)
    await engine.dispose()


async def _read(url: str, vault: Vault) -> str:
    engine = create_engine(url)
    async with engine.connect() as connection:
        found = await cards.identifier(connection, vault, "north", 1)
    await engine.dispose()
    return found


@pytest.mark.parametrize("by", ["file", "settings"])
def test_a_rotation_seals_everything_under_the_first_key(
    by: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("OPAYO_SYSPRO_DATA_DIR", str(tmp_path))
    old, new = new_key(), new_key()
    if by == "settings":
        monkeypatch.setenv("OPAYO_SYSPRO_VAULT_KEYS", json.dumps([new, old]))
    asyncio.run(_keep(database_url, Vault([old]) if by == "settings" else open_vault([], tmp_path)))

    done = CliRunner().invoke(cli, ["vault", "rotate"], catch_exceptions=False)

    assert done.exit_code == 0, done.output
    assert "1 in card_tokens" in done.output
    first = new if by == "settings" else (tmp_path / KEY_FILE).read_text().split()[0]
    assert asyncio.run(_read(database_url, Vault([first]))) == "the-token"
