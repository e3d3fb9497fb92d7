"""The regular work of every pair that needs no SYSPRO session: what, how often, and one loop that does it.

Work that talks to SYSPRO is done by the holder of a posting lane, who alone has a session (`service.flow.chores`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog
from msgspec import Struct

from integration.errors import IntegrationError
from service.flow import chargebacks, deliver, superseded, sweep_runs
from service.flow.recovery import as_document
from service.flow.stages import Stages
from service.flow.subscriptions import charge_due
from service.jobs import file_drop, requests
from service.store import pairs, schedule

JsonObject = dict[str, object]
log = structlog.get_logger()


class Job(Struct, frozen=True, kw_only=True):
    """Regular work.

    Attributes:
        every: between two turns; divided by the pace, as every wait of the road.
        run: does one turn for a pair and says what it came to; doing it twice is doing it once.
    """

    name: str
    every: timedelta
    run: Callable[[Stages, str], Awaitable[JsonObject]]


JOBS: tuple[Job, ...] = (
    Job(name="requests", every=timedelta(minutes=1), run=requests.settle),
    Job(name="refunds", every=timedelta(minutes=1), run=requests.send_refunds),
    Job(name="old keys", every=timedelta(days=1), run=requests.forget_keys),
    Job(name="chargebacks", every=timedelta(hours=1), run=chargebacks.remind),
    Job(name="subscriptions", every=timedelta(minutes=5), run=charge_due),
    Job(name="file drop", every=timedelta(minutes=5), run=file_drop.poll),
    Job(name="sweep", every=timedelta(minutes=15), run=sweep_runs.sweep),
    Job(name="nightly sweep", every=timedelta(minutes=30), run=sweep_runs.nightly),
    Job(name="sweep in slices", every=timedelta(seconds=10), run=sweep_runs.work),
    Job(name="superseded", every=timedelta(minutes=1), run=superseded.close),
    Job(name="deliveries", every=timedelta(seconds=2), run=deliver.deliver),
    Job(name="old events", every=timedelta(hours=1), run=deliver.prune),
)


async def run_due(stages: Stages, jobs: Sequence[Job] = JOBS) -> int:
    """Do what is due, pair by pair; returns how many turns were taken."""
    by_name = {job.name: job for job in jobs}
    async with stages.shared.engine.connect() as connection:
        due = [
            (pair, by_name[name])
            for pair in await pairs.names(connection)
            for name in await schedule.due(connection, pair, list(by_name), stages.shared.clock())
        ]
    return sum([await _turn(stages, pair, job) for pair, job in due])


async def _turn(stages: Stages, pair: str, job: Job) -> bool:
    shared = stages.shared
    async with shared.engine.begin() as connection:
        ours = await schedule.claim(connection, pair, job.name, shared.clock(), job.every / shared.pace)
    if not ours:
        return False
    started = time.perf_counter()
    try:
        outcome = await job.run(stages, pair)
    except IntegrationError as error:
        outcome = {"error": as_document(error)}
        log.warning("job.failed", pair=pair, job=job.name, code=error.code)
    except Exception as error:
        outcome = {"error": {"code": "defect", "title": f"{type(error).__name__} in job {job.name}"}}
        log.exception("job.failed", pair=pair, job=job.name)
    outcome["seconds"] = f"{time.perf_counter() - started:.3f}"
    async with shared.engine.begin() as connection:
        await schedule.finish(connection, pair, job.name, shared.clock(), outcome)
    return True
