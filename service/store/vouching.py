"""Signs of life: a process vouches for its lane workers by locks that end with its connection.

A worker's heartbeat tells of a death only after its time is up. The kernel closes a killed process's connections at
once, and PostgreSQL gives its locks back: whoever looks next sees that nobody vouches for the worker any more. A
process that is stopped, or a machine that vanished, keeps its locks for a while: for those the heartbeat remains.
"""

from __future__ import annotations

import asyncio

import psycopg

# The first key of the two-part advisory locks; the second is the worker's number.
_SPACE = 20_771_202

_VOUCH = "SELECT pg_advisory_lock_shared(%s, CAST(%s AS integer))"
# A worker that registered this moment has had no time to be vouched for.
_ORPHANS = """
    SELECT job.id FROM procrastinate_jobs job JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND worker.last_heartbeat < now() - interval '0.5 seconds' AND NOT EXISTS (
        SELECT 1 FROM pg_locks held
        WHERE held.locktype = 'advisory' AND held.granted AND held.classid = %s AND held.objsubid = 2
          AND held.objid = (worker.id %% 2147483648)::oid
          AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""


class Vouching:
    """The connection on which a process holds the locks of its lane workers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[tuple[int]] | None = None
        self._workers: set[int] = set()
        self._one_at_a_time = asyncio.Lock()

    async def vouch(self, worker: int) -> None:
        """Say that a worker lives as long as this process does.

        Raises:
            psycopg.OperationalError: the database is away; the heartbeat vouches for the worker until its next job.
        """
        if worker in self._workers:
            return
        async with self._one_at_a_time:
            connection = await self._connected()
            self._workers.add(worker)
            await connection.execute(_VOUCH, [_SPACE, worker % 2**31])

    async def orphans(self) -> list[int]:
        """The jobs under way whose worker nobody vouches for.

        Raises:
            psycopg.OperationalError: the database is away.
        """
        async with self._one_at_a_time:
            connection = await self._connected()
            found = await connection.execute(_ORPHANS, [_SPACE])
            return [row[0] for row in await found.fetchall()]

    async def close(self) -> None:
        """Give the locks back."""
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> psycopg.AsyncConnection[tuple[int]]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, connect_timeout=10, application_name="opayo-syspro alive"
            )
            for worker in self._workers:
                await self._connection.execute(_VOUCH, [_SPACE, worker % 2**31])
        return self._connection
