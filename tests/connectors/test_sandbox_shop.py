"""The shop's sandbox answers as WooCommerce does, and as the generic storefront is documented to."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from integration.sandbox.ecommerce import ShopSandbox
from integration.sandbox.fault_plan import FaultOrder
from tests.connectors.serving import served

CODE = "W576082-S7-00001"
ADDRESS = {
    "first_name": "Zoe",
    "last_name": "O'Neill",
    "address_1": "1 High Street",
    "city": "Leeds",
    "country": "GB",
}
LINES: list[dict[str, object]] = [
    {
        "kind": "stock",
        "stock_code": "22465",
        "description": "STAR",
        "quantity": 12,
        "net": "19.80",
        "tax": "3.96",
    },
    {"kind": "freight", "description": "POSTAGE", "net": "4.00", "tax": "0.80"},
    {"kind": "charge", "description": "Voucher", "net": "-1.00", "tax": "-0.20"},
]


def an_order(reference: str = CODE, **members: object) -> dict[str, object]:
    return {
        "payment_reference": reference,
        "customer_id": 12428,
        "billing": ADDRESS,
        "lines": LINES,
        **members,
    }


@asynccontextmanager
async def shop_at(sandbox: ShopSandbox) -> AsyncIterator[httpx.AsyncClient]:
    config = sandbox.config
    async with served(sandbox.app) as url:
        basic = httpx.BasicAuth(config.consumer_key, config.consumer_secret)
        async with httpx.AsyncClient(base_url=url, auth=basic) as client:
            yield client


@pytest.fixture
async def shop() -> AsyncIterator[httpx.AsyncClient]:
    async with shop_at(ShopSandbox()) as client:
        yield client


async def place(shop: httpx.AsyncClient, *orders: dict[str, object]) -> list[dict[str, Any]]:
    answer = await shop.post("/_sandbox/orders", json={"orders": orders})
    assert answer.status_code == 201, answer.text
    placed: list[dict[str, Any]] = answer.json()["orders"]
    return placed


async def test_money_is_text_with_two_decimals_and_the_parts_sum_to_the_total(
    shop: httpx.AsyncClient,
) -> None:
    (placed,) = await place(shop, an_order())
    order = (await shop.get(f"/wp-json/wc/v3/orders/{placed['id']}")).json()
    assert order["total"] == placed["total"] == "27.36"
    assert (order["total_tax"], order["shipping_total"], order["shipping_tax"]) == ("4.56", "4.00", "0.80")
    assert [item["sku"] for item in order["line_items"]] == ["22465"]
    assert order["line_items"][0]["total"] == "19.80"
    assert order["fee_lines"][0]["total"] == "-1.00"
    assert order["tax_lines"][0]["tax_total"] == "3.76"
    assert isinstance(order["line_items"][0]["price"], float), "WooCommerce sends this one as a number"
    assert {"id": order["id"] * 100, "key": "_opayo_vendor_tx_code", "value": CODE} in order["meta_data"]


async def test_a_coupon_lowers_the_line_and_is_told_apart(shop: httpx.AsyncClient) -> None:
    line = {"kind": "stock", "stock_code": "1", "net": "9.00", "tax": "1.80", "discount": "1.00"}
    (placed,) = await place(shop, an_order(lines=[line], coupon_code="tenpercent"))
    order = (await shop.get(f"/wp-json/wc/v3/orders/{placed['id']}")).json()
    assert (order["discount_total"], order["discount_tax"], order["total"]) == ("1.00", "0.20", "10.80")
    assert order["line_items"][0]["subtotal"] == "10.00"
    assert order["coupon_lines"][0]["code"] == "tenpercent"


async def test_an_order_is_found_by_its_vendor_transaction_code(shop: httpx.AsyncClient) -> None:
    placed = await place(shop, an_order(), an_order("OTHER-1"))
    found = await shop.get("/wp-json/wc/v3/orders", params={"search": "OTHER-1"})
    assert [order["id"] for order in found.json()] == [placed[1]["id"]]
    assert (await shop.get("/wp-json/wc/v3/orders", params={"search": "nobody"})).json() == []


async def test_pages_tell_how_many_there_are(shop: httpx.AsyncClient) -> None:
    await place(shop, *(an_order(f"CODE-{number}") for number in range(5)))
    page = await shop.get("/wp-json/wc/v3/orders", params={"per_page": 2, "page": 2, "status": "pending"})
    assert (page.headers["x-wp-total"], page.headers["x-wp-totalpages"]) == ("5", "3")
    assert [order["id"] for order in page.json()] == [1003, 1002]
    assert 'rel="next"' in page.headers["link"]
    too_many = await shop.get("/wp-json/wc/v3/orders", params={"per_page": 101})
    assert (too_many.status_code, too_many.json()["code"]) == (400, "rest_invalid_param")
    assert (await shop.get("/wp-json/wc/v3/orders", params={"status": "paid"})).status_code == 400


async def test_wrong_credentials_are_refused_in_words_and_the_query_form_is_taken(
    shop: httpx.AsyncClient,
) -> None:
    config = ShopSandbox().config
    none = await shop.get("/wp-json/wc/v3/orders", auth=httpx.BasicAuth("", ""))
    wrong = await shop.get("/wp-json/wc/v3/orders", auth=httpx.BasicAuth(config.consumer_key, "no"))
    assert none.json() == {
        "code": "woocommerce_rest_cannot_view",
        "message": "Sorry, you cannot list resources.",
        "data": {"status": 401},
    }
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Consumer secret is invalid.")
    keys = {"consumer_key": config.consumer_key, "consumer_secret": config.consumer_secret}
    async with httpx.AsyncClient(base_url=shop.base_url, params=keys) as plain:
        assert (await plain.get("/wp-json/wc/v3/orders")).status_code == 200


async def test_a_status_and_a_note_are_taken_and_kept_in_the_ledger(shop: httpx.AsyncClient) -> None:
    (placed,) = await place(shop, an_order())
    path = f"/wp-json/wc/v3/orders/{placed['id']}"
    updated = await shop.put(path, json={"status": "processing", "transaction_id": "ABC"})
    noted = await shop.post(f"{path}/notes", json={"note": "Paid", "customer_note": False})
    assert (updated.json()["status"], updated.json()["transaction_id"]) == ("processing", "ABC")
    assert updated.json()["date_paid_gmt"] is not None
    assert (noted.status_code, noted.json()["note"]) == (201, "Paid")
    assert [note["note"] for note in (await shop.get(f"{path}/notes")).json()] == ["Paid"]
    (row,) = (await shop.get("/_sandbox/ledger")).json()["orders"]
    assert (row["status"], row["notes"]) == ("processing", ["Paid"])
    assert [(change["before"], change["after"]) for change in row["history"]] == [("pending", "processing")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/orders/9", None, 404, "woocommerce_rest_shop_order_invalid_id"),
        ("GET", "/products", None, 404, "rest_no_route"),
        ("PUT", "/orders/1001", b'{"status":"paid"}', 400, "rest_invalid_param"),
        ("PUT", "/orders/1001", b"{", 400, "rest_invalid_json"),
        ("POST", "/orders/1001/notes", b"{}", 400, "rest_missing_callback_param"),
    ],
)
async def test_what_is_refused_has_woocommerces_code(
    shop: httpx.AsyncClient, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    await place(shop, an_order())
    answer = await shop.request(method, f"/wp-json/wc/v3{path}", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_generic_storefront_tells_the_same_order_and_takes_a_status_once() -> None:
    sandbox = ShopSandbox()
    bearer = {"authorization": f"Bearer {sandbox.config.bearer_token}"}
    async with shop_at(sandbox) as shop:
        (placed,) = await place(shop, an_order())
        path = f"/generic/orders/{placed['id']}/status"
        async with httpx.AsyncClient(base_url=shop.base_url, headers=bearer) as generic:
            (order,) = (await generic.get("/generic/orders", params={"payment_reference": CODE})).json()[
                "orders"
            ]
            assert (await generic.get("/generic/orders", params={"payment_reference": "?"})).json() == {
                "orders": []
            }
            for _ in range(2):
                told = await generic.put(path, json={"status": "processing", "note": "Paid"})
            refused = await generic.put(path, json={"status": "paid"})
        assert (order["total"], order["customer"]["reference"]) == ("27.36", "12428")
        assert [line["kind"] for line in order["lines"]] == ["stock", "freight", "charge"]
        assert (order["lines"][0]["quantity"], order["lines"][0]["unit_price"]) == ("12", "1.65")
        assert (told.json()["status"], refused.status_code) == ("processing", 422)
        (row,) = (await shop.get("/_sandbox/ledger")).json()["orders"]
        assert (row["notes"], len(row["history"])) == (["Paid"], 1)
        assert (await shop.get("/generic/orders")).status_code == 401, "Basic credentials open another door"


class Receiver:
    """Takes webhooks and keeps them."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.taken.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def genuine(headers: dict[str, str], body: bytes, secret: str) -> bool:
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return headers["x-wc-webhook-signature"] == digest


