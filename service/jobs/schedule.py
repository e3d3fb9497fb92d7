"""The regular work of every pair that needs no SYSPRO session: what, how often, and one loop that does it.

Work that talks to SYSPRO is done by the holder of a posting lane, who alone has a session (`service.flow.chores`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from msgspec import Struct

from service.flow import chargebacks, deliver, superseded, sweep_runs
from service.flow.stages import Stages
from service.flow.subscriptions import charge_due
from service.flow.turns import Turns
from service.jobs import file_drop, requests
from service.store import pairs, schedule

JsonObject = dict[str, object]


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
    return sum(
        [
            await _turns(stages, pair).take(job.name, job.every, partial(job.run, stages, pair))
            for pair, job in due
        ]
    )


def _turns(stages: Stages, pair: str) -> Turns:
    shared = stages.shared
    return Turns(engine=shared.engine, pair=pair, clock=shared.clock, pace=shared.pace, kind="job")
