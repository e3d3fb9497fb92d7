"""What an address leads to, told apart by where the way ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from integration.reach import is_local, reach
from integration.sandbox.faults import FaultOrder
from integration.sandbox.syspro import SysproSandbox
from tests.connectors.serving import served
from tests.connectors.tls import Authority, authority, behind_tls


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    """An authority of this test's own."""
    return authority(tmp_path)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_server_that_answers_is_reached_and_its_clock_read() -> None:
    sandbox = SysproSandbox()
    async with served(sandbox.app) as url:
        right = await reach("SYSPRO", f"{url}/api/harmony/2.0", 2)
        sandbox.plan.order(FaultOrder("clock-skew", parameters={"seconds": -3600}))
        late = await reach("SYSPRO", f"{url}/api/harmony/2.0", 2)

    assert (right.trouble, right.where, right.local) == (None, url.removeprefix("http://"), True)
    assert right.ahead is not None
    assert late.ahead is not None
    assert abs(right.ahead) < timedelta(minutes=1)
    assert timedelta(minutes=59) < -late.ahead < timedelta(minutes=61)


async def test_each_end_of_the_way_has_its_own_name() -> None:
    sandbox = SysproSandbox()
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with served(sandbox.app) as url, silent:
        sandbox.plan.order(FaultOrder("drop", times=9))
        dropped = await reach("SYSPRO", url, 2)
        plain = await reach("SYSPRO", url.replace("http:", "https:"), 2)
        mute = await reach("SYSPRO", f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}", 0.1)
    refused = await reach("SYSPRO", url, 2)
    nameless = await reach("SYSPRO", "http://erp..example", 2)

    found = [each.trouble for each in (dropped, plain, mute, refused, nameless)]
    assert found == ["answer", "tls", "silent", "refused", "name"]
    assert all(each.said for each in (dropped, plain, mute, refused, nameless))


async def test_a_certificate_of_nobody_we_trust_is_not_taken(signer: Authority) -> None:
    async with served(SysproSandbox().app) as url, behind_tls(port_of(url), signer.server(90)) as secure:
        found = await reach("SYSPRO", secure, 2)

    assert found.trouble == "certificate"
    assert "issuer" in found.said


def test_only_names_of_this_machine_are_local() -> None:
    assert all(map(is_local, ("localhost", "erp.localhost", "127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_local, ("0.0.0.0", "10.0.0.1", "erp.example", "localhost.example", "")))
