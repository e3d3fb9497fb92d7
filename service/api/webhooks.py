"""The doors: what Opayo and the shop push to us. Verify, mask, store, answer; nothing is decided here."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import structlog
from litestar import Request, Response, Router, post
from litestar.exceptions import NotFoundException
from msgspec import Struct
from msgspec.structs import replace

from integration.ecommerce import webhook as shop_webhook
from integration.errors import IntegrationError, Misconfigured
from integration.opayo import notification, webhook
from service.api.context import AppContext, Context
from service.api.parameters import PairName
from service.api.problems import Refused
from service.core.card_data import mask, mask_bytes
from service.store import deliveries, registrations
from service.store.inbox import Delivery
from service.store.pairs import PairSettings
from service.telemetry import EVENTS

AnyRequest = Request[Any, Any, Any]
log = structlog.get_logger()

_ECHOES_FOR = timedelta(minutes=10)


class Taken(Struct, frozen=True, kw_only=True):
    """A message was stored; `new` is false for one that we had already."""

    event_id: str
    new: bool


async def _settings(context: Context, pair: str) -> PairSettings:
    try:
        settings, _ = await context.stages.connections(pair)
    except Misconfigured as error:
        if error.error_code == "pair.unknown":
            raise NotFoundException(f"There is no pair `{pair}`.") from error
        raise
    return settings


def _headers(request: AnyRequest) -> dict[str, str]:
    """The headers of a request; ASGI gives their names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}


def _storable(delivery: Delivery) -> Delivery:
    """The delivery as it may be stored: an id is kept as its digest where chance made it look like a card number.

    One random id in some thousands does, and a message refused for its id would be lost for ever.
    """
    # Looked at in one go; nothing that could be card data reaches over the bars.
    text = "\n|\n".join((delivery.event_id, delivery.kind, delivery.vendor_tx_code))
    if "\0" not in text and mask(text) == text:
        return delivery
    if "\0" in text or mask(text := f"{delivery.kind}\n|\n{delivery.vendor_tx_code}") != text:
        raise Refused(400, "inbox.unlawful-member", "A member of the message holds card data or a NUL")
    digest = hashlib.sha256(delivery.event_id.encode()).hexdigest()
    return replace(delivery, event_id=f"sha256:{digest}")


async def _store(context: Context, delivery: Delivery) -> Response[Taken]:
    delivery = _storable(delivery)
    accepted = await context.batcher.store(delivery)
    EVENTS.labels(delivery.pair, delivery.source, "accepted" if accepted.new else "duplicate").inc()
    return Response(Taken(event_id=delivery.event_id, new=accepted.new), status_code=200)


@post("/webhooks/opayo/{pair:str}", status_code=200, opt={"public": True}, summary="Take an Opayo event")
async def opayo_event(pair: PairName, request: AnyRequest) -> Response[Taken]:
    """A signed JSON event. It is answered when it is on the disk; a second delivery is answered alike."""
    # The busiest route: injecting the context, and wrapping the headers, would be a tenth of its cost.
    context: Context = request.scope["litestar_app"].state.context
    settings = await _settings(context, pair)
    body = await request.body()
    headers = _headers(request)
    try:
        webhook.verified(headers, body, settings.opayo.webhook_secrets, context.now())
        event = webhook.event(headers, body, settings.vendor)
    except IntegrationError as error:
        EVENTS.labels(pair, "webhook", "refused").inc()
        status = 401 if isinstance(error, webhook.NotGenuine) else 400
        raise Refused(status, error.error_code, error.title, hint=error.advice) from error
    return await _store(
        context,
        Delivery(
            pair=pair,
            source="webhook",
            event_id=event.event_id,
            kind=event.kind,
            transaction_id=event.transaction_id,
            vendor_tx_code=event.vendor_tx_code,
            body=mask_bytes(body),
            occurred_at=event.occurred_at,
        ),
    )


