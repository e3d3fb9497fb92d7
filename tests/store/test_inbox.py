"""The inbox takes deliveries together: each is stored once, none spoils another, and the lane always hears of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.store import bell, pairs
from service.store.database import create_engine
from service.store.inbox import Batcher, Delivery
from service.store.vault import Vault, new_key
from tests.flow.site import pair_settings

LANE = bell.screening("north")
BELLS = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = :lane AND status = 'todo'"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database that has the pair `north`."""
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await pairs.save(
            connection, Vault([new_key()]), pair_settings("north", "http://a", "http://b", "http://c")
        )
    yield engine
    await engine.dispose()


def delivery(event_id: str, pair: str = "north") -> Delivery:
    return Delivery(
        pair=pair,
        source="webhook",
        event_id=event_id,
        kind="payment.authorised",
        transaction_id="",
        vendor_tx_code=event_id,
        body=b"{}",
    )


async def ask(engine: AsyncEngine, question: str) -> object:
    async with engine.connect() as connection:
        return await connection.scalar(text(question), {"lane": LANE} if ":lane" in question else {})


async def test_an_event_that_comes_thrice_at_once_and_once_more_is_new_once(engine: AsyncEngine) -> None:
    batcher = Batcher(engine)

    together = await asyncio.gather(*(batcher.store(delivery(name)) for name in ("b", "a", "a", "a")))
    later = await batcher.store(delivery("a"))

    assert [each.new for each in together] == [True, True, False, False]
    assert (later.new, later.inbox_id) == (False, together[1].inbox_id)
    assert await ask(engine, "SELECT deliveries FROM inbox WHERE event_id = 'a'") == 4


async def test_a_delivery_that_cannot_be_stored_does_not_hurt_those_beside_it(engine: AsyncEngine) -> None:
    batcher = Batcher(engine)

    answers = await asyncio.gather(
        *(batcher.store(each) for each in (delivery("a"), delivery("b", "nowhere"), delivery("c"))),
        return_exceptions=True,
    )

    assert isinstance(answers[1], IntegrityError)
    assert await ask(engine, "SELECT string_agg(event_id, ' ' ORDER BY event_id) FROM inbox") == "a c"


async def test_what_was_answered_is_committed_and_its_lane_is_rung_once(engine: AsyncEngine) -> None:
    batcher = Batcher(engine)

    await asyncio.gather(*(batcher.store(delivery(f"e{number}")) for number in range(20)))

    assert await ask(engine, "SELECT count(*) FROM inbox WHERE state = 'received'") == 20
    assert await ask(engine, BELLS) == 1


async def test_a_bell_that_is_answered_while_a_delivery_waits_for_the_lane_is_rung_again(
    engine: AsyncEngine,
) -> None:
    batcher = Batcher(engine)
    await batcher.store(delivery("first"))

    async with engine.begin() as holder:
        await bell.exclusive(holder, LANE)
        waiting = asyncio.create_task(batcher.store(delivery("second")))
        # The statement has begun when it stands at the lane's lock: it began while the bell was waiting.
        while (
            await ask(engine, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            == 0
        ):
            assert not waiting.done()
        async with engine.begin() as worker:
            await worker.execute(text("DELETE FROM procrastinate_jobs"))
    await waiting

    assert await ask(engine, BELLS) == 1
