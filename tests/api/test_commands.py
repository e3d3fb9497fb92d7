"""The commands beside the API: what `replay` sends round again."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import msgspec
import pytest

from service.cli.replay import Wanted
from service.cli.replay import replay_all as replay
from service.flow.replay import Way
from service.settings import Settings
from tests.api.office import Office
from tests.api.test_dead_letters import dead, letters


async def run(desk: Office, *arguments: str) -> tuple[int, str, str]:
    """A command of the service: its exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service.cli",
        *arguments,
        env={**os.environ, **desk.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return process.returncode or 0, out.decode(), errors.decode()


async def test_replay_counts_first_and_then_sends_round_and_says_what_stays(
    desk: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await dead(desk, "SO-1")
    await dead(desk, "SO-2", "NEITHER")
    everything = Wanted(
        pair="north", code="syspro.unknown-stock-code", payment=None, way=Way(from_step="post"), dry_run=False
    )
    settings = Settings(vault_keys=json.loads(desk.environment["OPAYO_SYSPRO_VAULT_KEYS"]))

    counted = msgspec.structs.replace(everything, dry_run=True)
    await replay(settings, desk.environment["DATABASE_URL"], counted)
    assert capsys.readouterr().out == "2 would be replayed\n"
    assert len(await letters(desk)) == 2
    await replay(settings, desk.environment["DATABASE_URL"], everything)
    told = capsys.readouterr()
    assert (told.out, told.err.count("replay.too-far")) == ("0 of 2 replayed\n", 2)
    from_map = msgspec.structs.replace(everything, way=Way(from_step="map"))
    await replay(settings, desk.environment["DATABASE_URL"], from_map)

    assert capsys.readouterr().out == "2 of 2 replayed\n"
    assert await letters(desk) == []
    assert {row["state"] for row in (await desk.get("payments"))["items"]} == {"validated"}
