"""A worker that dies at its k-th boundary: before or after a commit, before or after a call to another system.

The worker is a forked child that kills itself with SIGKILL, so nothing of it can tidy up. It works the lanes of a
pair once and ends; a second child then recovers what the first left.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from integration.http_wire import Wire
from service.app import connect
from service.flow.stages import Stages, Surroundings
from service.jobs.lane import Pace, advance_lane
from service.store import lanes
from service.store.database import create_engine
from service.store.vault import Vault

PACE = 600
BOUNDARIES_PASSED = 17


class Boundaries:
    """Counts boundaries, and ends the process at the one it was told."""

    def __init__(self, die_at: int) -> None:
        self._die_at = die_at
        self._passed = 0

    def cross(self) -> None:
        """Cross one more boundary, or die in front of it."""
        self._passed += 1
        if self._passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(engine: Any, boundaries: Boundaries) -> None:
    """Let the process cross a boundary at each commit and each call to another system."""
    dialect = engine.sync_engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        boundaries.cross()
        commit(connection)
        boundaries.cross()

    dialect.do_commit = do_commit
    send: Callable[[Any, Any, float], Awaitable[Any]] = Wire.exchange

    async def exchange(self: Any, request: Any, seconds: float) -> Any:
        boundaries.cross()
        answer = await send(self, request, seconds)
        boundaries.cross()
        return answer

    Wire.exchange = exchange  # type: ignore[method-assign]


async def _work(url: str, keys: list[str], pair: str, boundaries: Boundaries, rounds: int) -> None:
    engine = create_engine(url, pool_size=2)
    watch(engine, boundaries)
    stages = Stages(
        Surroundings(engine=engine, vault=Vault(keys), connect=connect, pace=PACE, chance=lambda: 0.5)
    )
    async with engine.connect() as connection:
        names = sorted(await lanes.names(connection, pair=pair), reverse=True)
    for _ in range(rounds):
        for lane in names:
            await advance_lane(stages, lane, Pace(batch=10, linger_seconds=0))
        if not await _anything_left(engine, pair):
            break
        await asyncio.sleep(0.02)
    await stages.close()
    await engine.dispose()


async def _anything_left(engine: Any, pair: str) -> bool:
    query = (
        "SELECT EXISTS (SELECT 1 FROM payments WHERE pair = '{0}' AND lane IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM inbox WHERE pair = '{0}' AND state = 'received')"
    )
    async with engine.connect() as connection:
        return bool((await connection.exec_driver_sql(query.format(pair))).scalar())


def work_in_a_child(url: str, keys: list[str], pair: str, *, die_at: int = 0, rounds: int = 40) -> bool:
    """Work the pair's lanes in a forked child; whether it lived to the end of its work."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(_work(url, keys, pair, Boundaries(die_at), rounds))
            code = BOUNDARIES_PASSED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == BOUNDARIES_PASSED, f"the worker failed by itself at {datetime.now(UTC)}"
    return True
