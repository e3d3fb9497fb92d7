"""Faults are acted on the wire, counted, repeatable by seed, and ordered over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from integration.sandbox.faults import FaultMatch, FaultOrder, FaultPlan, FaultyApp, sandbox_fault
from tests.connectors.serving import served


class Counter:
    """An application whose POSTs leave a mark that GET shows."""

    def __init__(self) -> None:
        self.committed = 0
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        body = (await receive())["body"]
        fault = sandbox_fault(scope)
        if fault:
            self.seen.append(f"{fault.name}:{fault.parameters.get('element')}")
        if scope["method"] == "POST":
            self.committed += 1
        answer = json.dumps({"committed": self.committed, "echo": body.decode()}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@asynccontextmanager
async def faulty(plan: FaultPlan, http: str = "auto") -> AsyncIterator[tuple[Counter, httpx.AsyncClient]]:
    app = Counter()
    async with (
        served(FaultyApp(app, plan), http=http) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=5, verify=False) as client,
    ):
        yield app, client


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_commit_then_drop_commits_and_really_cuts_the_connection(http: str) -> None:
    async with faulty(FaultPlan(), http) as (app, client):
        await client.post("/_sandbox/faults", json={"fault": "commit-then-drop"})
        with pytest.raises(httpx.TransportError):
            await client.post("/thing", content=b"x")
        assert app.committed == 1
        answer = await client.post("/thing", content=b"hello")
        assert answer.json() == {"committed": 2, "echo": "hello"}


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_drop_cuts_the_connection_before_anything_is_committed(http: str) -> None:
    async with faulty(FaultPlan(), http) as (app, client):
        await client.post("/_sandbox/faults", json={"fault": "drop"})
        with pytest.raises(httpx.TransportError):
            await client.post("/thing", content=b"x")
        assert app.committed == 0


async def test_a_delay_comes_before_the_work_and_slow_after_it() -> None:
    async with faulty(FaultPlan(slow_seconds=0.4)) as (app, client):
        await client.post("/_sandbox/faults", json={"fault": "slow"})
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/thing", content=b"x", timeout=0.1)
        assert app.committed == 1
        await client.post("/_sandbox/faults", json={"fault": "delay", "parameters": {"seconds": 0.3}})
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/thing", content=b"x", timeout=0.1)
        assert app.committed == 1


async def test_an_uncommitted_5xx_leaves_no_mark_and_a_committed_one_does() -> None:
    async with faulty(FaultPlan()) as (app, client):
        await client.post("/_sandbox/faults", json={"fault": "5xx", "parameters": {"status": 500}})
        assert (await client.post("/thing")).status_code == 500
        assert app.committed == 0
        order = {"fault": "5xx", "parameters": {"status": 502, "committed": True}}
        await client.post("/_sandbox/faults", json=order)
        assert (await client.post("/thing")).status_code == 502
        assert app.committed == 1


async def test_garbage_is_committed_and_cannot_be_parsed() -> None:
    async with faulty(FaultPlan()) as (app, client):
        await client.post("/_sandbox/faults", json={"fault": "garbage"})
        answer = await client.post("/thing", content=b"x")
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r"."):
            answer.json()
        assert app.committed == 1


async def test_a_system_fault_reaches_the_application_with_its_parameters() -> None:
    async with faulty(FaultPlan()) as (app, client):
        order = {"fault": "element-ignored", "parameters": {"element": "CustomerPoNumber"}}
        await client.post("/_sandbox/faults", json=order)
        await client.post("/thing")
        await client.post("/thing")
        assert app.seen == ["element-ignored:CustomerPoNumber"]


async def test_an_order_waits_for_its_match_its_count_and_writes_only() -> None:
    async with faulty(FaultPlan()) as (app, client):
        match = {"path": "SALESORDER", "body": "INV-7", "writes_only": True, "after": 1}
        await client.post("/_sandbox/faults", json={"fault": "5xx", "times": 2, "match": match})
        assert (await client.get("/salesorder")).status_code == 200
        statuses = [
            (await client.post("/api/SalesOrder", content=body)).status_code
            for body in ("INV-7", "INV-8", "INV-7", "INV-7", "INV-7")
        ]
        assert statuses == [200, 200, 503, 503, 200]
        state = (await client.get("/_sandbox/faults")).json()
        assert state["fired"] == {"5xx": 2}
        assert state["orders"] == []
        assert app.committed == 3


async def test_control_paths_never_fault_and_profiles_are_set_over_http() -> None:
    async with faulty(FaultPlan()) as (_, client):
        await client.put("/_sandbox/faults/rates", json={"rates": {"5xx": 1.0}, "seed": 5})
        assert (await client.get("/_sandbox/anything")).status_code == 200
        assert (await client.get("/thing")).status_code in {500, 502, 503}
        state = (await client.put("/_sandbox/faults/rates", json={"profile": "storm"})).json()
        assert state["rates"]["commit-then-drop"] == 0.03
        cleared = (await client.delete("/_sandbox/faults")).json()
        assert cleared["rates"] == {}
        assert (await client.get("/thing")).status_code == 200


@pytest.mark.parametrize(
    "body", [{"fault": "nonsense"}, {"fault": "drop", "times": 0}, {"fault": "drop", "colour": "red"}]
)
async def test_an_order_that_cannot_be_meant_is_refused(body: dict[str, Any]) -> None:
    async with faulty(FaultPlan()) as (_, client):
        assert (await client.post("/_sandbox/faults", json=body)).status_code == 422


def _names(plan: FaultPlan, calls: int) -> list[str]:
    drawn = (plan.draw("POST", "/x", b"") for _ in range(calls))
    return [fault.name for fault in drawn if fault]


def test_one_seed_gives_one_storm_and_its_rates_are_met() -> None:
    first, second = FaultPlan.storm(seed=3), FaultPlan.storm(seed=3)
    assert _names(first, 4000) == _names(second, 4000)
    assert first.fired["commit-then-drop"] == pytest.approx(120, abs=40)
    assert sum(first.fired.values()) == pytest.approx(4000 * 0.16, abs=120)


def test_faults_a_system_does_not_know_are_never_drawn() -> None:
    plan = FaultPlan.storm(seed=3, supports={"drop"})
    assert set(_names(plan, 2000)) == {"drop"}
    assert not plan.chance("event-doubled")


def test_events_draw_apart_from_calls() -> None:
    quiet, busy = FaultPlan.storm(seed=9), FaultPlan.storm(seed=9)
    _names(busy, 100)
    draws = [[plan.chance("event-doubled") for _ in range(200)] for plan in (quiet, busy)]
    assert draws[0] == draws[1]
    assert sum(draws[0]) == pytest.approx(40, abs=25)


def test_an_event_order_waits_for_an_event() -> None:
    plan = FaultPlan()
    plan.order(FaultOrder("event-forged", match=FaultMatch()))
    assert plan.draw("POST", "/x", b"") is None
    assert plan.chance("event-forged")
    assert not plan.chance("event-forged")
