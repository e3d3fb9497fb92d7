"""The bell of a lane: a job that says *there is work*, rung in the transaction that made the work due.

A job carries no payload. One may wait while one runs; a third is not needed. The statement does nothing on
conflict, and never updates: an update would lock the waiting job and hide it from the worker that fetches it.

A lane's holder that finds nothing due takes `exclusive` and looks once more before it ends; whoever makes work
due takes `share` first. So a bell that was not rung because one was waiting is never lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

TASK = "advance_lane"

_RING = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
    SELECT lane, %s, 0, lane, lane, jsonb_build_object('lane', lane) FROM unnest(CAST(%s AS text[])) AS lane
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
_SHARE = (
    "SELECT pg_advisory_xact_lock_shared(hashtextextended(lane, 0)) FROM unnest(CAST(%s AS text[])) AS lane"
)
_EXCLUSIVE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def screening(pair: str) -> str:
    """The name of a pair's screening lane."""
    return f"{pair}/screening"


async def share(connection: AsyncConnection, lanes: Sequence[str]) -> None:
    """Announce that this transaction makes work due on lanes; before the work is written."""
    await connection.exec_driver_sql(_SHARE, (list(lanes),))


async def exclusive(connection: AsyncConnection, lane: str) -> None:
    """Wait for every transaction that is making work due on a lane."""
    await connection.exec_driver_sql(_EXCLUSIVE, (lane,))


async def ring(connection: AsyncConnection, lanes: Sequence[str]) -> None:
    """Ring lanes; where a bell is waiting already, nothing happens."""
    if lanes:
        await connection.exec_driver_sql(_RING, (TASK, list(lanes)))