@post(
    "/webhooks/opayo/{pair:str}/notification",
    status_code=200,
    opt={"public": True},
    summary="Take a Server notification",
)
async def server_notification(pair: PairName, request: AnyRequest, context: AppContext) -> Response[bytes]:
    """Opayo's Server notification, answered as Opayo demands: plain text, `Status=…`, `RedirectURL=…`."""
    settings = await _settings(context, pair)
    body = await request.body()
    back = (
        settings.defaults.get("return_url")
        or f"{(context.settings.public_url or str(request.base_url)).rstrip('/')}/health"
    )
    try:
        fields = notification.read_form(body)
        event = notification.event(fields)
        async with context.engine.connect() as connection:
            key = await registrations.security_key(connection, context.vault, pair, event.vendor_tx_code)
        if not notification.genuine(fields, settings.vendor, key):
            EVENTS.labels(pair, "notification", "refused").inc()
            return _plain(notification.reply("INVALID", back, "The signature does not match"))
    except IntegrationError as error:
        EVENTS.labels(pair, "notification", "refused").inc()
        return _plain(notification.reply("INVALID", back, error.title[:200]))
    taken = Delivery(
        pair=pair,
        source="notification",
        event_id=event.event_id,
        kind=event.kind,
        transaction_id=event.transaction_id,
        vendor_tx_code=event.vendor_tx_code,
        body=mask_bytes(body),
    )
    try:
        await _store(context, taken)
    except Exception:
        # Opayo cancels what we could not record: no money is taken that nobody knows of.
        log.exception("notification.not_stored", pair=pair)
        return _plain(notification.reply("ERROR", back, "Not recorded; please try again"))
    return _plain(notification.reply("OK", back))


def _plain(body: bytes) -> Response[bytes]:
    return Response(body, media_type="text/plain", status_code=200)


async def _is_echo(context: Context, settings: PairSettings, event: shop_webhook.ShopEvent) -> bool:
    """Whether the shop tells us of a status that we told it a moment ago."""
    statuses = settings.shop.statuses if settings.shop is not None else {}
    if event.status not in statuses.values():
        return False
    async with context.engine.connect() as connection:
        told = await deliveries.told_lately(
            connection, settings.pair, event.reference, context.now() - _ECHOES_FOR
        )
    return any(statuses.get(type_) == event.status for type_ in told)


@post("/webhooks/shop/{pair:str}", status_code=200, opt={"public": True}, summary="Take a shop event")
async def shop_event(pair: PairName, request: AnyRequest, context: AppContext) -> Response[Taken]:
    """A signed event of the pair's shop: a hint that an order changed, and perhaps was paid."""
    settings = await _settings(context, pair)
    if settings.shop is None:
        raise NotFoundException(f"Pair `{pair}` has no shop.")
    body = await request.body()
    headers = _headers(request)
    secrets = [settings.shop.webhook_secret]
    try:
        if settings.shop.kind == "woocommerce":
            genuine = shop_webhook.woocommerce_genuine(headers, body, secrets)
            event = (
                shop_webhook.woocommerce_event(headers, body, "_opayo_vendor_tx_code") if genuine else None
            )
        else:
            genuine = shop_webhook.generic_genuine(headers, body, secrets)
            event = shop_webhook.generic_event(body) if genuine else None
    except IntegrationError as error:
        EVENTS.labels(pair, "shop", "refused").inc()
        raise Refused(400, error.error_code, error.title, hint=error.advice) from error
    if not genuine:
        EVENTS.labels(pair, "shop", "refused").inc()
        raise Refused(401, "shop.not-genuine", "The message is not signed with a secret of this pair")
    if event is None or not event.payment_reference or await _is_echo(context, settings, event):
        return Response(Taken(event_id=hashlib.sha256(body).hexdigest()[:32], new=False), status_code=200)
    return await _store(
        context,
        Delivery(
            pair=pair,
            source="shop",
            event_id=event.event_id,
            kind=event.kind,
            transaction_id="",
            vendor_tx_code=event.payment_reference,
            body=mask_bytes(body),
        ),
    )


router = Router(path="", route_handlers=[opayo_event, server_notification, shop_event], tags=["Webhooks"])