async def test_webhooks_are_signed_over_the_raw_body_and_name_their_topic() -> None:
    receiver = Receiver()
    async with served(receiver) as hook, shop_at(ShopSandbox()) as shop:
        await shop.put("/_sandbox/webhook", json={"url": f"{hook}/shop", "secret": "s3cret"})
        (placed,) = await place(shop, an_order())
        await shop.get("/_sandbox/webhook")
        await shop.put(f"/wp-json/wc/v3/orders/{placed['id']}", json={"status": "processing"})
        await shop.put(f"/wp-json/wc/v3/orders/{placed['id']}", json={"status": "processing"})
        log = (await shop.get("/_sandbox/webhook")).json()["deliveries"]
    assert [headers["x-wc-webhook-topic"] for headers, _ in receiver.taken] == [
        "order.created",
        "order.updated",
    ]
    assert all(genuine(headers, body, "s3cret") for headers, body in receiver.taken)
    assert msgspec.json.decode(receiver.taken[1][1])["status"] == "processing"
    assert [entry["status"] for entry in log] == [200, 200], (
        "the second update changed nothing and is not told"
    )


@pytest.mark.parametrize(("fault", "taken", "false"), [("event-doubled", 2, 0), ("event-forged", 2, 1)])
async def test_an_event_fault_doubles_or_forges_a_webhook(fault: str, taken: int, false: int) -> None:
    receiver, sandbox = Receiver(), ShopSandbox()
    sandbox.plan.order(FaultOrder(fault))
    async with served(receiver) as hook, shop_at(sandbox) as shop:
        await shop.put("/_sandbox/webhook", json={"url": hook, "secret": "s3cret"})
        await place(shop, an_order())
        await shop.get("/_sandbox/webhook")
    assert len(receiver.taken) == taken
    assert sum(not genuine(headers, body, "s3cret") for headers, body in receiver.taken) == false


async def test_a_lost_answer_does_not_lose_the_update() -> None:
    sandbox = ShopSandbox()
    async with shop_at(sandbox) as shop:
        (placed,) = await place(shop, an_order())
        path = f"/wp-json/wc/v3/orders/{placed['id']}"
        sandbox.plan.order(FaultOrder("commit-then-drop"))
        with pytest.raises(httpx.TransportError):
            await shop.put(path, json={"status": "processing"})
        assert (await shop.get(path)).json()["status"] == "processing"


async def test_an_order_that_cannot_be_is_refused_by_the_control(shop: httpx.AsyncClient) -> None:
    fraction = [{"kind": "stock", "net": "1.005"}]
    for wrong in (
        an_order(lines=[]),
        an_order(lines=fraction),
        an_order(status="paid"),
        an_order(colour="red"),
    ):
        answer = await shop.post("/_sandbox/orders", json={"orders": [wrong]})
        assert answer.status_code == 422, wrong
    assert (await shop.get("/_sandbox/ledger")).json() == {"orders": []}
