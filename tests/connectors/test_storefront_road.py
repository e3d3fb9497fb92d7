"""Both storefronts against the shop stand-in over real HTTP: find the order of a payment, tell it once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest

from integration.canonical.money import Money, total
from integration.ecommerce.config import GenericConfig, WooCommerceConfig
from integration.ecommerce.generic import GenericStorefront
from integration.ecommerce.webhook import woocommerce_event, woocommerce_genuine
from integration.ecommerce.woocommerce import WooCommerceStorefront
from integration.errors import (
    InvalidPayment,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unreachable,
)
from integration.ports import Storefront
from integration.sandbox.ecommerce import ShopSandbox, ShopSandboxConfig
from integration.sandbox.ecommerce.address import Address
from integration.sandbox.ecommerce.rendering import woo_order
from integration.sandbox.ecommerce.store import Line, NewOrder, Order
from integration.sandbox.faults import FaultMatch, FaultOrder
from tests.connectors.serving import served

SETTINGS = ShopSandboxConfig()
ADA = Address(
    first_name="Ada",
    last_name="King",
    address_1="88 High Street",
    city="Leeds",
    postcode="LS1 4AB",
    country="GB",
    email="ada@shop.example",
    phone="+442079460000",
)
LINES = (
    Line("stock", Decimal("23.33"), Decimal("4.67"), "85123A", "White hanging heart", 7, Decimal("2.00")),
    Line("freight", Decimal("10.00"), Decimal("2.00"), description="Royal Mail"),
    Line("charge", Decimal("1.00"), Decimal("0.20"), description="Gift wrap"),
    Line("charge", Decimal("-5.00"), Decimal("-1.00"), description="Voucher"),
)
FACES = pytest.mark.parametrize("face", ["woocommerce", "generic"])


class Shop:
    def __init__(self, sandbox: ShopSandbox, base: str, storefront: Storefront) -> None:
        self.sandbox = sandbox
        self.base = base
        self.storefront = storefront

    def order(self, code: str, **changes: object) -> Order:
        sale = NewOrder(payment_reference=code, lines=LINES, billing=ADA, customer_id=771, note="Ring twice")
        return self.sandbox.store.create(msgspec.structs.replace(sale, **changes))

    def fault(self, name: str, method: str, times: int = 1) -> None:
        self.sandbox.plan.order(FaultOrder(name, times=times, match=FaultMatch(method=method)))


def woocommerce(base: str, **changes: object) -> WooCommerceConfig:
    plain = WooCommerceConfig(
        base_url=base, consumer_key=SETTINGS.consumer_key, consumer_secret=SETTINGS.consumer_secret, timeout=2
    )
    return msgspec.structs.replace(plain, **changes)


def generic(base: str, **changes: object) -> GenericConfig:
    return msgspec.structs.replace(
        GenericConfig(base_url=f"{base}/generic", token=SETTINGS.bearer_token, timeout=2), **changes
    )


@asynccontextmanager
async def shop(face: str, **changes: object) -> AsyncIterator[Shop]:
    sandbox = ShopSandbox()
    async with served(sandbox.app) as base:
        storefront: Storefront
        if face == "woocommerce":
            storefront = WooCommerceStorefront(woocommerce(base, **changes))
        else:
            storefront = GenericStorefront(generic(base, **changes))
        try:
            yield Shop(sandbox, base, storefront)
        finally:
            await storefront.close()


@FACES
async def test_an_order_is_read_with_lines_that_add_up_to_the_penny(face: str) -> None:
    async with shop(face) as world:
        made = world.order("SO-1")
        found = await world.storefront.find_order("SO-1")

    assert found is not None
    assert (found.reference, found.number) == (str(made.id), made.number)
    assert found.payment_reference == "SO-1"
    assert found.total == Money(3_520, "GBP")
    assert total([line.gross for line in found.lines], "GBP") == found.total
    assert [line.kind for line in found.lines] == ["stock", "freight", "charge", "charge"]
    goods, _, _, voucher = found.lines
    assert (goods.stock_code, goods.quantity, goods.net.minor) == ("85123A", Decimal(7), 2_333)
    assert abs(goods.unit_price * 7 - Decimal("23.33")) < Decimal("0.005")
    assert voucher.gross == Money(-600, "GBP")
    assert found.customer.reference == "771"
    assert found.customer.email == "ada@shop.example"
    assert found.billing.lines == ("88 High Street",)
    assert found.shipping == found.billing
    assert found.note == "Ring twice"
    assert found.placed_at is not None
    assert found.placed_at.utcoffset() is not None


@FACES
async def test_a_payment_that_no_order_names_has_none(face: str) -> None:
    async with shop(face) as world:
        world.order("SO-1")
        assert await world.storefront.find_order("SO-2") is None
        assert await world.storefront.find_order("SO") is None


@FACES
async def test_two_orders_of_one_payment_wait_for_a_person(face: str) -> None:
    async with shop(face) as world:
        world.order("SO-1")
        world.order("SO-1")
        with pytest.raises(InvalidPayment) as raised:
            await world.storefront.find_order("SO-1")
    assert raised.value.error_code == "shop.order-not-unique"


@FACES
async def test_telling_twice_is_telling_once(face: str) -> None:
    async with shop(face) as world:
        order = world.order("SO-1")
        for _ in range(2):
            await world.storefront.tell(str(order.id), "processing", "Posted to SYSPRO as 000123.")
        assert order.status == "processing"
        assert [note.text for note in order.notes] == ["Posted to SYSPRO as 000123."]
        assert len(order.history) == 1


@FACES
@pytest.mark.parametrize("fault", ["drop", "commit-then-drop", "garbage"])
async def test_a_lost_word_is_told_again_without_a_second_note(face: str, fault: str) -> None:
    async with shop(face) as world:
        order = world.order("SO-1")
        for method in ("POST", "PUT"):
            world.fault(fault, method)
        while True:
            try:
                await world.storefront.tell(str(order.id), "processing", "Posted.")
                break
            except OutcomeUnknown:
                continue
        assert order.status == "processing"
        assert [note.text for note in order.notes] == ["Posted."]


@FACES
async def test_a_read_survives_one_lost_answer_and_not_two(face: str) -> None:
    async with shop(face) as world:
        world.order("SO-1")
        world.fault("drop", "GET")
        assert await world.storefront.find_order("SO-1") is not None
        world.fault("garbage", "GET", times=2)
        with pytest.raises(Unreachable):
            await world.storefront.find_order("SO-1")
        world.fault("5xx", "GET")
        with pytest.raises(Throttled):
            await world.storefront.find_order("SO-1")


@FACES
async def test_an_order_that_is_not_there_cannot_be_told(face: str) -> None:
    async with shop(face) as world:
        with pytest.raises(NotFound):
            await world.storefront.tell("9999", "processing", "x")


@FACES
async def test_a_status_that_the_shop_does_not_know_is_refused_with_its_words(face: str) -> None:
    async with shop(face) as world:
        order = world.order("SO-1")
        with pytest.raises(Rejected) as raised:
            await world.storefront.tell(str(order.id), "sent-to-the-moon", "")
    assert raised.value.error_code == "shop.refused"


@pytest.mark.parametrize(
    ("face", "change"), [("woocommerce", {"consumer_secret": "wrong"}), ("generic", {"token": "wrong"})]
)
async def test_wrong_credentials_are_a_misconfiguration(face: str, change: dict[str, str]) -> None:
    async with shop(face, **change) as world:
        with pytest.raises(Misconfigured) as raised:
            await world.storefront.ping()
    assert raised.value.error_code == "shop.credentials"


@FACES
async def test_right_credentials_pass_and_a_wrong_address_does_not(face: str) -> None:
    async with shop(face) as world:
        await world.storefront.ping()
        wrong = (
            WooCommerceStorefront(woocommerce(world.base + "/generic/none"))
            if face == "woocommerce"
            else GenericStorefront(generic(world.base, base_url=world.base + "/generic/elsewhere"))
        )
        with pytest.raises(Misconfigured):
            await wrong.ping()
        await wrong.close()


async def test_an_order_of_a_plain_shop_is_found_by_the_number_in_the_code() -> None:
    """A stock WooCommerce does not search meta data; a shop whose plug-in keeps no code has none to compare."""
    async with shop("woocommerce") as world:
        plain = world.order("", number="")
        plain.meta.clear()
        other = world.order("SO-7-A1")
        for code in (f"{plain.id}", f"SO-{plain.id}", f"WEB-UK-{plain.id}-A2"):
            found = await world.storefront.find_order(code)
            assert found is not None
            assert found.reference == str(plain.id)
            assert found.payment_reference == code
        # That order was paid with another code: a second payment is for a person to look at.
        assert await world.storefront.find_order(f"SO-{other.id}") is None
        assert await world.storefront.find_order("SO-99999") is None


async def test_an_order_number_that_is_not_its_id_is_not_mistaken() -> None:
    async with shop("woocommerce") as world:
        plain = world.order("", number="W-500")
        plain.meta.clear()
        assert await world.storefront.find_order(f"SO-{plain.id}") is None


@pytest.mark.parametrize("pattern", ["(", r"^\d+$"])
def test_a_pattern_without_a_number_is_a_misconfiguration(pattern: str) -> None:
    with pytest.raises(Misconfigured):
        WooCommerceStorefront(woocommerce("http://shop.example", order_number=pattern))


@pytest.mark.parametrize("later", ["completed", "refunded", "cancelled"])
async def test_processing_never_brings_an_order_back(later: str) -> None:
    async with shop("woocommerce") as world:
        order = world.order("SO-1", status=later)
        await world.storefront.tell(str(order.id), "processing", "Posted late.")
        assert order.status == later
        assert [note.text for note in order.notes] == ["Posted late."]


async def test_a_delivery_of_the_shop_is_genuine_and_read() -> None:
    async with shop("woocommerce") as world:
        order = world.order("SO-1")
        body = msgspec.json.encode(woo_order(order, world.base))
        delivery = world.sandbox.webhook._delivery("order.updated", body, world.base, "secret")
    assert woocommerce_genuine(delivery.headers, delivery.body, ["new", "secret"])
    assert not woocommerce_genuine(delivery.headers, delivery.body + b" ", ["secret"])
    assert not woocommerce_genuine(delivery.headers, delivery.body, ["other", ""])
    event = woocommerce_event(delivery.headers, delivery.body, "_opayo_vendor_tx_code")
    assert event is not None
    assert (event.kind, event.reference, event.payment_reference) == ("order.updated", str(order.id), "SO-1")
    assert event.event_id == delivery.headers["x-wc-webhook-delivery-id"]


def test_no_secret_shows_in_a_configuration() -> None:
    assert SETTINGS.consumer_secret not in repr(woocommerce("http://shop.example"))
    assert SETTINGS.consumer_key not in repr(woocommerce("http://shop.example"))
    assert SETTINGS.bearer_token not in repr(generic("http://shop.example"))
