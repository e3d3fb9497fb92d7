"""One seed from beginning to end: faults on, faults off, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from datetime import datetime
from typing import Any
from unittest.mock import patch

import msgspec
import psycopg
import psycopg.waiting
import structlog
from msgspec import Struct
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, PendingRollbackError, SAWarning

import integration.http
from service.cli.simulation.crew import Crew, Ground
from service.cli.simulation.database import Quakes, SimulatedDatabase, at, seeded_entropy
from service.cli.simulation.loop import START, VirtualLoop
from service.cli.simulation.network import Message, Network, call
from service.cli.simulation.site import PAIR, pair_settings
from service.cli.simulation.street import Street
from service.cli.simulation.verdict import verdict
from service.cli.simulation.weather import Weather, draw_weather
from service.core.invariants import Broken
from service.flow.library import install_templates
from service.settings import Settings
from service.store import pairs
from service.store.database import create_engine
from service.store.vault import Vault, new_key

# A back-off is an hour at most; whatever has not ended after two has stopped for good.
_REST_SECONDS = 2 * 3600.0


class Options(Struct, frozen=True, kw_only=True):
    """What is simulated."""

    seed: int
    events: int = 300
    transport: str = "harmony"


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        digest: of everything that happened, in order, and of both ledgers.
        simulated_seconds: by the virtual clock.
        cpu_seconds: of this process, the database's not included.
        states: payments by their state.
    """

    options: Options
    broken: list[Broken]
    digest: str
    trace: list[str]
    simulated_seconds: float
    cpu_seconds: float
    calls: int
    kills: int
    pauses: int
    connections_lost: int
    states: dict[str, int]


