"""A process that died is known at once by the locks it no longer holds."""

from __future__ import annotations

import asyncio

import psycopg

from service.store.vouching import Vouching

_WORKER = (
    "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 second') RETURNING id"
)
_JOB = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, worker_id)"
    " VALUES ('north/screening', 'advance_lane', 0, '{}', 'doing', %s) RETURNING id"
)


def _job_under_way(url: str) -> tuple[int, int]:
    with psycopg.connect(url, autocommit=True) as connection:
        worker = connection.execute(_WORKER).fetchone()
        assert worker is not None
        job = connection.execute(_JOB, worker).fetchone()
        assert job is not None
        return worker[0], job[0]


async def test_a_job_is_an_orphan_unless_a_living_process_vouches_for_its_worker(database_url: str) -> None:
    worker, job = _job_under_way(database_url)
    process, other = Vouching(database_url), Vouching(database_url)
    assert await other.orphans() == [job]

    await process.vouch(worker)
    assert await other.orphans() == []

    await process.close()
    while not await other.orphans():  # its backend ends a moment after its connection
        await asyncio.sleep(0.01)
    assert await other.orphans() == [job]
    await other.close()


async def test_a_process_whose_connection_was_cut_vouches_again_when_it_next_looks(database_url: str) -> None:
    worker, job = _job_under_way(database_url)
    process, other = Vouching(database_url), Vouching(database_url)
    await process.vouch(worker)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'opayo-syspro alive' AND datname = current_database()"
        )
    assert await _looked(other) == [job]

    assert await _looked(process) == []
    assert await _looked(other) == []
    await process.close()
    await other.close()


async def _looked(process: Vouching) -> list[int]:
    """What it finds with the connection it has, or with the next one."""
    try:
        return await process.orphans()
    except psycopg.OperationalError:
        return await process.orphans()
