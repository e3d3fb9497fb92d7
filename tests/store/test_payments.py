"""Payments as rows: many in one statement, each guarded against a second writer, nothing lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.store import audit, pairs, payments
from service.store.audit import Line
from service.store.database import create_engine
from service.store.payments import Payment, PaymentChanged, Posting
from service.store.vault import Vault, new_key
from tests.flow.site import pair_settings

NOON = datetime(2025, 6, 2, 12, 0, 0, 123_456, tzinfo=UTC)
LANE = "north/screening"
TRACE: dict[str, object] = {"sales_order": {"fields": ["…"]}}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await pairs.save(
            connection, Vault([new_key()]), pair_settings("north", "http://a", "http://b", "http://c")
        )
    yield engine
    await engine.dispose()


def payment(number: int) -> Payment:
    return Payment(
        payment_id=0, pair="north", transaction_id=f"T-{number}", vendor_tx_code=f"SO-{number}", kind="payment",
        amount_minor=9_007_199_254_740_993, currency="GBP", state="received", flow="order_to_cash", flow_version=1,
        node="validate", lane=LANE, due_at=NOON - timedelta(seconds=number), revision=0, attempts=0,
        failing_since=None, customer='O\'Brien "& Söhne" \\', order_reference="", gateway={"state": "captured"},
        order=None, mapped={}, trace=TRACE, findings={}, error=None, created_at=NOON, changed_at=NOON, final_at=None,
    )  # fmt: skip


def posting(of: Payment, sequence: int) -> Posting:
    return Posting(
        pair="north", payment_id=of.payment_id, sequence=sequence, kind="ar_payment", reference=f"{of.vendor_tx_code}-{sequence}",
        idempotency_key="k", document={"PaymentValue": {"minor": 1, "currency": "GBP"}},
    )  # fmt: skip


async def added(engine: AsyncEngine, *numbers: int) -> list[Payment]:
    new = [payment(number) for number in numbers]
    async with engine.begin() as connection:
        await payments.add(connection, new)
    return new


async def due(engine: AsyncEngine) -> list[Payment]:
    async with engine.connect() as connection:
        return await payments.due(connection, "north", LANE, NOON, 10)


async def test_what_is_due_comes_back_as_it_was_written_longest_due_first(engine: AsyncEngine) -> None:
    one, two = await added(engine, 1, 2)

    found = await due(engine)

    assert [each.payment_id for each in found] == [two.payment_id, one.payment_id]
    members = ("amount_minor", "customer", "gateway", "order", "due_at", "error", "final_at")
    assert [getattr(found[1], name) for name in members] == [getattr(one, name) for name in members]


async def test_a_trace_is_kept_by_a_lane_that_never_read_it(engine: AsyncEngine) -> None:
    await added(engine, 1)
    (found,) = await due(engine)
    found.state, found.mapped = "mapped", {"ar_payment": {"Customer": "0000001"}}

    async with engine.begin() as connection:
        await payments.save(connection, [found])
        stored = await payments.one(connection, "north", found.payment_id)

    assert stored is not None
    assert (stored.trace, stored.mapped, stored.state) == (TRACE, found.mapped, "mapped")


async def test_an_error_that_is_over_leaves_the_row(engine: AsyncEngine) -> None:
    await added(engine, 1)
    errors: list[dict[str, object] | None] = [{"code": "syspro.unreachable"}, None]
    for error in errors:
        (found,) = await due(engine)
        found.error = error
        async with engine.begin() as connection:
            await payments.save(connection, [found])
            stored = await payments.one(connection, "north", found.payment_id)
        assert stored is not None
        assert stored.error == error


async def test_of_two_writers_the_second_writes_nothing_of_its_batch(engine: AsyncEngine) -> None:
    await added(engine, 1, 2)
    mine, theirs = await due(engine), await due(engine)
    async with engine.begin() as connection:
        await payments.save(connection, theirs[:1])

    for each in mine:
        each.state = "ignored"
    with pytest.raises(PaymentChanged):
        async with engine.begin() as connection:
            await payments.save(connection, mine)

    assert [each.state for each in await due(engine)] == ["received", "received"]


async def test_postings_are_added_and_changed_together_with_their_payments(engine: AsyncEngine) -> None:
    await added(engine, 1, 2)
    found = await due(engine)
    for each in found:
        each.postings = [posting(each, 1), posting(each, 2)]
    async with engine.begin() as connection:
        await payments.save(connection, found)
    for each in found:
        each.postings[1].state, each.postings[1].sent_at = "sent", NOON
    async with engine.begin() as connection:
        await payments.save(connection, found)

    again = await due(engine)

    assert [[(p.posting_id, p.state, p.sent_at) for p in each.postings] for each in again] == [
        [(p.posting_id, p.state, p.sent_at) for p in each.postings] for each in found
    ]
    assert [each.postings[0].state for each in again] == ["prepared", "prepared"]
    assert again[0].postings[0].document == {"PaymentValue": {"minor": 1, "currency": "GBP"}}


async def test_text_that_the_database_cannot_hold_does_not_hold_up_a_batch(engine: AsyncEngine) -> None:
    new = payment(1)
    new.customer, new.gateway = "Wid\0get", {"note": "a\0b", "path": "\\u0000"}
    async with engine.begin() as connection:
        await payments.add(connection, [new])

    (found,) = await due(engine)

    assert (found.customer, found.gateway) == ("Widget", {"note": "ab", "path": "\\u0000"})


async def test_lines_of_one_transaction_keep_their_order(engine: AsyncEngine) -> None:
    (one,) = await added(engine, 1)
    actions = [f"payment.{word}" for word in ("validated", "mapped", "cleared")]
    async with engine.begin() as connection:
        await audit.write(
            connection, [Line(pair="north", payment_id=one.payment_id, action=each) for each in actions]
        )
        found = await audit.timeline(connection, "north", one.payment_id)

    assert [line["action"] for line in found] == actions


async def test_a_transaction_is_found_by_its_id_and_locked(engine: AsyncEngine) -> None:
    from service.store.tables import payments as rows

    await added(engine, 1, 2)
    async with engine.begin() as connection, engine.begin() as other:
        found = await payments.of_transactions(connection, "north", ["T-2", "T-9"])
        await other.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout"):
            await other.execute(
                update(rows).where(rows.c.payment_id == found["T-2"].payment_id).values(state="ignored")
            )

    assert list(found) == ["T-2"]
    assert msgspec.to_builtins(found["T-2"].postings) == []
