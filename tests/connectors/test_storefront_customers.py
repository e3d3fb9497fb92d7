"""Customer accounts over both storefronts: browsed once each, found, made once, changed part by part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import ShopCustomer
from integration.ecommerce.config import GenericConfig, WooCommerceConfig
from integration.ecommerce.generic import GenericStorefront
from integration.ecommerce.woocommerce import WooCommerceStorefront
from integration.errors import AlreadyPosted, NotFound, OutcomeUnknown, Rejected
from integration.ports import Storefront
from integration.sandbox.ecommerce import ShopSandbox, ShopSandboxConfig
from integration.sandbox.ecommerce.address import Address
from integration.sandbox.ecommerce.customers import NewAccount
from integration.sandbox.fault_plan import FaultMatch, FaultOrder
from tests.connectors.serving import served

SETTINGS = ShopSandboxConfig()
ZOE = ShopCustomer(
    reference="",
    email="zoe@shop.example",
    first_name="Zoë",
    last_name="Birch",
    company="Birch & Sons",
    phone="01632 960001",
    billing=PostalAddress(lines=("Unit 4", "1 High Street"), city="Leeds", postcode="LS1 1AA", country="GB"),
    account="WEB0042",
)


class Shop:
    def __init__(self, sandbox: ShopSandbox, storefront: Storefront, url: str) -> None:
        self.sandbox = sandbox
        self.storefront = storefront
        self.url = url

    def register(self, email: str, **members: object) -> int:
        return self.sandbox.store.accounts.create(msgspec.convert({"email": email, **members}, NewAccount)).id

    def fault(self, name: str, method: str) -> None:
        self.sandbox.plan.order(FaultOrder(name, match=FaultMatch(method=method)))


@pytest.fixture(params=["woocommerce", "generic"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    sandbox = ShopSandbox()
    async with served(sandbox.app) as url:
        storefront: Storefront
        if request.param == "woocommerce":
            woo = WooCommerceConfig(
                base_url=url,
                consumer_key=SETTINGS.consumer_key,
                consumer_secret=SETTINGS.consumer_secret,
                timeout=2,
            )
            storefront = WooCommerceStorefront(woo)
        else:
            config = GenericConfig(base_url=f"{url}/generic", token=SETTINGS.bearer_token, timeout=2)
            storefront = GenericStorefront(config)
        yield Shop(sandbox, storefront, url)
        await storefront.close()


async def test_an_account_is_read_as_it_was_made(shop: Shop) -> None:
    made = await shop.storefront.save_customer(ZOE, "add")
    read = await shop.storefront.customer(made.reference)
    assert read == made
    assert read is not None
    assert read.changed_at is not None
    assert read.changed_at.tzinfo is not None
    for name in ("email", "first_name", "last_name", "company", "phone", "account"):
        assert getattr(read, name) == getattr(ZOE, name), name
    assert (read.billing.lines, read.billing.city, read.billing.postcode) == (
        ("Unit 4", "1 High Street"),
        "Leeds",
        "LS1 1AA",
    )
    assert read.shipping.lines == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_every_account_is_browsed_once_whatever_the_page(shop: Shop, limit: int) -> None:
    made = [str(shop.register(f"{number}@shop.example")) for number in range(6)]
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await shop.storefront.customers(after=after, limit=limit)
        found += [each.reference for each in page.items]
        after = page.after
    assert found == made


async def test_accounts_that_did_not_change_since_are_left_out(shop: Shop) -> None:
    old, new = shop.register("old@shop.example"), shop.register("new@shop.example")
    shop.sandbox.store.accounts.by_id[old].modified_at = datetime(2025, 6, 1, tzinfo=UTC)
    page = await shop.storefront.customers(changed_since=datetime.now(UTC) - timedelta(hours=1))
    assert [each.reference for each in page.items] == [str(new)]


async def test_an_account_is_found_by_its_address_in_any_case(shop: Shop) -> None:
    number = shop.register("Zoe@Shop.example")
    found = await shop.storefront.customer_by_email("zoe@shop.EXAMPLE")
    assert found is not None
    assert found.reference == str(number)
    assert await shop.storefront.customer_by_email("zoe@shop") is None
    assert await shop.storefront.customer("99") is None


async def test_an_address_has_one_account(shop: Shop) -> None:
    await shop.storefront.save_customer(ZOE, "add")
    with pytest.raises(AlreadyPosted):
        await shop.storefront.save_customer(msgspec.structs.replace(ZOE, email="ZOE@shop.example"), "add")
    assert len(shop.sandbox.store.accounts.by_id) == 1


async def test_a_lost_answer_is_found_by_the_address(shop: Shop) -> None:
    shop.fault("commit-then-drop", "POST")
    with pytest.raises(OutcomeUnknown):
        await shop.storefront.save_customer(ZOE, "add")
    found = await shop.storefront.customer_by_email(ZOE.email)
    assert found is not None
    assert found.account == "WEB0042"


async def test_only_the_parts_named_are_written(shop: Shop) -> None:
    made = await shop.storefront.save_customer(ZOE, "add")
    meanwhile = shop.sandbox.store.accounts.by_id[int(made.reference)]
    meanwhile.billing = msgspec.structs.replace(meanwhile.billing, phone="020 7946 0000")
    wanted = msgspec.structs.replace(
        made,
        company="Birch & Daughters",
        shipping=PostalAddress(
            name="Zoë Birch", lines=("3 Quay",), city="York", postcode="YO1 7HH", country="GB"
        ),
    )

    changed = await shop.storefront.save_customer(wanted, "change", {"name", "shipping"})

    assert (changed.company, changed.phone) == ("Birch & Daughters", "020 7946 0000")
    assert (changed.shipping.lines, changed.shipping.city) == (("3 Quay",), "York")
    assert (changed.billing.lines, changed.billing.city) == (made.billing.lines, made.billing.city)


async def test_an_account_that_is_not_there_and_an_address_that_is_taken_are_refused(shop: Shop) -> None:
    shop.register("taken@shop.example")
    made = await shop.storefront.save_customer(ZOE, "add")
    with pytest.raises((Rejected, AlreadyPosted)):
        await shop.storefront.save_customer(
            msgspec.structs.replace(made, email="taken@shop.example"), "change", {"email"}
        )
    with pytest.raises(NotFound):
        await shop.storefront.save_customer(msgspec.structs.replace(made, reference="99"), "change")


async def test_woocommerce_answers_in_its_own_words(shop: Shop) -> None:
    shop.register("zoe@shop.example", billing=msgspec.to_builtins(Address(phone="1")))
    auth = httpx.BasicAuth(SETTINGS.consumer_key, SETTINGS.consumer_secret)
    async with httpx.AsyncClient(base_url=f"{shop.url}/wp-json/wc/v3", auth=auth) as woo:
        listed = await woo.get("/customers", params={"per_page": 1})
        assert (listed.headers["x-wp-total"], listed.json()[0]["role"]) == ("1", "customer")
        assert "email" not in listed.json()[0]["shipping"]
        twice = await woo.post("/customers", json={"email": "zoe@shop.example"})
        assert (twice.status_code, twice.json()["code"]) == (400, "registration-error-email-exists")
        nobody = await woo.get("/customers/99")
        assert (nobody.status_code, nobody.json()["code"]) == (404, "woocommerce_rest_invalid_id")
        assert (await woo.post("/customers", json={})).json()["code"] == "rest_missing_callback_param"
        sorted_by = await woo.get("/customers", params={"orderby": "date_modified"})
        assert sorted_by.json()["code"] == "rest_invalid_param"
