"""What only the JSON façade has: keys of idempotency, paging, its error body, and answers that are not its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from integration.canonical.documents import ArPayment
from integration.errors import (
    IntegrationError,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    RecordLocked,
    Rejected,
    Throttled,
    Unclassified,
    UnknownCustomer,
    Unreachable,
)
from integration.http import Answer, Call
from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.syspro.classify import DEFAULT_RULES
from integration.syspro.harmony import HarmonyErp
from integration.syspro.harmony.receipts import receipt_of
from integration.syspro.harmony.wire import Context, failure
from integration.syspro.refusals import Concerning
from tests.connectors.erp_site import Site, a_site, invoice, order, payment


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with a_site(
        "/api/harmony/2.0", lambda config, on_evicted: HarmonyErp(config, on_evicted=on_evicted)
    ) as served:
        served.sandbox.config.settings.idempotency = True
        yield served


async def test_the_same_key_again_is_answered_from_memory_and_adopted(site: Site) -> None:
    erp = site.erp()
    first, again = await erp.post(payment(), "k"), await erp.post(payment(), "k")
    assert (first.adopted, again.adopted) == (False, True)
    assert first.key == again.key
    assert len(site.books("ar_payments")) == 1


async def test_another_document_under_the_same_key_is_refused(site: Site) -> None:
    erp = site.erp()
    await erp.post(payment(), "k")
    with pytest.raises(Rejected) as caught:
        await erp.post(payment(minor=1), "k")
    assert caught.value.error_code == "syspro.idempotency-conflict"


async def test_a_posting_still_running_is_an_unknown_outcome(site: Site) -> None:
    site.sandbox.config.settings.posting_ms = 200
    erp = site.erp()
    await erp.profile()
    first = asyncio.create_task(erp.post(payment(), "k"))
    await asyncio.sleep(0.05)
    with pytest.raises(OutcomeUnknown):
        await erp.post(payment(), "k")
    assert not (await first).adopted


async def test_a_refusal_kept_under_a_key_does_not_outlive_its_cause(site: Site) -> None:
    site.sandbox.config.settings.keep_refusals = True
    erp = site.erp()
    for _ in range(3):
        with pytest.raises(UnknownCustomer):
            await erp.post(payment(customer="4242"), "k")
    site.sandbox.store.add_customer("4242", Name="New")
    await erp.post(payment(customer="4242"), "k")
    assert len(site.books("ar_payments")) == 1


async def test_a_key_outside_the_facades_alphabet_is_sent_in_its_place(site: Site) -> None:
    await site.erp().post(payment(), "pair one/payment é")
    assert len(site.books("ar_payments")) == 1


@pytest.mark.parametrize("outcome", ["posted", "not-posted"])
async def test_a_posting_that_timed_out_downstream_is_looked_up(site: Site, outcome: str) -> None:
    site.sandbox.config.quirks.outcome_unknown = outcome
    erp = site.erp()
    with pytest.raises(OutcomeUnknown):
        await erp.post(payment(), "k")
    assert bool(await erp.find([payment()])) is (outcome == "posted")


async def test_a_list_longer_than_a_page_is_read_to_its_end(site: Site) -> None:
    erp = site.erp()
    for n in range(510):
        await erp.post(payment(f"P{n}", 100), f"k{n}")
    found = await erp.find([payment("P509", 100)])
    # All 510 credits wait under one order number, so the second page holds the last ones.
    assert found["P509"][0].receipt.details["UnappliedInvoice"] == "_CRD0000510"
    document = found["P509"][0].document
    assert isinstance(document, ArPayment)
    assert document.unapplied[0].customer_purchase_order == "WEB-1"


async def test_an_address_without_a_facade_is_a_misconfiguration(site: Site) -> None:
    with pytest.raises(Misconfigured) as caught:
        await site.erp(base_url=site.config.base_url.replace("/api/harmony/2.0", "/_sandbox")).profile()
    assert caught.value.error_code == "syspro.no-facade"


async def test_a_read_that_finds_nothing_is_told_from_a_wrong_address(site: Site) -> None:
    erp = site.erp()
    await erp.profile()
    assert await erp.customer("A/B") is None


async def test_a_duplicate_invoice_number_names_its_cause(site: Site) -> None:
    erp = site.erp()
    await erp.post(invoice(), "a")
    with pytest.raises(IntegrationError) as caught:
        await erp.post(invoice(), "b")
    assert caught.value.error_code == "syspro.already-posted"


async def test_a_failed_look_for_an_order_number_never_says_that_nothing_was_posted(site: Site) -> None:
    site.sandbox.config.quirks.number_not_returned = True
    erp = site.erp()
    await erp.profile()
    site.sandbox.plan.order(FaultOrder("drop", 3, FaultMatch(method="GET")))
    with pytest.raises(OutcomeUnknown):
        await erp.post(order(), "k")
    assert site.orders == 1


def answered(status: int, body: object, write: bool = True) -> Answer:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    call = Call(method="POST", path="/SalesOrder", write=write, about="sales order WEB-1")
    return Answer(system="SYSPRO", call=call, status=status, headers={"retry-after": "7"}, body=raw)


def error_body(code: str, text: str = "") -> dict[str, object]:
    errors = [{"Element": "", "Value": "", "ErrorNumber": "777", "ErrorDescription": text}] if text else []
    return {"Error": {"Code": code, "Message": "1 of 1 items rejected"}, "Items": [{"Errors": errors}]}


@pytest.mark.parametrize(
    ("status", "body", "on_write", "on_read"),
    [
        (400, error_body("UNKNOWN_ELEMENT"), Rejected, Rejected),
        (400, b"<html>Bad request</html>", OutcomeUnknown, Unreachable),
        (403, error_body("NOT_LICENSED"), Misconfigured, Misconfigured),
        (403, error_body("NOT_AUTHORISED"), Misconfigured, Misconfigured),
        (404, error_body("NOT_FOUND"), NotFound, NotFound),
        (404, {"detail": "Not Found"}, Misconfigured, Misconfigured),
        (404, b"\x00<gar", OutcomeUnknown, Unreachable),
        (409, error_body("IN_PROGRESS"), OutcomeUnknown, Throttled),
        (413, error_body("TOO_LARGE"), Rejected, Rejected),
        (422, error_body("BUSINESS_REJECTED", "Something new"), Unclassified, Unclassified),
        (422, error_body("NEW_CODE"), Unclassified, Unclassified),
        (429, error_body("BUSY"), Throttled, Throttled),
        (500, error_body("BUSY"), OutcomeUnknown, Unreachable),
        (502, error_body("LOCKED"), OutcomeUnknown, Unreachable),
        (503, error_body("LICENSE_EXHAUSTED"), Throttled, Throttled),
        (503, error_body("LOCKED"), RecordLocked, RecordLocked),
        (503, b"busy", Throttled, Throttled),
        (504, error_body("OUTCOME_UNKNOWN"), OutcomeUnknown, Unreachable),
    ],
)
def test_an_answer_means_what_its_status_and_code_say(
    status: int, body: object, on_write: type[IntegrationError], on_read: type[IntegrationError]
) -> None:
    context = Context(
        about=Concerning(what="sales order WEB-1"), rules=DEFAULT_RULES, business_object="SORTOI"
    )
    assert type(failure(answered(status, body), context)) is on_write
    assert type(failure(answered(status, body, write=False), context)) is on_read


def test_the_time_to_wait_is_passed_on() -> None:
    context = Context(about=Concerning(what="sales order WEB-1"), rules=DEFAULT_RULES)
    for code in ("LICENSE_EXHAUSTED", "LOCKED", "BUSY"):
        error = failure(answered(503, error_body(code)), context)
        assert isinstance(error, Throttled | RecordLocked)
        assert error.retry_after == 7


async def test_an_order_is_found_although_its_list_shows_the_head_only(site: Site) -> None:
    erp = site.erp()
    await erp.post(order(), "k")
    before = site.sandbox.plan.calls
    await erp.find([order()])
    assert site.sandbox.plan.calls - before == 2


@pytest.mark.parametrize(
    ("items", "error"),
    [
        (
            [{"Status": "REJECTED", "Errors": [{"ErrorDescription": "Customer '1' not found"}]}],
            UnknownCustomer,
        ),
        ([{"Status": "REJECTED"}], OutcomeUnknown),
        ([{"Status": "POSTED"}], OutcomeUnknown),
        ([], OutcomeUnknown),
    ],
)
def test_a_good_status_does_not_make_a_receipt_of_an_item_that_did_not_post(
    items: list[object], error: type[IntegrationError]
) -> None:
    context = Context(about=Concerning(what="AR payment PAY1"), rules=DEFAULT_RULES, business_object="ARSTPY")
    with pytest.raises(error):
        receipt_of(answered(207, {"Items": items}), payment(), context)
