"""Deliveries: each event once to each subscriber, in the order of its subject, whatever the other side does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from service.core.events import Event, event_id
from service.flow import deliver
from service.store import audit, deliveries, events, pairs, subscribers
from tests.flow.site import Site
from tests.journeys.listener import Listener, deliver_all, listening, rows, subscribe


@pytest.fixture
async def till() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


async def happen(north: Site, *types: str, subject: str = "order/1") -> None:
    """Put events about a subject into the outbox."""
    made = [
        Event(
            event_id=event_id(subject, type_),
            type=type_,
            subject=subject,
            data={"order_reference": "1001"},
            happened_at=datetime.now(UTC),
        )
        for type_ in types
    ]
    async with north.engine.begin() as connection:
        await events.add(connection, north.pair, made)


async def overdue(north: Site) -> None:
    """Time goes on for what waits to be tried again."""
    async with north.engine.begin() as connection:
        await connection.execute(text("UPDATE deliveries SET due_at = now() WHERE state = 'pending'"))
        await connection.execute(text("UPDATE subscribers SET rests_until = NULL"))


async def kept(north: Site) -> list[dict[str, Any]]:
    return await rows(north, "SELECT * FROM deliveries ORDER BY event_seq, subscriber")


BOTH = ("order.status_changed", "order.dispatched")


@pytest.mark.parametrize("answer", [500, 302, "drop"])
async def test_a_subscriber_that_fails_hears_it_again_and_the_rest_in_order(
    north: Site, till: Listener, answer: int | str
) -> None:
    till.answers = [answer, answer]
    await subscribe(north, till.url, ["order.*"])
    await happen(north, *BOTH)
    for _ in range(3):
        await deliver_all(north)
        await overdue(north)

    assert till.types() == list(BOTH)
    assert len(till.heard) == 4
    assert len({each["id"] for each in till.heard[:3]}) == 1
    first = (await kept(north))[0]
    assert (first["state"], first["attempts"], len(first["tries"])) == ("delivered", 3, 3)
    assert ("redirects are not followed" in first["tries"][0]["error"]) == (answer == 302)


async def test_after_three_days_it_is_dead_people_are_told_and_a_replay_brings_it(
    north: Site, till: Listener
) -> None:
    till.answers = [500, 500]
    await subscribe(north, till.url, ["order.*"])
    await happen(north, *BOTH)
    await deliver_all(north)
    async with north.engine.begin() as connection:
        await connection.execute(text("UPDATE deliveries SET failing_since = now() - interval '4 days'"))
    await overdue(north)
    await deliver_all(north)
    [first, _] = await kept(north)
    assert first["state"] == "dead"
    assert [row["code"] for row in await rows(north, "SELECT code FROM alerts")] == ["subscriber.undelivered"]
    await overdue(north)
    await deliver_all(north)
    assert till.types() == ["order.dispatched"]

    async with north.engine.begin() as connection:
        now = north.stages.shared.clock()
        assert await deliveries.replay(connection, north.pair, first["delivery_id"], now)
    await deliver_all(north)
    assert till.types() == ["order.dispatched", "order.status_changed"]


async def test_a_subscriber_that_is_down_holds_up_no_other_and_is_left_alone(
    north: Site, till: Listener
) -> None:
    await subscribe(north, till.url, ["order.*"])
    await subscribe(north, "http://127.0.0.1:9/hook", ["order.*"], name="down")
    for number in range(12):
        await happen(north, *BOTH, subject=f"order/{number}")
    await deliver_all(north)

    assert len(till.taken) == 24
    down = [each for each in await kept(north) if each["subscriber"] == "sub_down"]
    assert {each["state"] for each in down} == {"pending"}
    assert sum(each["attempts"] for each in down) == 8
    assert len(await kept(north)) == 48


async def test_who_wants_only_some_types_hears_only_those(north: Site, till: Listener) -> None:
    await subscribe(north, till.url, ["order.dispatched", "credit_note.*"])
    await happen(north, *BOTH, "order.invoiced", "credit_note.raised")
    await deliver_all(north)
    assert till.types() == ["order.dispatched", "credit_note.raised"]


async def test_a_paused_subscriber_hears_all_when_it_goes_on(north: Site, till: Listener) -> None:
    name = await subscribe(north, till.url, ["order.*"])
    async with north.engine.begin() as connection:
        await subscribers.change(connection, north.pair, name, {"paused": True})
    await happen(north, *BOTH)
    await deliver_all(north)
    assert till.heard == []
    async with north.engine.begin() as connection:
        await subscribers.change(connection, north.pair, name, {"paused": False})
    await deliver_all(north)
    assert till.types() == list(BOTH)


async def test_workers_side_by_side_send_nothing_twice_and_keep_the_order_of_a_subject(
    north: Site, till: Listener
) -> None:
    till.seconds = 0.01
    await subscribe(north, till.url, ["order.*"])
    for number in range(20):
        await happen(north, *BOTH, subject=f"order/{number}")
    await asyncio.gather(*(deliver_all(north, 2) for _ in range(4)))

    assert len(till.heard) == 40
    assert len({each["id"] for each in till.heard}) == 40
    for number in range(20):
        assert till.types(f"order/{number}") == list(BOTH)
    assert till.most_at_once > 1


async def test_who_dies_between_sending_and_noting_it_sends_the_same_id_again(
    north: Site, till: Listener
) -> None:
    await subscribe(north, till.url, ["order.*"])
    await happen(north, *BOTH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deliveries, "finish", _died)
        with pytest.raises(ConnectionAbortedError):
            await deliver_all(north)
    await deliver_all(north)
    assert len(till.heard) == 1, "its lease still runs"
    await overdue(north)
    await deliver_all(north)
    assert [each["type"] for each in till.heard] == [BOTH[0], *BOTH]
    assert till.heard[0]["id"] == till.heard[1]["id"]


async def _died(*_: object) -> None:
    raise ConnectionAbortedError


async def test_the_shop_is_told_of_the_statuses_that_the_settings_name(north: Site) -> None:
    await north.order("SO-1", "10.00")
    settings, _ = await north.stages.connections(north.pair)
    assert settings.shop is not None
    shop = msgspec.structs.replace(settings.shop, statuses={"order.dispatched": "completed"})
    async with north.engine.begin() as connection:
        await pairs.save(connection, north.vault, msgspec.structs.replace(settings, shop=shop))
    north.stages.forget(north.pair)
    await happen(north, *BOTH, "order.invoiced")
    await deliver_all(north)
    await deliver_all(north)

    [order] = (await north.http.get(f"{north.urls['shop']}/_sandbox/ledger")).json()["orders"]
    assert order["status"] == "completed"
    assert [each["subscriber"] for each in await kept(north)] == ["shop"]


async def test_the_road_tells_what_it_did_by_the_kind_of_transaction_once_somebody_subscribed(
    north: Site, till: Listener
) -> None:
    await north.sale("SO-1", 1_000)
    await north.walk()
    payment = await north.payment("SO-1")
    line = audit.Line(
        pair=north.pair, payment_id=payment.payment_id, action="payment.exception", detail={"x": 1}
    )
    async with north.engine.begin() as connection:
        await audit.write(connection, [line])
    assert await rows(north, "SELECT * FROM events") == []

    await subscribe(north, till.url, ["refund.*", "payment.held"])
    async with north.engine.begin() as connection:
        await connection.execute(text("UPDATE payments SET kind = 'refund'"))
        held = msgspec.structs.replace(line, action="payment.looked_up")
        await audit.write(connection, [line, held])
    await deliver_all(north)
    [told] = till.taken
    assert (told["type"], told["subject"]) == ("refund.exception", f"payment/{payment.transaction_id}")
    assert (told["data"]["amount_minor"], told["data"]["currency"]) == (1_000, "GBP")
    assert told["data"]["detail"] == {"x": 1}


async def test_old_events_are_dropped_unless_somebody_still_waits_for_them(
    north: Site, till: Listener
) -> None:
    await subscribe(north, till.url, ["order.*"])
    await subscribe(north, "http://127.0.0.1:9/hook", ["order.dispatched"], name="down")
    await happen(north, *BOTH)
    await deliver_all(north)
    async with north.engine.begin() as connection:
        await connection.execute(text("UPDATE events SET happened_at = now() - interval '31 days'"))
    assert await deliver.prune(north.stages, north.pair) == {"pruned": 1}
    assert [each["subscriber"] for each in await kept(north)] == ["sub_down", "sub_till"]
