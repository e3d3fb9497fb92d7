"""Settings of the e.net transport: each changes what is sent, or what is made of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from integration.canonical.documents import ErpDocument, InvoiceToPay
from integration.errors import IntegrationError, Misconfigured, SessionLost
from integration.sandbox.faults import FaultMatch, FaultOrder
from tests.connectors.erp_site import gbp, invoice, order, payment
from tests.contracts.company import Company, a_company, values


@pytest.fixture
async def company(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    async with a_company(monkeypatch) as served:
        yield served


@pytest.mark.parametrize(
    ("document", "settings", "element", "usual", "changed"),
    [
        (order(), {"order_warnings": "N"}, "IgnoreWarnings", {"W"}, {"N"}),
        (payment(), {"money_warnings": "Y"}, "IgnoreWarnings", {"N"}, {"Y"}),
        (payment(), {"customer_key": 12}, "Customer", {"0000001"}, {"000000000001"}),
        (invoice(), {"invoice_key": 12}, "Invoice", {"9001"}, {"000000009001"}),
        (order(), {"parameters": {"SORTOI": {"AllocationAction": "B"}}}, "AllocationAction", {"A"}, {"B"}),
        (payment(), {"parameters": {"ARSTPY": {"NextJournal": "Y"}}}, "NextJournal", set(), {"Y"}),
        (payment(), {"leave_out": {"ARSTPY": ["IgnoreAnalysis"]}}, "IgnoreAnalysis", {"Y"}, set()),
        (order(), {"leave_out": {"SORTOI": ["StockTaxCode"]}}, "StockTaxCode", {"A"}, set()),
    ],
)
async def test_a_habit_of_e_net_changes_what_is_sent(
    company: Company, document: ErpDocument, settings: dict[str, object], element: str, usual: set[str], changed: set[str]
) -> None:  # fmt: skip
    assert values(await company.wire(company.joined("enet"), document), element) == usual
    sent = await company.wire(company.joined("enet", settings), document)
    assert values(sent, element) == changed


@pytest.mark.parametrize(("use", "path"), [("auto", "PostLD"), ("always", "PostLD"), ("never", "Post")])
async def test_documents_travel_as_the_site_wants_them(company: Company, use: str, path: str) -> None:
    sent = await company.wire(company.joined("enet", {"use_post_ld": use}), payment())
    assert sent.splitlines()[0] == f"/Transaction/{path}"
    assert len(company.asked("/Transaction/PostLD")) == {"auto": 2, "always": 1, "never": 0}[use]


@pytest.mark.parametrize(("style", "length"), [("verbatim", 36), ("trimmed", 34)])
async def test_a_token_goes_back_as_it_came_or_trimmed(company: Company, style: str, length: int) -> None:
    await company.joined("enet", {"token_style": style}).profile()
    assert len(company.asked("/GetLogonProfile")[0].params["UserId"]) == length


@pytest.mark.parametrize(("code", "sent"), [("", None), ("05", "05")])
async def test_a_language_is_sent_where_one_is_given(company: Company, code: str, sent: str | None) -> None:
    await company.joined("enet", {"language_code": code}).profile()
    assert company.asked("/Logon")[0].params.get("LanguageCode") == sent


async def test_the_local_currency_may_be_given(company: Company) -> None:
    assert (await company.joined("enet").profile()).local_currency == "GBP"
    assert (await company.joined("enet", {"local_currency": "EUR"}).profile()).local_currency == "EUR"


async def test_bytes_are_read_as_the_setting_says(company: Company) -> None:
    company.sandbox.config.quirks.windows_1252 = False
    company.sandbox.store.add_customer("5", Name="Café")
    for how, name in (("auto", "Café"), ("windows-1252", "CafÃ©")):
        customer = await company.joined("enet", {"decode": how}).customer("5")
        assert customer is not None
        assert customer.name == name


async def test_a_document_longer_than_the_room_of_an_address_is_not_sent(company: Company) -> None:
    habits = {"use_post_ld": "never"}
    assert "/Transaction/Post" in await company.wire(company.joined("enet", habits), order())
    assert await company.wire(company.joined("enet", {**habits, "url_room": 1500}), order("WEB-2")) == ""


@pytest.mark.parametrize(("wanted", "number"), [("always", "_CRD0000001"), ("never", None)])
async def test_a_credit_number_is_read_where_it_is_wanted(
    company: Company, wanted: str, number: str | None
) -> None:
    receipt = await company.joined("enet", {"credit_number": wanted}).post(payment(), "key")
    assert receipt.details.get("UnappliedInvoice") == number


async def test_more_than_is_open_is_paid_only_where_the_site_allows_it(company: Company) -> None:
    erp = company.joined("enet")
    await erp.post(invoice("9001", 10_000), "invoice")
    part = InvoiceToPay(invoice="9001", gross_payment_value=gbp(12_000), discount_value=gbp(0))
    over = structs.replace(payment(), invoices=(part,), unapplied=())
    with pytest.raises(IntegrationError) as refused:
        await erp.post(over, "over")
    assert refused.value.error_code == "syspro.overpaid"
    sent = await company.wire(company.joined("enet", {"overpayments": True}), over)
    assert values(sent, "GrossPaymentValue") == {"120.00"}


@pytest.mark.parametrize(("relogons", "logons"), [(0, 1), (1, 2), (3, 4)])
async def test_a_dead_session_is_replaced_as_often_as_said(
    company: Company, relogons: int, logons: int
) -> None:
    company.sandbox.plan.order(FaultOrder("session-killed", 9, FaultMatch(path="GetLogonProfile")))
    erp = company.joined("enet", {"relogons": relogons}, read_again_after=[])
    with pytest.raises(SessionLost):
        await erp.profile()
    assert len(company.asked("/Logon")) == logons


async def test_a_silent_session_gives_its_seat_back_and_a_call_takes_one_anew(company: Company) -> None:
    await company.joined("enet", {"idle_seconds": 0}).profile()
    assert len(company.sandbox.sessions.active()) == 1
    erp = company.joined("enet", {"idle_seconds": 0.01})
    await erp.profile()
    async with asyncio.timeout(10):
        while company.sandbox.sessions.active():
            await asyncio.sleep(0.005)
    assert len(company.asked("/Logoff")) == 1
    await erp.profile()
    assert len(company.asked("/Logon")) == 3


@pytest.mark.parametrize("status", [414, 400, 404])
async def test_look_ups_find_out_how_long_an_address_may_be(company: Company, status: int) -> None:
    erp = company.joined("enet")
    sent = [payment(f"PAY{n:027}") for n in range(80)]
    for document in (sent[0], sent[79]):
        await erp.post(document, document.reference)
    company.longest, company.too_long = 5_000, status
    assert sorted(await erp.find(sent)) == [sent[0].reference, sent[79].reference]
    before = len(company.calls)
    assert len(await erp.find(sent)) == 2
    lengths = [len(call.params["XmlIn"]) for call in company.calls[before:]]
    assert max(lengths) < company.longest, "what was found out is remembered"


async def test_a_short_look_up_that_leads_nowhere_is_a_wrong_address(company: Company) -> None:
    company.longest, company.too_long = 10, 404
    with pytest.raises(Misconfigured):
        await company.joined("enet").customer("0000001")
