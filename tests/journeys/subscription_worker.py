"""A worker of subscriptions: turns of the job and walks of the lanes, in a child that may be killed at any boundary."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.app import connect
from service.flow.stages import Stages, Surroundings
from service.flow.subscriptions import charge_due
from service.jobs.lane import Pace, advance_lane
from service.store import lanes
from service.store.database import create_engine
from service.store.vault import Vault
from tests.flow.site import PACE
from tests.journeys.crash import BOUNDARIES_PASSED, Boundaries, watch
from tests.journeys.subscription_site import date_mail

PAIR = "north"
WORK = (
    "SELECT EXISTS (SELECT 1 FROM payments WHERE lane IS NOT NULL)"
    " OR EXISTS (SELECT 1 FROM inbox WHERE state = 'received')"
    " OR EXISTS (SELECT 1 FROM subscription_charges WHERE state IN ('due', 'dunning') AND next_attempt_at < :soon)"
    " OR EXISTS (SELECT 1 FROM subscriptions WHERE state = 'active' AND next_due_at <= :now)"
)


async def work(engine: AsyncEngine, keys: list[str], offset: timedelta, rounds: int = 200) -> None:
    """Turns of the job and walks of the lanes until nothing is left for now."""

    def now() -> datetime:
        return datetime.now(UTC) + offset

    stages = Stages(
        Surroundings(
            engine=engine, vault=Vault(keys), connect=connect, pace=PACE, clock=now, chance=lambda: 0.5
        )
    )
    async with engine.connect() as connection:
        names = sorted(await lanes.names(connection, pair=PAIR), reverse=True)
    for _ in range(rounds):
        await charge_due(stages, PAIR)
        await date_mail(engine, now())
        for lane in names:
            await advance_lane(stages, lane, Pace(batch=50, linger_seconds=0))
        async with engine.connect() as connection:
            left = await connection.scalar(text(WORK), {"now": now(), "soon": now() + timedelta(hours=1)})
        if not left:
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError(f"something is left on {now()}")
    await stages.close()


def in_a_child(url: str, keys: list[str], offset: timedelta, die_at: int = 0) -> bool:
    """Work in a forked child that dies at a boundary; whether it lived to the end of its work."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(_work(url, keys, offset, die_at))
            code = BOUNDARIES_PASSED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == BOUNDARIES_PASSED, "the worker failed by itself"
    return True


async def _work(url: str, keys: list[str], offset: timedelta, die_at: int) -> None:
    engine = create_engine(url, pool_size=2)
    if die_at:
        watch(engine, Boundaries(die_at))
    await work(engine, keys, offset)
    await engine.dispose()
