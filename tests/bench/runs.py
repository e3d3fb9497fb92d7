"""The runs of the bench, each beside its baseline."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from service.store.database import DATABASE_NAME, with_name
from service.store.private_server import PrivateServer
from tests.bench.load import closed_loop, open_loop, request
from tests.bench.processes import cpu_seconds, memory_mb, running
from tests.flow.site import pair_settings

OPERATORS = 8
ENET_LATENCY = 0.02
# A few operators are bound by their turns; with all of them two cores are the bound.
ENET_OPERATORS = (2, OPERATORS)
ENET_EVENTS = 300
IN_FLIGHT = 4
FACES = {"harmony": "/api/harmony/2.0", "enet": "/SYSPROWCFService/Rest"}
Row = dict[str, Any]


class Site:
    """The service on its own database in front of the stub, while a `with` block lasts."""

    def __init__(
        self,
        stack: ExitStack,
        stub: str,
        operators: int = OPERATORS,
        transport: str = "harmony",
        **changed: str,
    ) -> None:
        folder = Path(changed.get("OPAYO_SYSPRO_DATA_DIR") or _folder(stack))
        self.server = PrivateServer(folder)
        settings = pair_settings("bench", stub, stub, stub)
        named = [{"operator": f"OPAYO{number}", "password": "x"} for number in range(1, operators + 1)]
        document = msgspec.to_builtins(settings)
        document["syspro"] |= {
            "operators": named,
            "transport": transport,
            "base_url": stub + FACES[transport],
            "in_flight": IN_FLIGHT,
            "post_seconds": 30,
            "query_seconds": 30,
        }
        document["opayo"] |= {"timeout_seconds": 30, "read_seconds": 30}
        environment = {
            "DATABASE_URL": "",
            "OPAYO_SYSPRO_DATA_DIR": str(folder),
            "OPAYO_SYSPRO_LOG_LEVEL": "error",
            "OPAYO_SYSPRO_PAIR": json.dumps(document),
            **changed,
        }
        self.started = time.monotonic()
        self.pid, self.url = stack.enter_context(
            running("-m", "service.cli", "serve", "--port", "0", environment=environment)
        )
        self.ready_seconds = time.monotonic() - self.started
        self.database = with_name(stack.enter_context(self.server.running()), DATABASE_NAME)
        self.postmaster = int((self.server.cluster / "postmaster.pid").read_text().split()[0])

    def cpu(self) -> float:
        """CPU seconds of the service and of the database."""
        return cpu_seconds(self.pid) + cpu_seconds(self.postmaster, family=True)

    def done(self, run: str) -> list[float]:
        """Seconds from receipt to the end of the road, of the payments of a run that are through."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT extract(epoch FROM p.final_at - i.received_at) FROM payments p JOIN inbox i USING (transaction_id)"
                " WHERE p.final_at IS NOT NULL AND p.state = 'confirmed' AND p.vendor_tx_code LIKE %s",
                [f"{run.upper()}-%"],
            )
            return [float(row[0]) for row in rows]

    def finished(self, run: str, events: int, patience: float = 300) -> list[float]:
        """Wait until a run is through."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with psycopg.connect(self.database, autocommit=True) as connection:
                row = connection.execute(
                    "SELECT count(*) FROM payments WHERE final_at IS NOT NULL"
                ).fetchone()
            if row and row[0] >= events:
                return self.done(run)
            time.sleep(0.1)
        raise RuntimeError(f"only {len(self.done(run))} of {events} payments of {run} are through")


def _folder(stack: ExitStack) -> str:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    Path(folder).chmod(0o711)
    return folder


def _calls(stub: str) -> int:
    with urllib.request.urlopen(f"{stub}/_calls") as answer:
        return int(answer.read())


def _spread(seconds: list[float]) -> Row:
    ordered = sorted(seconds)
    return {
        "p50_ms": round(1000 * statistics.median(ordered)),
        "p99_ms": round(1000 * ordered[int(len(ordered) * 0.99)]),
    }


class Bench:
    """Runs by name; each gives its rows."""

    def __init__(self, events: int, seconds: float) -> None:
        self.events = events
        self.seconds = seconds

    def run(self, name: str) -> Iterator[Row]:
        """The rows of a run."""
        if name.startswith("saturation-"):
            latency = name.rpartition("-")[2]
            yield from self._saturation(name, latency)
        else:
            runs = {
                "startup": self._startup,
                "ingestion": self._ingestion,
                "enet": self._enet,
                "open-loop": self._open_loop,
            }
            yield from runs[name]()

    def _saturation(self, name: str, latency: str) -> Iterator[Row]:
        with ExitStack() as stack:
            _, stub = stack.enter_context(running("-m", "tests.bench.stub", latency))
            pid, url = stack.enter_context(
                running("-m", "tests.bench.inline", stub, str(OPERATORS), str(IN_FLIGHT))
            )
            requests = [request(url, number, "script") for number in range(self.events)]
            before, calls, started = cpu_seconds(pid), _calls(stub), time.monotonic()
            accepted = asyncio.run(closed_loop(url, requests))
            seconds: list[float] = []
            while len(seconds) < self.events:
                time.sleep(0.1)
                with urllib.request.urlopen(f"{url}/done") as answer:
                    seconds = json.loads(answer.read())
            script = self._row(name, "script", accepted, time.monotonic() - started)
            script |= {"cpu_ms": round(1000 * (cpu_seconds(pid) - before) / self.events, 2)}
            script |= {"calls": round((_calls(stub) - calls) / self.events, 1), **_spread(seconds)}
            yield script
        with ExitStack() as stack:
            _, stub = stack.enter_context(running("-m", "tests.bench.stub", latency))
            site = Site(stack, stub)
            requests = [request(site.url, number, "road") for number in range(self.events)]
            before, calls, started = site.cpu(), _calls(stub), time.monotonic()
            accepted = asyncio.run(closed_loop(site.url, requests))
            seconds = site.finished("road", self.events)
            road = self._row(name, "road", accepted, time.monotonic() - started)
            road |= {"cpu_ms": round(1000 * (site.cpu() - before) / self.events, 2)}
            road |= {"calls": round((_calls(stub) - calls) / self.events, 1), **_spread(seconds)}
            road |= {"of_script": round(road["completed_s"] / script["completed_s"], 2)}
            yield road | {"peak_mb": round(memory_mb(site.pid))}

    def _row(self, run: str, variant: str, accepted: float, completed: float) -> Row:
        return {
            "run": run,
            "variant": variant,
            "accepted_s": round(self.events / accepted),
            "completed_s": round(self.events / completed),
        }

    def _enet(self) -> Iterator[Row]:
        """The road over e.net, whose operators make one call at a time: how near it comes to that bound."""
        for operators in ENET_OPERATORS:
            events = min(self.events, ENET_EVENTS * operators)
            with ExitStack() as stack:
                _, stub = stack.enter_context(running("-m", "tests.bench.stub", str(1000 * ENET_LATENCY)))
                site = Site(stack, stub, operators, "enet")
                requests = [request(site.url, number, "enet") for number in range(events)]
                before, started = site.cpu(), time.monotonic()
                asyncio.run(closed_loop(site.url, requests))
                seconds = site.finished("enet", events)
                completed = events / (time.monotonic() - started)
                with urllib.request.urlopen(f"{stub}/_enet") as answer:
                    made = json.loads(answer.read())
                # What the stand-in really took: its timers round up, and a busy machine wakes them late.
                latency = made["busy"] / made["calls"]
                bound = operators / (latency * made["posts"] / events)
                yield {
                    "run": "enet",
                    "variant": f"road, {operators} operators",
                    "completed_s": round(completed, 1),
                    "bound_s": round(bound, 1),
                    "of_bound": round(completed / bound, 2),
                    "busy": round(made["busy"] / operators * completed / events, 2),
                    "calls": round(made["calls"] / events, 2),
                    "cpu_ms": round(1000 * (site.cpu() - before) / events, 2),
                    **_spread(seconds),
                }

    def _ingestion(self) -> Iterator[Row]:
        events = self.events * 3
        with running("-m", "tests.bench.inline", "http://nothing", "1", "1") as (_, url):
            requests = [request(url, number, "nothing") for number in range(events)]
            nothing = events / asyncio.run(closed_loop(url, requests))
        yield {"run": "ingestion", "variant": "stores nothing", "accepted_s": round(nothing)}
        # With the worker, every batch still wakes the screening lane, which finds itself paused.
        for variant, worker in (("road, lanes paused", "true"), ("road, worker elsewhere", "false")):
            yield {"run": "ingestion", "variant": variant, **self._stored(events, nothing, worker)}

    def _stored(self, events: int, nothing: float, worker: str) -> Row:
        with ExitStack() as stack:
            _, stub = stack.enter_context(running("-m", "tests.bench.stub", "0"))
            site = Site(stack, stub, OPAYO_SYSPRO_WORKER=worker)
            with psycopg.connect(site.database, autocommit=True) as connection:
                connection.execute("UPDATE lanes SET paused = true")
            requests = [request(site.url, number, "stored") for number in range(events)]
            before = site.cpu()
            stored = events / asyncio.run(closed_loop(site.url, requests))
            cpu = round(1000 * (site.cpu() - before) / events, 2)
        return {"accepted_s": round(stored), "cpu_ms": cpu, "of_script": round(stored / nothing, 2)}

    def _open_loop(self) -> Iterator[Row]:
        rate = 150
        events = int(rate * self.seconds)
        with ExitStack() as stack:
            _, stub = stack.enter_context(running("-m", "tests.bench.stub", "0"))
            site = Site(stack, stub)
            requests = [request(site.url, number, "open") for number in range(events)]
            before, calls = site.cpu(), _calls(stub)
            took = asyncio.run(open_loop(site.url, requests, rate))
            seconds = site.finished("open", events)
            row = {"run": "open-loop", "variant": "road", "accepted_s": round(events / took)}
            row |= {"cpu_ms": round(1000 * (site.cpu() - before) / events, 2)}
            yield row | {"calls": round((_calls(stub) - calls) / events, 1), **_spread(seconds)}

    def _startup(self) -> Iterator[Row]:
        with ExitStack() as stack:
            _, stub = stack.enter_context(running("-m", "tests.bench.stub", "0"))
            folder = _folder(stack)
            for number, variant in enumerate(("road, fresh folder", "road, started again"), 1):
                with ExitStack() as start:
                    site = Site(start, stub, OPAYO_SYSPRO_DATA_DIR=folder)
                    yield {"run": "startup", "variant": variant, **_started(site, number)}


def _started(site: Site, number: int) -> Row:
    run = f"start{number}"
    asyncio.run(closed_loop(site.url, [request(site.url, 0, run)], 1))
    site.finished(run, number)
    first = time.monotonic() - site.started
    time.sleep(3)
    return {
        "ready_s": round(site.ready_seconds, 2),
        "first_event_s": round(first, 2),
        "idle_mb": round(memory_mb(site.pid)),
    }
