"""Regular work: one turn at a time whoever asks, and no job's failure is another's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from integration.errors import Unreachable
from service.flow.chores import Chore
from service.flow.stage import Stage
from service.flow.stages import Stages
from service.jobs.lane import Pace, advance_lane
from service.jobs.schedule import Job, run_due
from service.store import payment_views, schedule
from tests.flow.site import Site

LONG = timedelta(days=600)


async def _outcomes(site: Site) -> dict[str, object]:
    async with site.engine.connect() as connection:
        return {str(row["job"]): row["outcome"] for row in await schedule.shown(connection, site.pair)}


async def test_of_many_processes_one_takes_the_turn(north: Site) -> None:
    taken: list[str] = []

    async def count(_stages: Stages, pair: str) -> dict[str, object]:
        taken.append(pair)
        return {"counted": 1}

    job = Job(name="count", every=LONG, run=count)
    turns = await asyncio.gather(*(run_due(north.stages, [job]) for _ in range(8)))

    assert taken == ["north"]
    assert sum(turns) == 1
    outcome = (await _outcomes(north))["count"]
    assert isinstance(outcome, dict)
    assert outcome["counted"] == 1


async def test_a_job_that_fails_says_why_and_the_next_one_has_its_turn(north: Site) -> None:
    async def down(_stages: Stages, _pair: str) -> dict[str, object]:
        raise Unreachable("The file server is away", code="sftp.unreachable")

    async def broken(_stages: Stages, _pair: str) -> dict[str, object]:
        raise KeyError("defect")

    async def fine(_stages: Stages, _pair: str) -> dict[str, object]:
        return {"done": 3}

    jobs = [Job(name=run.__name__, every=LONG, run=run) for run in (down, broken, fine)]
    assert await run_due(north.stages, jobs) == 3

    outcomes = await _outcomes(north)
    assert "sftp.unreachable" in str(outcomes["down"])
    assert "KeyError in job broken" in str(outcomes["broken"])
    assert "'done': 3" in str(outcomes["fine"])


async def test_a_job_asked_for_is_done_before_its_time(north: Site) -> None:
    async def fine(_stages: Stages, _pair: str) -> dict[str, object]:
        return {}

    job = Job(name="fine", every=LONG, run=fine)
    assert [await run_due(north.stages, [job]) for _ in range(2)] == [1, 0]
    async with north.engine.begin() as connection:
        await schedule.hurry(connection, north.pair, "fine", north.stages.shared.clock())

    assert await run_due(north.stages, [job]) == 1


async def test_a_chore_is_done_on_a_posting_lane_with_its_session_and_rings_when_due(north: Site) -> None:
    companies: list[str] = []

    async def ask(stage: Stage) -> dict[str, object]:
        companies.append((await stage.session.profile()).company)
        return {}

    chore = Chore(name="ask", every=LONG, run=ask)
    pace = Pace(linger_seconds=0, chores=(chore,))
    async with north.engine.connect() as connection:
        now = north.stages.shared.clock()
        assert await payment_views.lanes_with_work(connection, now, ["ask"]) == ["north/post/OPAYO1"]
    await advance_lane(north.stages, "north/screening", pace)
    assert companies == []
    await advance_lane(north.stages, "north/post/OPAYO1", pace)
    await advance_lane(north.stages, "north/post/OPAYO1", pace)

    assert companies == ["EDU1"]
    async with north.engine.connect() as connection:
        now = north.stages.shared.clock()
        assert await payment_views.lanes_with_work(connection, now, ["ask"]) == []
