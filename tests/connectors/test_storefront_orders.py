"""Orders become canonical to the penny, or are refused with the difference; pushes are genuine or refused."""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money, total
from integration.ecommerce import generic, woocommerce_order
from integration.ecommerce.generic import GenericOrder
from integration.ecommerce.translate import ShopLine, order_lines
from integration.ecommerce.webhook import (
    GENERIC_SIGNATURE,
    WOOCOMMERCE_SIGNATURE,
    generic_event,
    generic_genuine,
    woocommerce_event,
    woocommerce_genuine,
)
from integration.ecommerce.woocommerce_order import WooOrder
from integration.errors import InvalidPayment

WOO = b"""{"id": 727, "number": "727", "status": "processing", "currency": "GBP", "total": "29.35",
 "prices_include_tax": true, "customer_id": 0, "date_created_gmt": "2025-06-01T08:30:00",
 "billing": {"first_name": "Ada", "last_name": "King", "address_1": "88 High St", "country": "gb", "email": ""},
 "shipping": {"first_name": "", "address_1": ""},
 "line_items": [{"name": "Heart", "sku": "85123A", "quantity": 3, "total": "13.333333",
   "total_tax": "2.666667", "price": 4.444444, "subtotal": "15.00"},
  {"name": "By weight", "sku": null, "quantity": 1.5, "total": "2.50", "total_tax": "0.50", "price": 1.67}],
 "shipping_lines": [{"method_title": "Flat rate", "total": "8.625000", "total_tax": "1.725000"}],
 "fee_lines": [], "coupon_lines": [{"code": "ten", "discount": "1.67"}],
 "meta_data": [{"id": 1, "key": "_x", "value": {"a": 1}}, {"key": "_opayo_vendor_tx_code", "value": "SO-727"}]}"""


def test_woocommerce_decimals_are_read_exactly_and_prices_never() -> None:
    order = woocommerce_order.order(msgspec.json.decode(WOO, type=WooOrder), "SO-727")
    assert order.total == Money(2_935, "GBP") == total([line.gross for line in order.lines], "GBP")
    heart, weighed, freight = order.lines
    assert heart.unit_price == Decimal("4.44444")
    assert (weighed.quantity, weighed.net) == (Decimal("1.5"), Money(250, "GBP"))
    # Half to even gives 8.62 and 1.72: the penny that is missing goes to the largest line.
    assert freight.net == Money(862, "GBP")
    assert order.customer.reference == ""
    assert order.shipping == order.billing
    assert order.billing.country == "GB"


def test_coupons_are_in_the_lines_already() -> None:
    order = woocommerce_order.order(msgspec.json.decode(WOO, type=WooOrder), "SO-727")
    assert not [line for line in order.lines if line.kind == "charge"]


def test_an_order_that_does_not_add_up_is_refused_with_the_difference() -> None:
    told = msgspec.json.decode(WOO.replace(b'"29.35"', b'"31.35"'), type=WooOrder)
    with pytest.raises(InvalidPayment) as raised:
        woocommerce_order.order(told, "SO-727")
    assert raised.value.error_code == "shop.lines-do-not-add-up"
    assert 199 <= int(raised.value.evidence["difference_minor"] or 0) <= 201


@pytest.mark.parametrize("difference", ["0.01", "-0.01", "100"])
def test_exact_lines_may_not_differ_by_a_penny(difference: str) -> None:
    lines = [ShopLine(kind="stock", net=Decimal("10.00"), tax=Decimal("2.00"), stock_code="A")]
    with pytest.raises(InvalidPayment):
        order_lines(lines, Money.of(Decimal("12.00") + Decimal(difference), "GBP"), "1")


def test_an_order_without_lines_is_refused_unless_it_is_free() -> None:
    assert order_lines([], Money(0, "GBP"), "1") == ()
    with pytest.raises(InvalidPayment):
        order_lines([], Money(1, "GBP"), "1")


def test_free_delivery_is_no_line_and_a_free_gift_is_one() -> None:
    lines = [
        ShopLine(kind="stock", net=Decimal(0), tax=Decimal(0), stock_code="GIFT"),
        ShopLine(kind="freight", net=Decimal("0.00"), tax=Decimal(0)),
    ]
    assert [line.stock_code for line in order_lines(lines, Money(0, "GBP"), "1")] == ["GIFT"]


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_a_line_without_a_quantity_is_refused(quantity: str) -> None:
    line = ShopLine(kind="stock", net=Decimal(1), tax=Decimal(0), quantity=Decimal(quantity))
    with pytest.raises(InvalidPayment):
        order_lines([line], Money(100, "GBP"), "1")


