"""The processes and the work they are given: who lives, who is killed, who works which lane."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from litestar import Litestar
from litestar.di import Provide
from msgspec import Struct
from sqlalchemy import event

from service.api import problems, webhooks
from service.api.context import Context, provide_context
from service.app import connect
from service.cli.simulation.database import SimulatedDatabase
from service.cli.simulation.loop import VirtualLoop
from service.cli.simulation.network import App
from service.cli.simulation.process import Process
from service.flow.stages import Stages, Surroundings
from service.jobs.lane import Pace, advance_lane
from service.settings import Settings
from service.store.database import IDLE_MS
from service.store.inbox import Batcher
from service.store.vault import Vault

# As `Settings.stalled_seconds`: after such a silence a lane is given to somebody else.
STALLED_SECONDS = 10.0
PAUSE_SECONDS = 600.0
_PACE = Pace(batch=25, linger_seconds=0.02)
_JOBS = "procrastinate_jobs"


class Ground(Struct, frozen=True):
    """What every process stands on."""

    loop: VirtualLoop
    database: SimulatedDatabase
    vault: Vault
    settings: Settings
    date: Callable[[float], datetime]
    draw: random.Random
    trace: Callable[[str], None]


class Crew:
    """Two processes, and the lanes they work.

    Attributes:
        second_worker: how often a lane's job is given to both.
    """

    def __init__(self, ground: Ground, skews: tuple[float, ...], lanes: list[str]) -> None:
        self._ground = ground
        self.second_worker = 0.0
        self.kills = 0
        self.pauses = 0
        self._born = 0
        self._outside = contextvars.copy_context()
        self._bells = {lane: asyncio.Event() for lane in lanes}
        self._paused: set[str] = set()
        self.processes = [self._spawn(skew) for skew in skews]
        self.everybody: list[Process] = list(self.processes)
        self._keepers = [ground.loop.create_task(self._keep(lane)) for lane in lanes]

    # --- processes ------------------------------------------------------------------------------------

    def _spawn(self, skew: float) -> Process:
        ground = self._ground
        self._born += 1
        process = Process(f"p{self._born}", skew)
        process.engine = ground.database.engine(process)
        self._listen_for_bells(process)

        def clock() -> datetime:
            return ground.date(ground.loop.time()) + timedelta(seconds=process.skew)

        process.stages = Stages(
            Surroundings(
                engine=process.engine,
                vault=ground.vault,
                connect=connect,
                clock=clock,
                monotonic=ground.loop.time,
                chance=ground.draw.random,
            )
        )
        process.app = self._door(process)
        return process

    def _door(self, process: Process) -> App:
        """The service's webhooks, as `service.app` serves them."""
        app = Litestar(
            route_handlers=[webhooks.router],
            dependencies={"context": Provide(provide_context, sync_to_thread=False)},
            exception_handlers=problems.HANDLERS,  # type: ignore[arg-type]
            openapi_config=None,
            logging_config=None,
        )
        app.state.context = Context(
            engine=process.engine,
            vault=self._ground.vault,
            stages=process.stages,
            batcher=Batcher(process.engine),
            settings=self._ground.settings,
        )
        return cast(App, app)

    def awake(self) -> list[Process]:
        """Processes that take calls and work."""
        return [process for process in self.processes if process.alive and not process.frozen]

    def kill_soon(self, process: Process) -> None:
        """Kill a process at one of its next steps, whatever it is doing there."""
        process.doom_in = self._ground.draw.randint(1, 400)
        process.doom = lambda: self._outside.copy().run(self._kill, process)

    def freeze_soon(self, process: Process) -> None:
        """Stop a process for ten minutes at one of its next steps."""
        process.doom_in = self._ground.draw.randint(1, 400)
        process.doom = lambda: self._outside.copy().run(self._freeze, process)

    def _kill(self, process: Process) -> None:
        self.kills += 1
        self._ground.trace(f"{process.name} killed")
        for held in self._ground.database.connections(process):
            self._ground.database.sever(held)
        process.end(self._ground.loop)
        self._ground.loop.call_later(self._ground.draw.uniform(1, 20), self._restart, process)
        self.sweep_in(1.0)

    def _restart(self, process: Process) -> None:
        fresh = self._spawn(process.skew)
        self._ground.trace(f"{fresh.name} started in place of {process.name}")
        self.everybody.append(fresh)
        self.processes[self.processes.index(process)] = fresh
        self.sweep_in(0.5)

    def _freeze(self, process: Process) -> None:
        self.pauses += 1
        self._ground.trace(f"{process.name} paused")
        process.freeze()
        self._ground.loop.call_later(IDLE_MS / 1000, self._ground.database.end_idle_transactions, process)
        self._ground.loop.call_later(PAUSE_SECONDS, self._thaw, process)

    def _thaw(self, process: Process) -> None:
        if process.frozen:
            self._ground.trace(f"{process.name} goes on")
            process.thaw(self._ground.loop)
            self.sweep_in(1.0)

    def calm(self) -> None:
        """Nobody is doomed any more, everybody is awake, and all clocks are right."""
        self.second_worker = 0.0
        for process in self.processes:
            process.doom = None
            process.skew = 0.0
            self._thaw(process)
        self.sweep_in(1.0)

    # --- lanes ---------------------------------------------------------------------------------------

    def _listen_for_bells(self, process: Process) -> None:
        core = process.engine.sync_engine

        def hear_soon() -> None:
            # Heard a moment later, as a notification is.
            self._outside.copy().run(self._ground.loop.call_later, 0.02, self._hear)

        @event.listens_for(core, "after_cursor_execute")
        def rung(connection: Any, _: Any, statement: str, *__: Any) -> None:
            if _JOBS in statement:
                connection.info["rung"] = True
                hear_soon()  # it may have committed itself

        @event.listens_for(core, "commit")
        def committed(connection: Any) -> None:
            if connection.info.pop("rung", False):
                hear_soon()

    def _hear(self) -> None:
        """Take the jobs that were queued, as Procrastinate's workers do."""
        for row in self._ground.database.rows(
            f"DELETE FROM {_JOBS} WHERE status = 'todo' RETURNING queue_name"  # noqa: S608 - a name of ours
        ):
            self._bells[row["queue_name"]].set()

    def sweep_in(self, seconds: float) -> None:
        """Look at every lane: a bell may have been lost."""
        for bell in self._bells.values():
            self._ground.loop.call_later(seconds, bell.set)

    async def _keep(self, lane: str) -> None:
        """Give a lane's job to a process whenever its bell rings or something is due."""
        idle = 1.0
        while True:
            wait = self._seconds_until_due(lane)
            if not self._bells[lane].is_set() and (wait is None or wait > 0):
                await self._rung(lane, None if wait is None else max(wait, 1.0))
            elif not self._bells[lane].is_set():
                # Due by our calendar, and yet left there: some process's clock is behind.
                await self._rung(lane, idle)
                idle = min(idle * 2, 60.0)
            else:
                idle = 1.0
            self._bells[lane].clear()
            awake = self.awake()
            if not awake:
                await asyncio.sleep(1.0)
                self._bells[lane].set()
                continue
            first = self._ground.draw.choice(awake)
            jobs = [self._job(lane, first)]
            others = [process for process in awake if process is not first]
            if others and self._ground.draw.random() < self.second_worker:
                self._ground.trace(f"{lane} worked twice")
                jobs.append(self._job(lane, others[0]))
            await self._ended(jobs[0], first)

    async def _rung(self, lane: str, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._bells[lane].wait()
        except TimeoutError:
            return

    def _job(self, lane: str, process: Process) -> asyncio.Task[None]:
        self._ground.trace(f"{process.name} takes {lane}")
        work = advance_lane(process.stages, lane, _PACE)
        return self._ground.loop.create_task(work, context=process.inside())

    async def _ended(self, job: asyncio.Task[None], process: Process) -> None:
        """Wait for a job's end, or until its process has been silent for so long that it is given up."""
        silent = 0.0
        while not job.done() and silent < STALLED_SECONDS:
            await asyncio.wait({job}, timeout=STALLED_SECONDS / 4)
            gone = process.frozen or not process.alive
            silent = silent + STALLED_SECONDS / 4 if gone else 0.0

    def _seconds_until_due(self, lane: str) -> float | None:
        [row] = self._ground.database.rows(
            """
            SELECT least(
                (SELECT min(due_at) FROM payments p WHERE p.lane = l.lane),
                (SELECT min(due_at) FROM inbox i WHERE i.state = 'received' AND l.kind = 'screening')) AS due_at
            FROM lanes l WHERE l.lane = %s
            """,
            lane,
        )
        if row["due_at"] is None:
            return None
        now = self._ground.date(self._ground.loop.time())
        return float((row["due_at"].astimezone(UTC) - now).total_seconds())

    async def stop(self) -> None:
        """End everything."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for process in self.everybody:
            for held in self._ground.database.connections(process):
                self._ground.database.sever(held, wait=False)
            process.end(self._ground.loop)
        tasks = [task for process in self.everybody for task in process.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=60)
        for process in self.everybody:
            await process.engine.dispose()
