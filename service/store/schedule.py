"""When a pair's regular work is due. A claim moves the due time on, so that of many processes one does the work.

Who claims and dies has not done it: the next turn does. Regular work is therefore such that doing it twice is doing
it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, documents
from service.store.tables import schedule

# Where waits are divided, work that is done every minute would be done without end.
_LEAST = timedelta(seconds=1)


async def due(connection: AsyncConnection, pair: str, jobs: Sequence[str], now: datetime) -> list[str]:
    """Those of a pair's jobs that are due, in the order given; one that was never heard of is due."""
    rows = await connection.execute(
        select(schedule.c.job).where(
            schedule.c.pair == pair, schedule.c.job.in_(jobs), schedule.c.due_at > now
        )
    )
    later = set(rows.scalars())
    return [job for job in jobs if job not in later]


async def claim(connection: AsyncConnection, pair: str, job: str, now: datetime, every: timedelta) -> bool:
    """Take a turn of a job, if one is due; a job that was never heard of is due at once."""
    every = max(every, _LEAST)
    known = (
        insert(schedule)
        .values(pair=pair, job=job, due_at=now + every, started_at=now)
        .on_conflict_do_update(
            index_elements=["pair", "job"],
            set_={"due_at": now + every, "started_at": now},
            where=schedule.c.due_at <= now,
        )
        .returning(schedule.c.job)
    )
    return await connection.scalar(known) is not None


async def finish(
    connection: AsyncConnection, pair: str, job: str, now: datetime, outcome: JsonObject
) -> None:
    """Note what a turn came to."""
    await connection.execute(
        update(schedule)
        .where(schedule.c.pair == pair, schedule.c.job == job)
        .values(finished_at=now, outcome=outcome)
    )


async def hurry(connection: AsyncConnection, pair: str, job: str, now: datetime) -> None:
    """Make a job due now: somebody asked for it."""
    await connection.execute(
        insert(schedule)
        .values(pair=pair, job=job, due_at=now)
        .on_conflict_do_update(index_elements=["pair", "job"], set_={"due_at": now})
    )


async def shown(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """The jobs of a pair with their last outcome, as the API shows them."""
    rows = await connection.execute(select(schedule).where(schedule.c.pair == pair).order_by(schedule.c.job))
    return documents(rows)
