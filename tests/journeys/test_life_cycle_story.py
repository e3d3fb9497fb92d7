"""The life cycle of a transaction: what is captured is posted, once; what never was is not; what goes back leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from integration.canonical.money import Money
from integration.errors import IntegrationError, InvalidPayment, Rejected
from integration.ports import Instruction, RelatedRequest
from service.flow import instructions, requests
from service.flow.settle import settle_requests
from tests.flow.site import Site, site
from tests.journeys.refund_site import (
    BANK,
    CLEARING,
    ar_balance,
    arrives,
    at_rest,
    confirmed,
    count,
    gateway,
    gl,
    instruct,
    relate,
    set_refunds,
    sound,
    till,
)


@pytest.fixture(params=["harmony", "enet"])
async def both(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with site(database_url, shop=False, transport=request.param) as made:
        yield made


@pytest.fixture
async def north(database_url: str) -> AsyncIterator[Site]:
    async with site(database_url, shop=False) as made:
        yield made


async def by_api(north: Site, kind: str, transaction_id: str, minor: int | None = None) -> None:
    amount = None if minor is None else Money(minor, "GBP")
    instruction = Instruction(kind=kind, transaction_id=transaction_id, amount=amount)  # type: ignore[arg-type]
    await instructions.instruct(await till(north), instruction)


async def test_a_hold_posts_nothing_and_its_release_posts_what_was_released(both: Site) -> None:
    held = await both.pay("DF-1", 10_000, transactionType="Deferred")
    await both.deliver(held, "DF-1")
    await both.walk()
    assert (await both.payment("DF-1")).state == "received"
    assert await gl(both) == {}

    await by_api(both, "release", held["transactionId"], 6_000)

    await confirmed(both, "DF-1")
    assert (await gl(both))[BANK] == 6_000
    assert await ar_balance(both) == -6_000
    await sound(both)


async def test_a_hold_is_released_once_and_never_for_more_than_is_held(north: Site) -> None:
    held = await north.pay("DF-1", 10_000, transactionType="Deferred")
    with pytest.raises(InvalidPayment, match="cannot be released"):
        await by_api(north, "release", held["transactionId"], 10_001)

    await north.fault("opayo", "commit-then-drop", path="instructions")
    await by_api(north, "release", held["transactionId"], 6_000)
    await by_api(north, "release", held["transactionId"], 6_000)
    with pytest.raises(Rejected, match="released once"):
        await by_api(north, "release", held["transactionId"], 4_000)

    await confirmed(north, "DF-1")
    assert (await gl(north))[BANK] == 6_000
    assert await count(north, "gateway_requests", "kind = 'release' AND state = 'answered'") == 1


async def test_no_more_is_refunded_of_a_hold_than_was_released(north: Site) -> None:
    held = await north.pay("DF-1", 10_000, transactionType="Deferred")
    await by_api(north, "release", held["transactionId"], 6_000)
    request = RelatedRequest(
        kind="refund",
        vendor_tx_code="RF-1",
        related_transaction_id=held["transactionId"],
        amount=Money(6_001, "GBP"),
        description="Too much",
    )
    with pytest.raises(IntegrationError, match="6000 was captured"):
        await requests.refund(await till(north), request, "m")


@pytest.mark.parametrize(
    ("kind", "type_"), [("abort", "Deferred"), ("cancel", "Authenticate"), ("void", "Payment")]
)
async def test_what_was_taken_back_before_it_was_posted_posts_nothing(
    north: Site, kind: str, type_: str
) -> None:
    taken = await north.pay("XX-1", 10_000, transactionType=type_)
    await instruct(north, kind, taken)  # type: ignore[arg-type]
    # Opayo's status still reads `Ok` after an abort or a void: the code alone tells.
    assert (await (await gateway(north)).transaction(taken["transactionId"])).status in (
        "Ok",
        "Authenticated",
        "Registered",
    )
    await north.deliver(taken, "XX-1")

    assert await at_rest(north, "XX-1") == ["ignored"]
    assert await gl(north) == {}


async def test_what_is_aborted_while_it_is_held_is_ignored(north: Site) -> None:
    held = await north.pay("DF-1", 10_000, transactionType="Deferred")
    await north.deliver(held, "DF-1")
    await north.walk()

    await by_api(north, "abort", held["transactionId"])

    assert await at_rest(north, "DF-1") == ["ignored"]
    assert await gl(north) == {}


async def test_a_void_of_a_posted_payment_takes_it_out_of_the_ledger_again(north: Site) -> None:
    paid = await north.pay("PO-1", 10_000)
    await north.deliver(paid, "PO-1")
    await confirmed(north, "PO-1")
    await north.fault("syspro", "commit-then-drop", times=2, method="POST")

    await by_api(north, "void", paid["transactionId"])
    await north.deliver(paid, "PO-1", kind="payment.voided")
    await north.walk()

    async with north.engine.connect() as connection:
        code = await connection.exec_driver_sql("SELECT vendor_tx_code FROM payments WHERE kind = 'refund'")
        [(reversal,)] = code.all()
    await confirmed(north, str(reversal))
    ledger = await gl(north)
    assert (ledger.get(BANK, 0), ledger.get(CLEARING, 0), await ar_balance(north)) == (0, 0, 0)
    await sound(north)


async def test_where_a_pair_wants_it_a_void_of_a_posted_payment_is_only_told(north: Site) -> None:
    await set_refunds(north, on_void="alert")
    paid = await north.pay("PO-1", 10_000)
    await north.deliver(paid, "PO-1")
    await confirmed(north, "PO-1")

    await by_api(north, "void", paid["transactionId"])
    await north.walk()

    assert await count(north, "payments") == 1
    assert await count(north, "alerts", "code = 'opayo.money-went-back'") == 1


async def test_an_authenticated_transaction_is_authorised_in_parts_up_to_115_percent(north: Site) -> None:
    known = await north.pay("AU-1", 10_000, transactionType="Authenticate")
    at = await till(north)

    async def take(code: str, minor: int) -> None:
        request = RelatedRequest(
            kind="authorise",
            vendor_tx_code=code,
            related_transaction_id=known["transactionId"],
            amount=Money(minor, "GBP"),
            description="Part",
        )
        await requests.authorise(at, request, code)

    await take("AU-1-A", 8_000)
    await north.fault("opayo", "commit-then-drop", path="transactions", method="POST")
    await take("AU-1-B", 3_500)
    await take("AU-1-B", 3_500)
    with pytest.raises(InvalidPayment, match="115"):
        await take("AU-1-C", 1)

    await confirmed(north, "AU-1-A", "AU-1-B")
    assert (await gl(north))[BANK] == 11_500


async def test_a_repeat_is_a_payment_of_its_own(north: Site) -> None:
    first = {"credentialType": {"cofUsage": "First", "initiatedType": "CIT"}}
    paid = await north.pay("PO-1", 10_000, **first)
    await north.deliver(paid, "PO-1")
    again = await relate(north, "repeat", paid, "RP-1", 2_000)
    for _ in range(2):
        await arrives(north, again, "RP-1")

    await confirmed(north, "PO-1", "RP-1")
    assert (await north.payment("RP-1")).related_transaction_id == paid["transactionId"]
    assert (await gl(north))[BANK] == 12_000


async def test_requests_that_nobody_heard_of_settle_themselves(north: Site) -> None:
    paid = await north.pay("PO-1", 10_000)
    await north.deliver(paid, "PO-1")
    await confirmed(north, "PO-1")
    request = RelatedRequest(
        kind="refund",
        vendor_tx_code="RF-1",
        related_transaction_id=paid["transactionId"],
        amount=Money(4_000, "GBP"),
        description="Goods",
    )
    await north.fault("opayo", "commit-then-drop", path="transactions", method="POST")
    deaf = await till(north)
    assert (
        await requests.refund(
            type(deaf)(engine=deaf.engine, gateway=deaf.gateway, pair="north", pauses=()), request, "m"
        )
        is None
    )

    told = await settle_requests(deaf, north.stages.shared.clock() + timedelta(seconds=1))

    assert told == {"settled": 1, "refused": 0, "open": 0}
    await confirmed(north, "RF-1")
    assert await ar_balance(north) == -6_000
