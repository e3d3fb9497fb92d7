"""What sites do differently over e.net, one habit at a time, against a served company."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from integration.errors import Misconfigured, Rejected, SessionLost, Unreachable
from integration.syspro.enet.key_widths import learnt
from tests.connectors.enet_site import Watch, an_enet_site, at, lost
from tests.connectors.erp_site import (
    Site,
    invoice,
    of_every_kind,
    order,
    paying,
    payment,
    post_and_find,
    untrue,
)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with an_enet_site() as served:
        yield served


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watching = Watch()
    watching.on(monkeypatch)
    return watching


# --- habits of the host -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "habit",
    [
        {"json_quoted_token": True},
        {"guid_token": True},
        {"trimmed_token_refused": True},
        {"body_wrapper": "json"},
        {"body_wrapper": "string"},
        {"windows_1252": False},
        {"trailing_minus": True},
        {"leading_blanks": False},
        {"lower_case_roots": False},
        {"pseudo_namespaces": False},
        {"order_element_on_clean_import": True},
        {"post_ld_missing": True},
    ],
    ids="-".join,
)
async def test_every_habit_of_a_host_posts_and_finds_all_kinds(site: Site, habit: dict[str, object]) -> None:
    for name, value in habit.items():
        setattr(site.sandbox.config.quirks, name, value)
    erp = site.erp()
    for document in of_every_kind().values():
        _, stored = await post_and_find(erp, document)
        assert untrue(document, stored.document) == []
    await erp.close()
    assert site.sandbox.sessions.active() == []


@pytest.mark.parametrize("windows_1252", [True, False])
async def test_names_beyond_ascii_come_back_whole(site: Site, windows_1252: bool) -> None:
    site.sandbox.config.quirks.windows_1252 = windows_1252
    sent = msgspec.structs.replace(
        order(), customer_name="Müller & Søn <«Cœur»>", ship_address2="1 ]]> Straße"
    )
    _, stored = await post_and_find(site.erp(), sent)
    assert untrue(sent, stored.document) == []


async def test_a_trimmed_token_serves_where_the_site_takes_it(site: Site) -> None:
    assert await at(site, token_style="trimmed").customer("1") is not None
    site.sandbox.config.quirks.trimmed_token_refused = True
    with pytest.raises(SessionLost):
        await at(site, token_style="trimmed").customer("1")


async def test_another_place_than_e_net_is_a_misconfiguration(site: Site) -> None:
    with pytest.raises(Misconfigured) as caught:
        await site.erp(base_url=site.config.base_url + "/Nowhere").profile()
    assert caught.value.error_code == "syspro.no-enet"


# --- PostLD -----------------------------------------------------------------------------------------


async def test_documents_travel_in_bodies_where_the_site_has_post_ld(site: Site, watch: Watch) -> None:
    erp = site.erp()
    await erp.post(payment(), "k")
    await erp.post(order(), "k")
    assert watch.postings() == ["/Transaction/PostLD"] * 2
    assert [b"<ValidateOnly>Y</ValidateOnly>" in call.body for call in watch.rehearsals()] == [True]


async def test_a_site_without_post_ld_gets_queries_and_no_document_twice(site: Site, watch: Watch) -> None:
    site.sandbox.config.quirks.post_ld_missing = True
    erp = site.erp()
    for document in (payment(), payment("PAY2", 5)):
        await erp.post(document, "k")
    assert watch.postings() == ["/Transaction/Post"] * 2
    assert len(site.books("ar_payments")) == 2


async def test_a_search_for_post_ld_that_fails_posts_nothing_and_is_made_again(site: Site) -> None:
    erp = site.erp()
    lost(site, "drop", "postld")
    with pytest.raises(Unreachable):
        await erp.post(payment(), "k")
    assert site.books("ar_payments") == []
    await erp.post(payment(), "k")
    assert len(site.books("ar_payments")) == 1


async def test_a_document_too_long_for_a_query_is_refused_before_it_is_sent(site: Site, watch: Watch) -> None:
    lines = tuple(
        msgspec.structs.replace(order().lines[0], customer_po_line=n + 1, stock_description="x" * 50)
        for n in range(60)
    )
    with pytest.raises(Rejected) as caught:
        await at(site, use_post_ld="never").post(msgspec.structs.replace(order(), lines=lines), "k")
    assert caught.value.error_code == "syspro.too-long-for-get"
    assert (watch.postings(), site.orders) == ([], 0)


async def test_what_the_operator_may_post_is_told_without_posting(site: Site) -> None:
    site.sandbox.config.settings.unlicensed = ["ARSTPY", "GENTJL"]
    before = site.sandbox.plan.calls
    assert await at(site).capabilities() == {"SORTOI": True, "ARSTPY": False, "ARSTIN": True, "GENTJL": False}
    assert site.sandbox.plan.calls - before <= 6
    assert (site.orders, site.books("ar_payments"), site.books("journals")) == (0, [], [])


# --- keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "width"),
    [
        (["0000001", "0000002"], 7),
        (["BAY001", "0000002"], 0),
        (["1", "42"], 0),
        (["_CRD0000001"], None),
        ([], None),
        (["", "000217"], 6),
    ],
)
def test_the_width_of_keys_is_learnt_from_rows(keys: list[str], width: int | None) -> None:
    assert learnt(keys) == width


async def test_keys_are_found_in_whatever_width_the_site_stores_them(site: Site) -> None:
    site.sandbox.config.quirks.customer_digits = 15
    site.sandbox.store.add_customer("77", Name="Wide")
    erp = site.erp()
    for code in ("77", "0000077", "000000000000077"):
        found = await erp.customer(code)
        assert found is not None
        assert (found.customer, found.name) == (code, "Wide")


async def test_an_invoice_is_paid_by_the_number_on_screens(site: Site) -> None:
    erp = site.erp()
    await erp.post(invoice(minor=10_100), "i")
    _, stored = await post_and_find(erp, paying())
    assert stored.certain


async def test_a_given_width_is_not_learnt(site: Site, watch: Watch) -> None:
    erp = at(site, customer_key=7, invoice_key="alpha", use_post_ld="always", credit_number="never")
    await erp.post(payment(), "k")
    assert [call.about for call in watch.made if call.path.startswith("/Query")] == []
    with pytest.raises(Misconfigured):
        at(site, customer_key=0)


# --- unapplied cash ---------------------------------------------------------------------------------


async def test_a_site_that_leaves_movements_is_asked_for_a_credit_number_once(
    site: Site, watch: Watch
) -> None:
    erp = at(site, use_post_ld="always")
    first = await erp.post(payment(), "k")
    asked = len(watch.made)
    await erp.post(payment("PAY2", 5), "k")
    assert first.details["UnappliedInvoice"].startswith("_CRD")
    assert len(watch.made) - asked == 1


async def test_payments_alike_are_told_apart_where_no_movement_is_left(site: Site) -> None:
    site.sandbox.config.quirks.unapplied_without_reference = True
    erp = site.erp()
    receipts = [await erp.post(payment(reference), "k") for reference in ("PAY1", "PAY2")]
    numbers = [receipt.details["UnappliedInvoice"] for receipt in receipts]
    assert len(set(numbers)) == 2
    found = (await erp.find([payment()]))["PAY1"]
    assert {each.receipt.details["UnappliedInvoice"] for each in found} == set(numbers)
    assert not any(each.certain for each in found)
