"""The shop as one ASGI application: two faces, and the control below ``/_sandbox/``.

Control: ``POST /_sandbox/orders`` ``{"orders": [NewOrder, …]}`` answers ids, numbers and totals in the same
order; ``PUT /_sandbox/orders/{id}/payment`` ``{"payment_reference"}`` links another attempt; ``GET
/_sandbox/ledger``; ``PUT /_sandbox/webhook`` (see :class:`Subscriber`); ``GET /_sandbox/webhook`` waits for
deliveries on their way and lists them; ``POST /_sandbox/reset``; faults as everywhere. ``POST /_sandbox/customers``
``{"customers": [NewAccount, …]}``, ``PUT /_sandbox/customers/{id}`` as a person would edit, ``GET /_sandbox/customers``.
"""

from __future__ import annotations

import msgspec

from integration.sandbox.ecommerce import generic, woocommerce
from integration.sandbox.ecommerce.config import ShopSandboxConfig
from integration.sandbox.ecommerce.customers import NewAccount
from integration.sandbox.ecommerce.generic import GenericStorefront
from integration.sandbox.ecommerce.store import NewOrder, Order, ShopStore
from integration.sandbox.ecommerce.webhook import Subscriber, WebhookSender
from integration.sandbox.ecommerce.wire import (
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    read_request,
    send_answer,
)
from integration.sandbox.ecommerce.woocommerce import WooCommerce
from integration.sandbox.faults import FaultOptions, FaultPlan, FaultyApp

CONTROL = "/_sandbox"
_ERROR_BODY = (
    b'{"code":"internal_server_error","message":"There has been a critical error on this website.",'
    b'"data":{"status":500}}'
)


class _Orders(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /_sandbox/orders``."""

    orders: tuple[NewOrder, ...]


class _Customers(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /_sandbox/customers``."""

    customers: tuple[NewAccount, ...]


class _Payment(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /_sandbox/orders/{id}/payment``."""

    payment_reference: str


class ShopSandbox:
    """A web shop to point a connector at.

    Attributes:
        config: its settings.
        plan: its faults.
        store: its orders.
        app: the ASGI application, faults included.
    """

    def __init__(self, config: ShopSandboxConfig | None = None) -> None:
        self.config = config or ShopSandboxConfig()
        self.plan = FaultPlan(self.config.seed, self.config.supports)
        self.store = ShopStore()
        self.webhook = WebhookSender(self.config, self.plan)
        self._base_url = "http://shop.invalid"
        self._woocommerce = WooCommerce(self.config, self.store, self._updated)
        self._generic = GenericStorefront(self.config, self.store, self._updated)
        self.app = FaultyApp(self._serve, self.plan, FaultOptions(_ERROR_BODY))

    def _updated(self, order: Order) -> None:
        self.webhook.tell("order.updated", order, self._base_url)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"The shop speaks HTTP only, not {scope['type']}.")
        request = await read_request(scope, receive)
        self._base_url = request.base_url
        await send_answer(await self._answer(request), send)

    async def _answer(self, request: Request) -> Answer:
        if request.path.startswith(woocommerce.PREFIX):
            return self._woocommerce.answer(request)
        if request.path.startswith(generic.PREFIX):
            return self._generic.answer(request)
        if request.path.startswith(CONTROL):
            try:
                return await self._control(request)
            except (ValueError, msgspec.MsgspecError) as error:
                return Answer(422, {"error": str(error)})
        return Answer(404, {"error": "There is no such address here."})

    async def _control(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix(CONTROL).strip("/").split("/"):
            case "POST", ["orders"]:
                return self._create(request)
            case "PUT", ["orders", order_id, "payment"] if order_id.isdecimal():
                return self._link(int(order_id), request)
            case method, ["customers", *rest]:
                return self._customers(method, rest, request)
            case "GET", ["ledger"]:
                return Answer(200, {"orders": self.store.ledger()})
            case "PUT", ["webhook"]:
                self.webhook.subscribe(msgspec.json.decode(request.body, type=Subscriber))
                return Answer(200, {"url": self.webhook.subscriber.url})
            case "GET", ["webhook"]:
                await self.webhook.idle()
                log = [{"topic": topic, "status": status} for topic, status in self.webhook.log]
                return Answer(200, {"url": self.webhook.subscriber.url, "deliveries": log})
            case "POST", ["reset"]:
                self.store.reset()
                self.plan.clear()
                return Answer(200, {"orders": 0})
        return Answer(404, {"error": "No such control."})

    def _create(self, request: Request) -> Answer:
        created = [self.store.create(sale) for sale in msgspec.json.decode(request.body, type=_Orders).orders]
        for order in created:
            self.webhook.tell("order.created", order, request.base_url)
        told = [{"id": one.id, "number": one.number, "total": str(one.total)} for one in created]
        return Answer(201, {"orders": told})

    def _customers(self, method: str, rest: list[str], request: Request) -> Answer:
        accounts = self.store.accounts
        match method, rest:
            case "POST", []:
                new = msgspec.json.decode(request.body, type=_Customers).customers
                return Answer(201, {"customers": [accounts.create(each).id for each in new]})
            case "PUT", [number] if number.isdecimal() and int(number) in accounts.by_id:
                account = accounts.by_id[int(number)]
                accounts.change(account, request.json())
                return Answer(200, account)
            case "GET", []:
                return Answer(200, {"customers": list(accounts.by_id.values())})
        return Answer(404, {"error": "No such control, or no such customer."})

    def _link(self, order_id: int, request: Request) -> Answer:
        order = self.store.orders.get(order_id)
        if order is None:
            return Answer(404, {"error": f"There is no order {order_id}."})
        self.store.link(order, msgspec.json.decode(request.body, type=_Payment).payment_reference)
        self._updated(order)
        return Answer(200, {"id": order.id})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.webhook.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
