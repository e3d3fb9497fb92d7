"""Our own POSTs with an `Idempotency-Key` are done once, whatever the network does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from service.store.tables import alerts, idempotency_keys
from tests.api.office import Office

ALERT = {"code": "shop.slow", "subject": "shop", "title": "The shop is slow"}
OTHER = {**ALERT, "title": "The shop is fast"}
KEY = {"idempotency-key": "0f1e"}


async def times(desk: Office) -> list[int]:
    return [row["times"] for row in await desk.rows(alerts)]


async def test_the_same_key_and_body_get_the_first_answer_again(desk: Office) -> None:
    first = await desk.call("POST", "alerts", json=ALERT, headers=KEY)
    second = await desk.call("POST", "alerts", json=ALERT, headers=KEY)

    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content) == (201, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert await times(desk) == [1]


async def test_the_same_key_with_another_body_is_refused(desk: Office) -> None:
    await desk.post("alerts", ALERT, headers=KEY)

    answer = await desk.call("POST", "alerts", json=OTHER, headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.key-reused")
    assert await times(desk) == [1]


async def test_ten_calls_at_once_with_one_key_are_one(desk: Office) -> None:
    answers = await asyncio.gather(*(desk.call("POST", "alerts", json=ALERT, headers=KEY) for _ in range(10)))

    assert {each.status_code for each in answers} <= {201, 409}
    assert sum("idempotent-replayed" not in each.headers for each in answers if each.is_success) == 1
    assert await times(desk) == [1]


async def test_keys_of_two_callers_and_two_routes_never_meet(desk: Office) -> None:
    await desk.post("alerts", ALERT, headers=KEY)

    other_caller = await desk.call("POST", "alerts", "north operator", json=ALERT, headers=KEY)
    other_route = await desk.call("POST", "lanes/pause", json={"lane": "north/screening"}, headers=KEY)

    assert "idempotent-replayed" not in other_caller.headers
    assert other_route.status_code == 204
    assert await times(desk) == [2]


async def test_a_first_call_that_died_is_taken_over_after_a_minute_and_not_before(desk: Office) -> None:
    await desk.post("alerts", ALERT, headers=KEY)
    for age, expected in ((timedelta(seconds=30), 409), (timedelta(seconds=61), 201)):
        async with desk.site.engine.begin() as connection:
            died = {"status": None, "answer": None, "created_at": datetime.now(UTC) - age}
            await connection.execute(update(idempotency_keys).values(died))

        answer = await desk.call("POST", "alerts", json=ALERT, headers=KEY)

        assert answer.status_code == expected
        assert expected == 201 or answer.json()["code"] == "idempotency.in-progress"


async def test_a_refusal_is_remembered_and_a_failure_of_ours_is_not(desk: Office) -> None:
    gone = {"lane": "north/nowhere"}
    for replayed in (False, True):
        refused = await desk.call("POST", "lanes/pause", json=gone, headers=KEY)
        assert refused.status_code == 404
        assert ("idempotent-replayed" in refused.headers) == replayed

    await desk.site.fault("opayo", "5xx", times=20)
    failed = await desk.call("POST", "/api/v3/tokens", json={}, headers=KEY)
    assert failed.status_code == 503
    await desk.http.delete(f"{desk.site.urls['opayo']}/_sandbox/faults")
    again = await desk.call("POST", "/api/v3/tokens", json={}, headers=KEY)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)


async def test_what_is_shown_once_is_kept_sealed(desk: Office) -> None:
    wanted = {"name": "till", "role": "viewer"}
    made = await desk.post("/api/v1/keys", wanted, headers=KEY)

    again = await desk.post("/api/v1/keys", wanted, headers=KEY)

    assert again == made
    (row,) = await desk.rows(idempotency_keys, None)
    assert made["key"].encode() not in bytes(row["answer"])