def test_more_decimals_than_the_currency_has_are_refused_in_a_total() -> None:
    told = msgspec.json.decode(WOO.replace(b'"29.35"', b'"29.355"'), type=WooOrder)
    with pytest.raises(InvalidPayment):
        woocommerce_order.order(told, "SO-727")


PARTS = st.lists(
    st.tuples(st.decimals(0, 500, places=4, allow_nan=False), st.decimals(0, 100, places=4, allow_nan=False)),
    min_size=1,
    max_size=12,
)


@given(PARTS, st.sampled_from(["GBP", "JPY", "BHD"]))
def test_rounded_lines_always_sum_to_the_rounded_total(
    parts: list[tuple[Decimal, Decimal]], currency: str
) -> None:
    lines = [ShopLine(kind="stock", net=net, tax=tax, stock_code="A") for net, tax in parts]
    places = Money(1, currency).decimal()
    due = Money.of(sum((net + tax for net, tax in parts), Decimal(0)).quantize(places), currency)
    made = order_lines(lines, due, "1")
    assert total([line.gross for line in made], currency) == due
    assert len(made) == len(lines)


GENERIC = {
    "reference": "88123",
    "status": "pending",
    "currency": "EUR",
    "total": "36.00",
    "placed_at": "2025-06-01T09:30:00+02:00",
    "lines": [
        {"kind": "stock", "stock_code": "85123A", "quantity": "6", "net": "25.00", "tax": "5.00"},
        {"kind": "freight", "net": "10.00", "tax": "2.00"},
        {"kind": "charge", "description": "Voucher", "net": "-5.00", "tax": "-1.00"},
    ],
}


def generic_order(**changes: object) -> GenericOrder:
    return msgspec.convert({**GENERIC, **changes}, GenericOrder)


def test_the_least_a_generic_shop_must_tell_is_enough() -> None:
    order = generic.order(generic_order(), "SO-1")
    assert order.total == Money(3_600, "EUR")
    assert [line.kind for line in order.lines] == ["stock", "freight", "charge"]
    assert order.placed_at is not None
    assert order.placed_at.isoformat() == "2025-06-01T07:30:00+00:00"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidPayment):
        generic.order(generic_order(placed_at="2025-06-01T09:30:00"), "SO-1")


def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidPayment):
        generic.order(generic_order(currency="euro"), "SO-1")


# --- pushes ---------------------------------------------------------------------------------------

BODY = b'{"event_id":"e1","event":"order.updated","reference":"88123","payment_reference":"SO-1"}'


def test_a_generic_push_is_genuine_only_with_an_active_secret() -> None:
    signed = {GENERIC_SIGNATURE: hmac.new(b"s", BODY, hashlib.sha256).hexdigest().upper()}
    assert generic_genuine(signed, BODY, ["t", "s"])
    assert not generic_genuine(signed, BODY + b" ", ["s"])
    assert not generic_genuine(signed, BODY, ["t"])
    assert not generic_genuine({}, BODY, ["s"])
    assert not generic_genuine(
        {GENERIC_SIGNATURE: hmac.new(b"", BODY, hashlib.sha256).hexdigest()}, BODY, [""]
    )


def test_a_generic_push_is_read() -> None:
    event = generic_event(BODY)
    assert (event.event_id, event.kind, event.payment_reference) == ("e1", "order.updated", "SO-1")
    with pytest.raises(InvalidPayment):
        generic_event(b"{}")


def test_a_woocommerce_signature_is_the_base64_of_the_hmac() -> None:
    # HMAC-SHA256 of "The quick brown fox jumps over the lazy dog" with the key "key", as published for HMAC.
    fox = b"The quick brown fox jumps over the lazy dog"
    signed = {WOOCOMMERCE_SIGNATURE: "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="}
    assert woocommerce_genuine(signed, fox, ["key"])
    assert not woocommerce_genuine(signed, fox, ["Key"])


def test_a_ping_tells_no_order_and_nonsense_is_refused() -> None:
    assert woocommerce_event({}, b"webhook_id=4", "_k") is None
    assert woocommerce_event({"x-wc-webhook-topic": "order.deleted"}, b'{"id":1}', "_k") is None
    with pytest.raises(InvalidPayment):
        woocommerce_event({"x-wc-webhook-topic": "order.updated"}, b'{"id":1}', "_k")
