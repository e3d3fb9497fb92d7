"""The worker of a process: one Procrastinate worker per lane, a sweep for lost bells, and the notifier.

One worker per lane and one job at a time: with more, a lane's next job waits for the poll.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import procrastinate
import psycopg
import structlog
from procrastinate.jobs import Status

from service.flow.chores import CHORES
from service.flow.stages import Stages
from service.jobs.lane import Pace, advance_lane
from service.jobs.notify import notify
from service.jobs.schedule import run_due
from service.settings import Settings
from service.store import bell, lanes, payment_views
from service.store.vouching import Vouching

log = structlog.get_logger()

# How often a lane looks again before it is left: 0.3 s in all with the usual linger.
_STAYS = 5


class Worker:
    """Works every lane of every pair until it is stopped."""

    def __init__(self, stages: Stages, url: str, settings: Settings) -> None:
        self._stages = stages
        self._settings = settings
        self._pace = Pace(
            batch=settings.batch, linger_seconds=settings.linger_ms / 1000, stays=_STAYS, chores=CHORES
        )
        self._queue = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=url, min_size=1, max_size=8, kwargs={"application_name": "opayo-syspro lanes"}
            )
        )
        self._queue.task(name=bell.TASK, pass_context=True)(self._advance)
        self._vouching = Vouching(url)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._tell_after = 0.0

    async def _advance(self, context: procrastinate.JobContext, lane: str) -> None:
        if context.job.worker_id is not None:
            with contextlib.suppress(psycopg.Error):  # the heartbeat vouches too, only later
                await self._vouching.vouch(context.job.worker_id)
        await advance_lane(self._stages, lane, self._pace)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work lanes for the time of a `with` block; at its end, finish the batches under way and log off."""
        _spare_the_collector()
        async with self._queue.open_async():
            sweep = asyncio.create_task(self._for_ever("sweep", self.sweep))
            regular = asyncio.create_task(self._for_ever("schedule", lambda: run_due(self._stages)))
            try:
                yield
            finally:
                sweep.cancel()
                regular.cancel()
                for task in self._lanes.values():
                    task.cancel()
                await asyncio.gather(sweep, regular, *self._lanes.values(), return_exceptions=True)
                await self._stages.close()
                await self._vouching.close()

    async def _for_ever(self, what: str, turn: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await turn()
            except Exception:
                log.exception(f"{what}.failed")
            await asyncio.sleep(self._settings.sweep_seconds)

    async def sweep(self) -> None:
        """Start lanes that are new, free lanes of dead workers, ring lost bells, tell people of alerts."""
        shared = self._stages.shared
        async with shared.engine.connect() as connection:
            every = await lanes.names(connection)
        for lane in every:
            if lane not in self._lanes or self._lanes[lane].done():
                self._lanes[lane] = asyncio.create_task(self._work(lane))
        await self._free_stalled()
        async with shared.engine.begin() as connection:
            waiting = await payment_views.lanes_with_work(
                connection, shared.clock(), [chore.name for chore in CHORES]
            )
            await bell.ring(connection, waiting)
        if time.monotonic() >= self._tell_after:
            # A channel that is down is tried once a minute, not at every sweep.
            told = await notify(self._stages)
            self._tell_after = time.monotonic() + (0 if told else 60)

    async def _work(self, lane: str) -> None:
        await self._queue.run_worker_async(
            queues=[lane],
            name=lane,
            concurrency=1,
            fetch_job_polling_interval=self._settings.poll_seconds,
            abort_job_polling_interval=60.0,
            update_heartbeat_interval=self._settings.stalled_seconds / 4,
            stalled_worker_timeout=self._settings.stalled_seconds,
            delete_jobs="always",
            install_signal_handlers=False,
            shutdown_graceful_timeout=10.0,
        )

    async def _free_stalled(self) -> None:
        """End the jobs of workers that died or stopped breathing; their lanes are then rung by the sweep."""
        manager = self._queue.job_manager
        orphans = await self._vouching.orphans()
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=self._settings.stalled_seconds)
        for number in sorted({*orphans, *_numbers(stalled)}):
            log.warning("lane.freed", job=number)
            await manager.finish_job_by_id_async(number, Status.ABORTED, delete_job=True)


def _numbers(jobs: Iterable[procrastinate.jobs.Job]) -> Iterable[int]:
    return (job.id for job in jobs if job.id is not None)


def _spare_the_collector() -> None:
    """What a process has at its start lives as long as it does, and most of what a batch makes dies by itself.

    The older generations are still looked at often: an error holds its frames, they hold documents, and a bad hour
    would otherwise leave hundreds of megabytes behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 5)
