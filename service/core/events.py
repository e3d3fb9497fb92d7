"""Events: what the service tells others, as CloudEvents 1.0; which types there are, and which a subscriber wants."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from service.core.source_document import Json

_NAMESPACE = uuid.UUID("6f2d8b5e-6a55-5a0e-9d2f-6d0f3c1b7a41")

_OF_SYSPRO: Mapping[str, str] = {
    "order.created": "SYSPRO has a sales order that we did not post",
    "order.status_changed": "a sales order has another status; `previous_status`, `status`, `status_name`",
    "order.dispatched": "goods of a sales order left the warehouse: it is ready to invoice, or was invoiced",
    "order.cancelled": "a sales order was cancelled in SYSPRO",
    "order.invoiced": "a sales order was invoiced, whole or in part; once for each invoice",
    "invoice.raised": "an invoice without a sales order is in the ledger",
    "invoice.paid": "an invoice has no balance any more",
    "payment.applied": "a payment was set against an invoice; ours too",
    "credit_note.raised": "a credit note that is not ours is in the ledger",
    "adjustment.posted": "somebody adjusted an invoice in SYSPRO",
}
_OF_THE_ROAD: Mapping[str, str] = {
    "received": "arrived from Opayo",
    "validated": "is complete and lawful to post",
    "mapped": "has its SYSPRO documents",
    "held": "is held by screening, for a person",
    "cleared": "passed screening",
    "released": "was held, and a person let it go",
    "rejected": "was held, and a person refused it",
    "posted": "is in SYSPRO's ledger",
    "confirmed": "was read back from SYSPRO as it was sent",
    "exception": "is in the ledger, and a person has something to do",
    "dead_letter": "cannot move, and waits for a person",
    "replayed": "was sent round again by a person",
    "repaired": "had an error put right, and goes on",
    "ignored": "moved no money",
    "reconciled": "agrees with the settlement",
}
KINDS: Mapping[str, str] = {"payment": "a payment", "refund": "a refund", "chargeback": "a chargeback"}

EVENT_TYPES: Mapping[str, str] = {
    **{
        f"{kind}.{what}": f"{name} {text}"
        for kind, name in KINDS.items()
        for what, text in _OF_THE_ROAD.items()
    },
    **_OF_SYSPRO,
    "alert.raised": "something needs a person's eye; repeats of an open alert are not told again",
    "subscription.ping": "a test that somebody asked for; sent to one subscriber, whatever it subscribed to",
}
"""Every type of event with its meaning. A payment made in SYSPRO by somebody else is `payment.posted`, too."""

ROAD_ACTIONS: tuple[str, ...] = tuple(f"payment.{what}" for what in _OF_THE_ROAD)
"""The actions of the audit trail that are events."""

PING = "subscription.ping"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
SIGNATURE = "x-opayo-syspro-signature"


class Event(Struct, frozen=True, kw_only=True):
    """One event.

    Attributes:
        event_id: the same for the same thing for ever; who has seen it has seen the event.
        subject: what it is about (`payment/<transaction id>`, `order/<number>`); events of one subject are in order.
        happened_at: aware UTC.
    """

    event_id: str
    type: str
    subject: str
    data: dict[str, Json]
    happened_at: datetime


def event_id(*parts: str) -> str:
    """The id of an event by what makes it itself."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


def fault_of(pattern: str) -> str:
    """What is wrong with a pattern of types, as half a sentence; empty when it fits at least one type."""
    if any(wants([pattern], each) for each in EVENT_TYPES):
        return ""
    return f"`{pattern}` fits no type of event: name one, or a group as `order.*`, or all as `*`"


def wants(patterns: Sequence[str], type_: str) -> bool:
    """Whether one of the patterns fits a type: itself, `order.*` for its group, `*` for all."""
    return any(
        pattern in ("*", type_) or (pattern.endswith(".*") and type_.startswith(pattern[:-1]))
        for pattern in patterns
    )


def envelope(event: Event, pair: str) -> bytes:
    """The event as CloudEvents 1.0, structured mode, JSON."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event.event_id,
            "source": f"/opayo-syspro/pairs/{pair}",
            "type": event.type,
            "subject": event.subject,
            "time": event.happened_at,
            "datacontenttype": "application/json",
            "data": event.data,
        }
    )


def signature(secrets: Sequence[str], timestamp: int, body: bytes) -> str:
    """The value of the signature header: `t=<Unix seconds>` and one `v1=<hex>` for each live secret.

    Each is HMAC-SHA256 over the timestamp, a dot and the body as it was sent, under one secret.
    """
    signed = str(timestamp).encode() + b"." + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])
