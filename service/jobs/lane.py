"""The job of a lane: take it, walk whatever is due, and leave it when nothing is.

A lane's job never raises: a retry by the queue would collide with the bell that waits, and the lane be dead for
ever. What fails is written on the payments; what fails here is logged and the sweep rings again.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count

import structlog
from msgspec import Struct

from service.flow import chores, ingest, road
from service.flow.chores import Chore
from service.flow.stage import Stage
from service.flow.stages import Stages
from service.store import bell, lanes
from service.store.lanes import LaneLost
from service.store.payments import PaymentChanged

log = structlog.get_logger()

# A retry due within this time is waited for, rather than left to the sweep.
_SOON = timedelta(seconds=1.5)


class Pace(Struct, frozen=True, kw_only=True):
    """How a lane works.

    Attributes:
        batch: payments it takes at a time.
        linger_seconds: how long it waits for company before it looks for work.
        stays: how often it looks again before it leaves a lane that has nothing to do, the pauses growing by
            `linger_seconds`: under a steady trickle that is far cheaper than a job of the queue for every payment.
        rounds: how often it looks in all; then its job ends and another begins, so that a process can stop.
        chores: the regular work that the holder of a posting lane does beside its payments.
    """

    batch: int = 100
    linger_seconds: float = 0.02
    stays: int = 0
    rounds: int = 100
    chores: tuple[Chore, ...] = ()


async def advance_lane(stages: Stages, lane: str, pace: Pace) -> None:
    """Work a lane until nothing is due."""
    try:
        async with stages.shared.engine.begin() as connection:
            held = await lanes.take(connection, lane)
        if held is None:
            return
        if pace.linger_seconds:
            await asyncio.sleep(pace.linger_seconds)
        stage = await stages.of(held)
        await chores.advance(stage, pace.chores)
        await drain(stage, pace)
    except (LaneLost, PaymentChanged):
        log.info("lane.lost", lane=lane)
    except Exception:
        log.exception("lane.failed", lane=lane)
        await asyncio.sleep(0.5)  # the sweep rings again at once; a fault that lasts must not spin


async def drain(stage: Stage, pace: Pace) -> None:
    """Walk batch after batch; before it ends, look once more behind the writers' lock."""
    for _ in range(pace.rounds) if pace.stays else count():
        if not await _open(stage):
            return
        if await _once(stage, pace.batch) or await _stay(stage, pace):
            continue
        async with stage.engine.begin() as connection:
            await bell.exclusive(connection, stage.lane.lane)
        if await _once(stage, pace.batch):
            continue
        if not await _soon(stage):
            return
    async with stage.engine.begin() as connection:
        await bell.ring(connection, [stage.lane.lane])


async def _open(stage: Stage) -> bool:
    async with stage.reads.connect() as connection:
        return await lanes.is_open(connection, stage.lane)


async def _once(stage: Stage, batch: int) -> int:
    moved = 0
    if stage.lane.kind == "screening":
        moved += await ingest.ingest(stage, batch)
    return moved + await road.advance(stage, batch)


async def _stay(stage: Stage, pace: Pace) -> bool:
    """Look a few times more; whether there was work."""
    for times in range(1, pace.stays + 1):
        await asyncio.sleep(times * pace.linger_seconds)
        if await _once(stage, pace.batch):
            return True
    return False


async def _soon(stage: Stage) -> bool:
    """Wait for work that is due in a moment; whether there was any."""
    async with stage.reads.connect() as connection:
        due_at = await lanes.next_due(connection, stage.lane)
    now = stage.clock()
    if due_at is None or due_at - now > _SOON:
        return False
    await asyncio.sleep(max(0.005, (due_at - now).total_seconds()))
    return True
