"""What stops a chargeback, what it leaves alone, and what becomes of it in other currencies."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from integration.canonical.money import Money
from integration.ports import RelatedRequest
from service.flow.files import Arrived, take
from tests.flow.disputes import (
    CLEARING,
    LOSS,
    SUSPENSE,
    accounts,
    broken,
    changed,
    notice,
    open_alerts,
    posted,
    sold,
    tell,
)
from tests.flow.site import Site


async def test_euros_of_a_sterling_customer_come_to_nothing_at_the_payments_own_rate(north: Site) -> None:
    await north.order("SO-1", "10.00", currency="EUR")
    paid = await north.pay("SO-1", 1_000, currency="EUR")
    await north.deliver(paid, "SO-1")
    await north.walk()
    [sterling] = await north.ar_payments("SO-1")
    euros = {"amount": Money(1_000, "EUR"), "transaction_id": paid["transactionId"]}

    await tell(north, replace(notice("first_chargeback", 1_000), **euros))
    assert await accounts(north) == {SUSPENSE: sterling}

    await tell(north, replace(notice("reversed", 1_000, 9), **euros))
    assert await accounts(north) == {CLEARING: sterling}
    assert await broken(north) == []


async def test_a_refund_made_elsewhere_of_money_charged_back_is_held(north: Site) -> None:
    of = await sold(north)
    await tell(north, notice("first_chargeback", 12_995, transaction_id=of))
    gateway = (await north.stages.connections(north.pair))[1].gateway
    refund = await gateway.relate(
        RelatedRequest(
            kind="refund",
            vendor_tx_code="R-1",
            amount=Money(2_000, "GBP"),
            description="Sorry",
            related_transaction_id=of,
        )
    )

    await north.deliver({"transactionId": refund.transaction_id}, "R-1", kind="payment.refunded")
    await north.walk()

    held = await north.payment("R-1")
    assert (held.state, held.error) == ("held", None)
    assert "Paid back twice" in str(held.findings["screen"])
    assert await accounts(north) == {SUSPENSE: 12_995}


async def test_a_chargeback_of_a_payment_nobody_knows_waits_for_a_person(north: Site) -> None:
    await changed(north, order_wait_minutes=0)

    await tell(north, notice("first_chargeback", 1_000, vendor_tx_code="NEVER-SEEN"))

    assert (await north.payment("CB-CB-1-first_chargeback")).state == "held"
    assert "chargeback.payment-unknown" in await open_alerts(north)
    assert await accounts(north) == {}


async def test_a_stage_told_again_with_another_amount_is_a_persons_to_settle(north: Site) -> None:
    of = await sold(north)
    await tell(north, notice("first_chargeback", 5_000, transaction_id=of))

    await tell(north, notice("first_chargeback", 6_000, transaction_id=of))

    assert await accounts(north) == {CLEARING: 7_995, SUSPENSE: 5_000}
    assert "chargeback.told-differently" in await open_alerts(north)


async def test_two_notices_that_contradict_each_other_in_one_batch_are_not_taken_for_one(north: Site) -> None:
    of = await sold(north)

    await tell(
        north,
        notice("first_chargeback", 5_000, transaction_id=of),
        notice("first_chargeback", 6_000, transaction_id=of),
    )

    assert await accounts(north) == {CLEARING: 7_995, SUSPENSE: 5_000}
    assert "chargeback.told-differently" in await open_alerts(north)


async def test_a_file_of_the_acquirer_opens_and_closes_cases(north: Site) -> None:
    of = await sold(north)
    settings, _ = await north.stages.connections(north.pair)
    head = (
        "chargeback_ref,acquirer,merchant_number,stage,reason_code,reason_text,received_on,respond_by,"
        "original_vendor_tx_code,original_vps_tx_id,auth_code,card_scheme,last4,original_amount,disputed_amount,"
        "currency,posted_on"
    )
    rows = [
        f"CB-1,Elavon,123,{stage},4837,No authorisation,{day},{until},SO-1,{{{of}}},1,VISA,0006,129.95,100.00,GBP,{day}"
        for stage, day, until in (
            ("accepted", "2025-07-01", ""),
            ("first_chargeback", "2025-06-02", "2025-06-23"),
        )
    ]
    content = "\n".join([head, *rows]).encode()

    for name in ("day.csv", "again.csv"):
        await take(north.engine, settings, Arrived(name=name, content=content, source="upload", by="Ann"))
        await north.walk()

    assert await accounts(north) == {CLEARING: 2_995, LOSS: 10_000}
    assert (await north.payment("CB-CB-1-accepted")).customer == (await north.payment("SO-1")).customer
    assert await broken(north) == []


async def test_a_stage_that_moves_no_money_never_reaches_syspro(north: Site) -> None:
    of = await sold(north)
    before = await posted(north)

    await tell(north, notice("retrieval_request", 12_995, transaction_id=of))

    assert (await north.payment("CB-CB-1-retrieval_request")).state == "ignored"
    assert await posted(north) == before
    assert "chargeback.opened" in await open_alerts(north)


async def test_a_lost_case_bills_the_customer_again_where_the_pair_wants_it(north: Site) -> None:
    await changed(north, chargebacks={"rules": {"lost": "debit_note"}})
    of = await sold(north)

    await tell(north, notice("first_chargeback", 12_995, transaction_id=of), notice("accepted", 12_995, 9))

    assert await accounts(north) == {LOSS: 12_995}
    notes = [row for row in (await north.ledger())["invoices"] if row["DocumentType"] == "D"]
    assert [Decimal(str(row["CurrencyValue"])) for row in notes] == [Decimal("129.95")]
    assert await broken(north) == []
