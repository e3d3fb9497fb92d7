"""What could not be verified sits behind settings: each is in the handbook's table, and each has its effect."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from msgspec import structs

from integration.canonical.documents import ArPayment, ErpDocument, InvoiceToPay, SalesOrder
from integration.errors import (
    CustomerOnHold,
    OutcomeUnknown,
    UnknownStockCode,
    Unreachable,
)
from integration.ports import ERP
from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.syspro.classify import Rule
from integration.syspro.enet.config import EnetConfig
from integration.syspro.site import SiteConfig
from service.app import create_app
from service.settings import Settings
from service.store.database import Database
from service.store.pairs import SysproSettings
from tests.connectors.erp_site import credit_memo, gbp, invoice, journal, order, payment
from tests.contracts.company import Company, a_company, values
from tests.contracts.handbook import DOCS

BOTH = pytest.mark.parametrize("transport", ["harmony", "enet"])
PAGE = (DOCS / "syspro-enet.md").read_text("utf-8")


@pytest.fixture
async def company(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    async with a_company(monkeypatch) as served:
        yield served


def table() -> dict[str, str]:
    """The settings of the handbook's table with the defaults it shows."""
    part = PAGE.partition("## What could not be verified")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|[^|]*\| (`[^|]*`) \| ([^|]*) \|", part, re.MULTILINE)
    return {name: default.strip() for names, default in rows for name in re.findall(r"`([\w.]+)`", names)}


def defaults() -> dict[str, object]:
    common = {f"syspro.{name}": getattr(SiteConfig(), name) for name in SiteConfig.__struct_fields__}
    enet = {f"syspro.enet.{name}": getattr(EnetConfig(), name) for name in EnetConfig.__struct_fields__}
    return {**common, **enet, "syspro.transport": "harmony", "syspro.in_flight": 4}


def test_every_setting_of_a_site_is_in_the_table_with_its_default() -> None:
    shown, held = table(), defaults()
    assert set(shown) == set(held)
    for name, default in shown.items():
        assert default == f"`{msgspec.json.encode(held[name]).decode()}`", name


def test_every_setting_is_described_in_the_api() -> None:
    app = create_app(Settings(), Database("postgresql://localhost/unused"))
    schemas = app.openapi_schema.to_schema()["components"]["schemas"]
    described = {f"syspro.{name}" for name in schemas["SysproSettings"]["properties"]}
    described |= {f"syspro.enet.{name}" for name in schemas["EnetConfig"]["properties"]}
    assert set(defaults()) - described == set()
    assert set(schemas["Rule"]["properties"]) == set(Rule.__struct_fields__)


def test_every_setting_of_the_table_is_tried_below() -> None:
    here = DOCS.parents[1] / "tests" / "contracts"
    source = (here / "test_unverified_settings.py").read_text("utf-8").partition("# --- both transports")[2]
    source += (here / "test_enet_settings.py").read_text("utf-8")
    tried = set(re.findall(r"\b(\w+)=|\"(\w+)\":", source))
    words = {word for pair in tried for word in pair if word}
    assert {name.rpartition(".")[2] for name in table()} - words == set()


@pytest.mark.parametrize(
    "settings",
    [
        {"unapplied_prefix": ""},
        {"rules": [{"means": "busy"}]},
        {"rules": [{"means": "busy", "pattern": "("}]},
        {"rules": [{"means": "no such class", "pattern": "x"}]},
        {"read_again_after": [-1]},
        {"entry_amount_sign": 0},
        {"enet": {"relogons": -1}},
        {"enet": {"parameters": {"SORTOI": {"Process": "VALIDATE"}}}},
        {"enet": {"parameters": {"SORTXX": {}}}},
        {"enet": {"leave_out": {"ARSTPY": ["Reference"]}}},
        {"enet": {"leave_out": {"ARSTPY": ["a b"]}}},
    ],
)
def test_what_cannot_be_meant_is_refused_when_a_pair_is_saved(settings: dict[str, object]) -> None:
    document = {"base_url": "http://erp", "company_id": "EDU1", "operators": [], **settings}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, SysproSettings)


# --- both transports ------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("document", "settings", "element", "usual", "changed"),
    [
        (order(), {"currency_map": {"GBP": "$"}}, "Currency", {"GBP"}, {"$"}),
        (payment(), {"posting_period": "P"}, "PostingPeriod", {"C"}, {"P"}),
        (invoice(), {"posting_period": "B"}, "PostingPeriod", {"C"}, {"B"}),
        (order(), {"accept_orders_if_no_credit": True}, "AcceptOrdersIfNoCredit", {"N"}, {"Y"}),
        (
            structs.replace(credit_memo(), tax_value=gbp(400), tax_code="A"),
            {"invoice_value_includes_tax": False},
            "InvoiceValue",
            {"25.00"},
            {"21.00"},
        ),
    ],
)  # fmt: skip
async def test_a_setting_changes_what_is_sent(
    company: Company,
    transport: str,
    document: ErpDocument,
    settings: dict[str, Any],
    element: str,
    usual: set[str],
    changed: set[str],
) -> None:
    assert values(await company.wire(company.joined(transport), document), element) == usual
    sent = await company.wire(company.joined(transport, **settings), document)
    assert values(sent, element) == changed


@BOTH
async def test_the_sign_of_an_entry_is_the_sites(company: Company, transport: str) -> None:
    signs = {}
    for sign in (1, -1):
        sent = await company.wire(company.joined(transport, entry_amount_sign=sign), journal(f"J{sign}"))
        entry = sent[sent.index("30-6200") :]
        signs[sign] = re.findall(r"EntryAmount\W+?(-?\d+\.\d\d)", entry)[0]
    assert signs == {1: "12.34", -1: "-12.34"}