class Notes:
    """Everything that happened, in order, with the moment."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now: Callable[[], float] = lambda: 0.0

    def __call__(self, text: str) -> None:
        """Note what happened."""
        self.lines.append(f"{self.now():.6f} {text}")

    def digest(self, *more: object) -> str:
        """A digest of every line, and of more."""
        text = "\n".join([*self.lines, *(msgspec.json.encode(each).decode() for each in more)])
        return hashlib.sha256(text.encode()).hexdigest()


def simulate(url: str, options: Options) -> Outcome:
    """Run a seed on a prepared database (see `database.prepare`), which is emptied first."""
    draws = {name: random.Random(f"{options.seed}/{name}") for name in _STREAMS}  # noqa: S311 - repeatable
    weather = draw_weather(draws["weather"])
    notes, defects = Notes(), list[str]()
    date = at(weather.start, START)
    began = time.process_time()
    with seeded_entropy(draws["entropy"]), _surroundings(defects):
        database = SimulatedDatabase(url, draws["database"], date)
        loop = VirtualLoop(database.moved)
        notes.now = loop.time
        try:
            with (
                patch.object(psycopg.waiting, "wait_async", database.wait_async),
                patch.object(psycopg.waiting, "wait_conn_async", database.wait_conn_async),
            ):
                run = _Run(options, weather, draws, (loop, database, notes, date))
                outcome = loop.run_until_complete(run.whole())
        finally:
            with contextlib.suppress(Exception):
                loop.run_until_complete(_end_all(loop))
            database.close()
            loop.close()
    broken = outcome.broken + [
        Broken(name="defect", claim="no error is one that we do not understand", evidence=each)
        for each in defects
    ]
    return msgspec.structs.replace(outcome, broken=broken, cpu_seconds=time.process_time() - began)


_STREAMS = ("weather", "entropy", "database", "network", "crew", "street", "mischief")


async def _end_all(loop: asyncio.AbstractEventLoop) -> None:
    others = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=10)


class _Run:
    def __init__(
        self,
        options: Options,
        weather: Weather,
        draws: dict[str, random.Random],
        ground: tuple[VirtualLoop, SimulatedDatabase, Notes, Callable[[float], datetime]],
    ) -> None:
        self.options = options
        self.weather = weather
        self.draws = draws
        self.loop, self.database, self.notes, self.date = ground
        self.network = Network(draws["network"], self.notes)

    async def whole(self) -> Outcome:
        with patch.object(integration.http, "Wire", self.network.wire):
            self.street = Street(self.weather, self.network, self.draws["street"], self._now)
            self.crew = await self._crew()
            self.street.deliver = self._deliver
            await self._phase_a()
            rested = await self._phase_b()
            await self.crew.stop()
            await self.street.stop()
        return self._outcome(rested)

    def _now(self) -> datetime:
        return self.date(self.loop.time())

    async def _crew(self) -> Crew:
        vault = Vault([new_key()])
        settings = pair_settings(self.weather, self.options.transport)
        engine = create_engine(self.database.url)
        async with engine.begin() as connection:
            await pairs.save(connection, vault, settings)
            await install_templates(connection, PAIR)
        await engine.dispose()
        lanes = [row["lane"] for row in self.database.rows("SELECT lane FROM lanes ORDER BY lane")]
        ground = Ground(
            self.loop, self.database, vault, Settings(), self.date, self.draws["crew"], self.notes
        )
        return Crew(ground, self.weather.skews, lanes)

    async def _deliver(self, request: Message) -> int:
        """Bring a message to one of our processes; 0 when the line breaks or there is none."""
        awake = self.crew.awake()
        if not awake:
            return 0
        process = self.draws["network"].choice(awake)
        work = call(process.app, request)
        task = self.loop.create_task(work, context=process.inside())
        await asyncio.wait({task}, timeout=30)
        if not task.done() or task.cancelled() or task.exception() is not None or not process.alive:
            return 0
        return task.result().status

    async def _phase_a(self) -> None:
        weather, draw = self.weather, self.draws["mischief"]
        self.street.storm()
        self.crew.second_worker = weather.second_worker
        self.database.quakes = Quakes(weather.database_lost, weather.serialisation)
        jump_at = draw.randrange(self.options.events) if weather.jumps else -1
        for number in range(self.options.events):
            await asyncio.sleep(draw.expovariate(1 / weather.gap_seconds))
            await self.street.sale(number)
            self._mischief(draw)
            if number == jump_at:
                self.crew.processes[0].skew -= 3600
        await asyncio.sleep(120)

    def _mischief(self, draw: random.Random) -> None:
        process = draw.choice(self.crew.processes)
        if draw.random() < self.weather.kill:
            self.crew.kill_soon(process)
        elif draw.random() < self.weather.pause:
            self.crew.freeze_soon(process)
        if draw.random() < self.weather.database_lost * 10:
            held = self.database.connections()
            if held:
                self.database.sever(draw.choice(held))

    async def _phase_b(self) -> bool:
        """Faults off; whether everything ended in time."""
        self.notes("faults off")
        self.street.calm()
        self.database.quakes = Quakes()
        self.crew.calm()
        last = self.loop.time()
        while self.loop.time() - last < _REST_SECONDS:
            self._open_lanes()
            await asyncio.sleep(1800 if self.street.on_the_way else 60)
            if self.street.on_the_way:
                last = self.loop.time()
            elif self._at_rest():
                return True
        return False

    def _open_lanes(self) -> None:
        """A person reads the alert and opens what had stopped."""
        if self.database.rows("SELECT 1 FROM lanes WHERE paused"):
            self.database.execute("UPDATE lanes SET paused = false")
            self.crew.sweep_in(1.0)

    def _at_rest(self) -> bool:
        [row] = self.database.rows(
            "SELECT (SELECT count(*) FROM inbox WHERE state = 'received')"
            " + (SELECT count(*) FROM payments WHERE lane IS NOT NULL) AS left"
        )
        return bool(row["left"] == 0)

    def _outcome(self, rested: bool) -> Outcome:
        broken = verdict(self.street, self.database)
        if not rested:
            claim = "without faults everything ends within two hours"
            broken.append(Broken(name="liveness", claim=claim, evidence="something was left under way"))
        rows = self.database.rows("SELECT vendor_tx_code, state FROM payments ORDER BY payment_id")
        states: dict[str, int] = {}
        for row in rows:
            states[row["state"]] = states.get(row["state"], 0) + 1
        receipts = sorted(f"{r.Reference} {r.PaymentValue}" for r in self.street.syspro.store.payments)
        return Outcome(
            options=self.options,
            broken=broken,
            digest=self.notes.digest(rows, receipts),
            trace=self.notes.lines,
            simulated_seconds=self.loop.time() - START,
            cpu_seconds=0.0,
            calls=self.network.calls,
            kills=self.crew.kills,
            pauses=self.crew.pauses,
            connections_lost=self.database.lost,
            states=dict(sorted(states.items())),
        )


@contextlib.contextmanager
def _surroundings(defects: list[str]) -> Iterator[None]:
    """Silence logs, but for errors that nobody understands; keep real time out of the database driver."""
    before = structlog.get_config()

    def hear(_: object, method: str, entry: MutableMapping[str, Any]) -> str:
        error = sys.exc_info()[1] or entry.get("exc_info")
        serious = method in ("error", "exception", "critical")
        if serious and isinstance(error, BaseException) and not _understood(error):
            defects.append(f"{entry.get('event')}: {type(error).__name__}: {error}"[:500])
        raise structlog.DropEvent

    structlog.configure(processors=[hear])
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            warnings.simplefilter("ignore", SAWarning)
            yield
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)


def _understood(error: BaseException) -> bool:
    """The database went away or asked us to try again; what it refuses for any other reason is our mistake."""
    lost = (OperationalError, InterfaceError, InternalError, PendingRollbackError, psycopg.OperationalError)
    return isinstance(error, lost)
