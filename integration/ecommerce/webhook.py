"""What a shop pushes to us: signatures, and the little of it that we believe.

A webhook is a hint: the order is read again before anything is decided.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from integration.ecommerce.woocommerce_order import WooOrder
from integration.errors import InvalidPayment

WOOCOMMERCE_SIGNATURE = "x-wc-webhook-signature"
GENERIC_SIGNATURE = "x-storefront-signature"


class ShopEvent(Struct, frozen=True, kw_only=True):
    """Something happened to an order.

    Attributes:
        event_id: unique per shop; a second delivery carries the same.
        kind: `order.created`, `order.updated`, …
        reference: the shop's id of the order.
        payment_reference: the vendor transaction code, empty when the shop does not tell it.
    """

    event_id: str
    kind: str
    reference: str
    payment_reference: str = ""
    status: str = ""


class _GenericEvent(Struct):
    event_id: str
    event: str
    reference: str
    payment_reference: str = ""
    status: str = ""


def woocommerce_genuine(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether WooCommerce signed the raw body (base64 of HMAC-SHA256) with an active secret.

    Args:
        headers: with lower-case names.
        body: the bytes as they came.
        secrets: the active ones; empty ones sign nothing.
    """
    given = headers.get(WOOCOMMERCE_SIGNATURE, "").strip().encode("latin-1", "replace")
    matches = [
        hmac.compare_digest(given, b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()))
        for secret in secrets
        if secret
    ]
    return any(matches)


def generic_genuine(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether a generic storefront signed the raw body (hex of HMAC-SHA256) with an active secret."""
    given = headers.get(GENERIC_SIGNATURE, "").strip().lower().encode("latin-1", "replace")
    matches = [
        hmac.compare_digest(given, hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
        for secret in secrets
        if secret
    ]
    return any(matches)


def woocommerce_event(headers: Mapping[str, str], body: bytes, meta_key: str) -> ShopEvent | None:
    """The event of a genuine delivery, or `None` for what tells no order (the first ping, a deletion).

    Raises:
        InvalidPayment: not an order's JSON.
    """
    topic = headers.get("x-wc-webhook-topic", "")
    if topic not in ("order.created", "order.updated", "order.restored"):
        return None
    try:
        told = msgspec.json.decode(body, type=WooOrder)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidPayment("The delivery is no WooCommerce order", code="shop.webhook") from error
    delivery = headers.get("x-wc-webhook-delivery-id", "") or hashlib.sha256(body).hexdigest()
    return ShopEvent(
        event_id=delivery,
        kind=topic,
        reference=str(told.id),
        payment_reference=told.meta(meta_key),
        status=told.status,
    )


def generic_event(body: bytes) -> ShopEvent:
    """The event of a genuine delivery.

    Raises:
        InvalidPayment: not this JSON.
    """
    try:
        told = msgspec.json.decode(body, type=_GenericEvent)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidPayment("The delivery is no storefront event", code="shop.webhook") from error
    return ShopEvent(
        event_id=told.event_id,
        kind=told.event,
        reference=told.reference,
        payment_reference=told.payment_reference,
        status=told.status,
    )