@BOTH
async def test_either_of_syspros_rates_may_be_the_book_rate(company: Company, transport: str) -> None:
    held = company.sandbox.store.currencies["EUR"]
    company.sandbox.store.currencies.put(
        "EUR", structs.replace(held, BuyExchangeRate=held.SellExchangeRate * 2)
    )
    sell = await company.joined(transport).book_rate("EUR")
    buy = await company.joined(transport, rate_side="buy").book_rate("EUR")
    assert sell is not None
    assert buy is not None
    assert buy.value == sell.value * 2


def overdrawn() -> ArPayment:
    part = InvoiceToPay(invoice="9001", gross_payment_value=gbp(-100), discount_value=gbp(0))
    return structs.replace(payment(), payment_value=gbp(11_900), invoices=(part,))


@BOTH
async def test_a_negative_value_is_sent_only_where_the_site_allows_it(
    company: Company, transport: str
) -> None:
    assert await company.wire(company.joined(transport), overdrawn()) == ""
    sent = await company.wire(company.joined(transport, negative_payments=True), overdrawn())
    assert "-1.00" in values(sent, "GrossPaymentValue")


@BOTH
async def test_unapplied_cash_is_known_by_the_sites_prefix(company: Company, transport: str) -> None:
    company.sandbox.config.quirks.unapplied_without_reference = True
    await company.joined(transport).post(payment(), "key")
    assert list(await company.joined(transport).find([payment()])) == ["PAY1"]
    assert await company.joined(transport, unapplied_prefix="_UNA").find([payment()]) == {}


@BOTH
async def test_an_order_in_a_status_that_means_cancelled_is_not_there(
    company: Company, transport: str
) -> None:
    await company.joined(transport).post(order(), "key")
    assert list(await company.joined(transport).find([order()])) == ["WEB-1"]
    assert await company.joined(transport, cancelled_statuses=["1"]).find([order()]) == {}


@BOTH
async def test_a_line_is_of_the_kind_that_its_type_has_at_the_site(company: Company, transport: str) -> None:
    async def kinds(erp: ERP) -> list[str]:
        (stored,) = (await erp.find([order()]))["WEB-1"]
        assert isinstance(stored.document, SalesOrder)
        return [line.kind for line in stored.document.lines]

    await company.joined(transport).post(order(), "key")
    assert await kinds(company.joined(transport)) == ["stock", "freight", "charge", "comment"]
    changed = company.joined(transport, line_types={"4": "charge"})
    assert await kinds(changed) == ["stock", "charge", "charge", "comment"]


@BOTH
async def test_a_journal_in_a_status_that_does_not_mean_posted_is_a_warning(
    company: Company, transport: str
) -> None:
    assert (await company.joined(transport).post(journal("J1"), "1")).warnings == ()
    receipt = await company.joined(transport, posted_statuses=["A"]).post(journal("J2"), "2")
    assert "left it in status 'P'" in receipt.warnings[0]


@BOTH
async def test_an_order_without_its_number_is_looked_for_as_often_as_said(
    company: Company, transport: str
) -> None:
    company.sandbox.config.quirks.number_not_returned = True
    assert (await company.joined(transport).post(order("WEB-1"), "1")).key
    with pytest.raises(OutcomeUnknown):
        await company.joined(transport, look_again_after=[]).post(order("WEB-2"), "2")


@BOTH
async def test_a_read_is_made_again_as_often_as_said(company: Company, transport: str) -> None:
    path = {"harmony": "Customer", "enet": "Query/Query"}[transport]
    for pauses, fails in (([0.0, 0.0], False), ([], True)):
        erp = company.joined(transport, read_again_after=pauses)
        await erp.profile()
        company.sandbox.plan.order(FaultOrder("drop", 1, FaultMatch(path=path)))
        if fails:
            with pytest.raises(Unreachable):
                await erp.customer("0000001")
        else:
            assert await erp.customer("0000001") is not None


@BOTH
async def test_a_sites_own_rule_comes_before_the_shipped_ones(company: Company, transport: str) -> None:
    with pytest.raises(UnknownStockCode):
        await company.joined(transport).post(order(stock_code="NONE"), "1")
    rule = {"means": "customer-on-hold", "pattern": "stock code .* not found", "moments": ["post"]}
    with pytest.raises(CustomerOnHold):
        await company.joined(transport, rules=[rule]).post(order(stock_code="NONE"), "2")


@pytest.mark.parametrize(
    ("transport", "in_flight", "most"), [("harmony", 1, 1), ("harmony", 3, 3), ("enet", 3, 1)]
)
async def test_posts_of_one_operator_overlap_over_json_alone(
    company: Company, transport: str, in_flight: int, most: int
) -> None:
    company.sandbox.config.settings.posting_ms = 100
    erp = company.joined(transport, in_flight=in_flight)
    await erp.profile()
    company.most_writes = 0
    await asyncio.gather(*(erp.post(journal(f"J{n}"), f"key-{n}") for n in range(3)))
    assert company.most_writes == most


async def test_the_transport_is_the_pairs(company: Company) -> None:
    for transport in ("harmony", "enet"):
        await company.joined(transport="harmony" if transport == "harmony" else "enet").profile()
    assert company.asked("/Auth/Logon")
    assert company.asked("/Logon")
