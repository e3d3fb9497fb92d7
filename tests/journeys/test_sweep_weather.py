"""Sweeps when Reporting fails, when their process dies in the middle of a window, and when there is too much to list."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import pytest

from integration.sandbox.faults import FaultMatch, FaultOrder
from service.app import connect
from service.flow import sweep_runs
from service.flow.stages import Stages, Surroundings
from service.store.database import create_engine
from tests.journeys.crash import Boundaries, watch
from tests.journeys.sweep_site import PACE, Swept, hours, swept_site

MONDAY = datetime.fromisoformat("2026-11-02T09:00:00+00:00")


@pytest.fixture
async def swept(database_url: str) -> AsyncIterator[Swept]:
    """A site on a Monday in November, without a shop."""
    async with swept_site(database_url, MONDAY) as made:
        yield made


async def _paid(made: Swept, count: int) -> set[str]:
    codes = {f"SO-{number:03d}" for number in range(count)}
    for code in sorted(codes):
        await made.site.pay(code, 1_000)
    made.to(MONDAY + hours(1))
    return codes


async def _found(made: Swept) -> Counter[str]:
    return Counter(row["vendor_tx_code"] for row in await made.messages())


async def test_a_page_without_an_answer_is_asked_for_again_and_nothing_is_skipped(swept: Swept) -> None:
    codes = await _paid(swept, 60)
    for number, fault in enumerate(("5xx", "garbage", "drop", "commit-then-drop")):
        # Where nobody answers, the connector asks twice itself; then the run waits behind its first page.
        match = FaultMatch(path="access.htm", body="getTransactionList", after=1)
        swept.site.opayo.plan.order(FaultOrder(fault, times=1 if fault == "5xx" else 2, match=match))
        await swept.sweep()
        run = (await swept.runs())[number]
        assert (run["state"], run["next_row"], run["attempts"]) == ("running", 51, 1), fault
        assert run["error"]["retried"] is True

        swept.to(swept.now + timedelta(minutes=1))
        await swept.work()

        run = (await swept.runs())[number]
        assert (run["state"], run["error"], run["counts"]["rows"]) == ("done", None, 60), fault
    assert await _found(swept) == Counter(codes)


async def test_rows_that_come_while_a_window_is_paged_begin_it_again(swept: Swept) -> None:
    await _paid(swept, 60)
    late = datetime.fromisoformat("2026-11-02T09:20:00+00:00")
    match = FaultMatch(path="access.htm", body="getTransactionList", after=1)
    swept.site.opayo.plan.order(FaultOrder("5xx", match=match))
    await swept.sweep()
    swept.to(late)
    await swept.site.pay("LATE-1", 1_000)
    swept.to(MONDAY + hours(2))
    await swept.work()

    (run,) = await swept.runs()
    assert run["state"] == "done"
    assert (await _found(swept)) == Counter({*(f"SO-{n:03d}" for n in range(60)), "LATE-1"})


async def test_a_window_with_too_many_rows_is_halved_until_opayo_lists_it(swept: Swept) -> None:
    parts = swept.site.opayo.parts
    codes = set()
    for number in range(30):
        swept.to(MONDAY + hours(number))
        codes.add(code := f"SO-{number:03d}")
        await swept.site.pay(code, 1_000)
    swept.to(MONDAY + hours(31))
    parts.engine.config = msgspec.structs.replace(parts.engine.config, list_maximum=8)
    await swept.sweep()

    (run,) = await swept.runs()
    assert run["state"] == "done"
    assert len(run["windows"]) > 4
    assert await _found(swept) == Counter(codes)


async def test_a_wrong_password_waits_and_tells_a_person(swept: Swept) -> None:
    await _paid(swept, 1)
    parts = swept.site.opayo.parts
    right = parts.engine.config
    parts.engine.config = msgspec.structs.replace(right, reporting_user="somebody")
    await swept.sweep()
    assert await swept.alerts() == {"opayo.reporting-account"}

    parts.engine.config = right
    swept.to(swept.now + timedelta(minutes=16))
    await swept.sweep()
    assert {run["state"] for run in await swept.runs()} == {"done"}
    assert await _found(swept) == Counter(["SO-000"])


async def test_after_days_without_a_turn_the_next_one_begins_where_the_last_ended(swept: Swept) -> None:
    await swept.sweep()
    await _paid(swept, 1)
    swept.to(MONDAY + timedelta(days=9))
    await swept.sweep()

    assert await _found(swept) == Counter(["SO-000"])
    assert len((await swept.runs())[1]["windows"]) == 2


def _child(database_url: str, made: Swept, die_at: int) -> None:
    """A process that sweeps and dies at a boundary: a commit or a call to Opayo."""

    async def main() -> None:
        engine = create_engine(database_url)
        watch(engine, Boundaries(die_at))
        clock = made.site.opayo.parts.clock
        offset = clock.offset
        now = lambda: datetime.now().astimezone() + offset  # noqa: E731
        stages = Stages(
            Surroundings(engine=engine, vault=made.site.vault, connect=connect, pace=PACE, clock=now)
        )
        await sweep_runs.sweep(stages, made.site.pair)
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(main())


@pytest.mark.parametrize("die_at", [4, 7, 10])
async def test_a_process_that_dies_in_the_middle_of_a_window_loses_and_doubles_nothing(
    database_url: str, die_at: int
) -> None:
    async with swept_site(database_url, MONDAY) as made:
        codes = await _paid(made, 120)
        child = os.fork()
        if child == 0:
            try:
                _child(database_url, made, die_at)
            finally:
                os._exit(1)
        await asyncio.to_thread(os.waitpid, child, 0)
        pages = [run["counts"]["pages"] for run in await made.runs()]
        assert pages in ([], [0], [1], [2], [3])
        assert sum(pages) >= (die_at >= 7) + (die_at >= 10), "the process died before it did its work"
        for _ in range(2):
            await made.sweep()

        assert await _found(made) == Counter(codes)
        assert {run["state"] for run in await made.runs()} == {"done"}
        assert all(message["deliveries"] == 1 for message in await made.messages())


async def test_two_who_read_the_same_run_count_and_tell_each_row_once(swept: Swept) -> None:
    codes = await _paid(swept, 120)
    await swept.ask(sweep_runs.Range(start=MONDAY - hours(1), end=swept.now))
    await asyncio.gather(*(swept.work() for _ in range(3)))

    (run,) = await swept.runs()
    assert (run["state"], run["counts"]["rows"], run["counts"]["alone"]) == ("done", 120, 120)
    assert await _found(swept) == Counter(codes)


async def test_what_opayo_refuses_for_good_fails_for_a_person_who_resumes_it(swept: Swept) -> None:
    await _paid(swept, 1)
    parts = swept.site.opayo.parts
    right = parts.engine.config
    parts.engine.config = msgspec.structs.replace(right, list_maximum=0)
    run_id = await swept.ask(sweep_runs.Range(start=MONDAY - hours(1), end=swept.now))
    await swept.work()
    (run,) = await swept.runs()
    assert (run["state"], run["error"]["code"]) == ("failed", "opayo.reporting-too-many-rows")
    assert await swept.alerts() == {"opayo.reporting-too-many-rows"}

    parts.engine.config = right
    await swept.switch(run_id, "running")
    await swept.work()
    assert [run["state"] for run in await swept.runs()] == ["done"]
    assert await _found(swept) == Counter(["SO-000"])


async def test_a_row_that_makes_no_sense_keeps_no_other_from_arriving(swept: Swept) -> None:
    await _paid(swept, 3)
    swept.site.opayo.parts.store.codes["sandbox", "SO-001"].id = "NONE"
    await swept.sweep()

    assert await _found(swept) == Counter(["SO-000", "SO-002"])
    assert await swept.alerts() == {"sweep.unreadable-rows"}
    (run,) = await swept.runs()
    assert (run["state"], run["counts"]["rows"], run["counts"]["unreadable"]) == ("done", 3, 1)


async def test_the_nightly_turn_is_taken_once_a_night_and_old_turns_are_forgotten(swept: Swept) -> None:
    for day in (0, 1, 40):
        swept.to(MONDAY + timedelta(days=day))
        await swept.sweep()
        assert "nightly" in str(await swept.nightly())
        assert await swept.nightly() == {"sweep": "not yet"}

    # The first of all stays, since what it found alarms nobody; and the last that was complete of each kind.
    assert [(run["kind"], run["started_at"].day) for run in await swept.runs()] == [
        ("sweep", MONDAY.day),
        ("nightly", (MONDAY + timedelta(days=1)).day),
        ("sweep", (MONDAY + timedelta(days=40)).day),
        ("nightly", (MONDAY + timedelta(days=40)).day),
    ]


async def test_a_pair_may_leave_the_lists_alone_and_still_be_asked_to_read_them(swept: Swept) -> None:
    await _paid(swept, 1)
    await swept.configure(enabled=False)
    assert [await swept.sweep(), await swept.nightly()] == [{"sweep": "off"}] * 2
    await swept.ask(sweep_runs.Range(start=MONDAY - hours(1), end=swept.now))
    await swept.work()
    assert await _found(swept) == Counter(["SO-000"])
