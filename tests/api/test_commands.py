"""The commands beside the API: what `doctor` sees, and what `replay` sends round again."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import msgspec
import pytest

from service.app import connect
from service.cli.lights import Light, Practice, examine
from service.cli.replay import Wanted
from service.cli.replay import replay_all as replay
from service.flow.replay import Way
from service.settings import Settings
from service.store import pairs
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


async def lights(desk: Office, **changes: object) -> dict[str, Light]:
    """North's lights, perhaps after its settings were changed, by name."""
    site = desk.site
    async with site.engine.connect() as connection:
        before = await pairs.load(connection, site.vault, "north")
    assert before is not None
    try:
        async with site.engine.begin() as connection:
            await pairs.save(connection, site.vault, msgspec.structs.replace(before, **changes))
        practice = Practice(
            settings=Settings(public_url="https://pay.example"),
            engine=site.engine,
            vault=site.vault,
            connect=connect,
        )
        return {light.name: light for light in await examine(practice, "north")}
    finally:
        async with site.engine.begin() as connection:
            await pairs.save(connection, site.vault, before)


async def test_every_light_is_green_where_everything_is_right(desk: Office) -> None:
    found = await lights(desk)

    assert [light for light in found.values() if not light.green] == []
    assert len(found) >= 12
    assert found["SYSPRO logon OPAYO1"].found.startswith("company EDU1")


async def test_each_red_light_says_what_to_do(desk: Office) -> None:
    site = desk.site
    async with site.engine.connect() as connection:
        right = await pairs.load(connection, site.vault, "north")
    assert right is not None
    assert right.shop is not None
    replace = msgspec.structs.replace
    found = await lights(
        desk,
        opayo=replace(right.opayo, integration_password="wrong", reporting_password="wrong"),
        syspro=replace(right.syspro, operators=[pairs.Operator(operator="NOBODY", password="x")]),
        shop=replace(right.shop, base_url="http://127.0.0.1:9"),
    )

    red = {name for name, light in found.items() if not light.green}
    assert red == {"Opayo Pi", "Opayo Reporting", "SYSPRO logon NOBODY", "shop"}
    assert all(found[name].advice for name in red)
    unknown = await lights(desk, defaults={**right.defaults, "customer": "0424242"})
    assert "0424242" in unknown["default customer"].found


async def test_doctor_ends_well_whatever_it_found(desk: Office) -> None:
    desk.switches["opayo"].app = desk.switches["shop"].app

    code, out, errors = await run(desk, "doctor", "--json", "--pair", "north")

    assert code == 0, errors
    found = {light.name: light for light in msgspec.json.decode(out, type=list[Light])}
    assert (found["database"].green, found["Opayo Pi"].green) == (True, False)
    assert found["public URL"].advice


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
