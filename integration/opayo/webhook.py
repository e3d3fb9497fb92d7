"""The labelled JSON webhook: ours, not Opayo's.

Opayo pushes nothing for transactions of its REST API. Our sandbox, and shops that tell us of a payment, send this
JSON with an HMAC of time and body. It is a hint: the transaction is read again before anything is posted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from integration.canonical.payment import GatewayEvent
from integration.errors import InvalidPayment, Rejected
from integration.opayo import schema

EVENT_ID = "x-opayo-sandbox-event-id"
TIMESTAMP = "x-opayo-sandbox-timestamp"
SIGNATURE = "x-opayo-sandbox-signature"
WINDOW_SECONDS = 300


class NotGenuine(Rejected):
    """A message whose signature, time or vendor is not what the sender of this pair would have sent."""

    code = "opayo.not-genuine"
    hint = "If the sender is real, check the webhook secret of the pair and the sender's clock."


class _Event(Struct, rename="camel"):
    event_id: str
    event_type: str
    transaction_id: str
    vendor_tx_code: str
    vendor_name: str = ""
    occurred_at: datetime | None = None
    sequence: int = 0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 of `timestamp.body`, in hex."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verified(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Accept a message signed with any active secret within five minutes of now.

    Args:
        headers: with lower-case names.
        body: the bytes as they came.
        secrets: the active ones; two while one replaces the other.
        now: aware.

    Raises:
        NotGenuine: signature or time is missing or wrong.
    """
    timestamp = headers.get(TIMESTAMP, "").strip()
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotGenuine("The message carries no time stamp")
    given = [
        part.strip().removeprefix("v1=").encode("latin-1", "replace")
        for part in headers.get(SIGNATURE, "").split(",")
        if part.strip().startswith("v1=")
    ]
    # Every pair is compared, so that the time taken tells nothing.
    matches = [
        hmac.compare_digest(one, signature(secret, timestamp, body).encode())
        for secret in secrets
        if secret
        for one in given
    ]
    if not any(matches):
        raise NotGenuine("The message is not signed with a secret of this pair")
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise NotGenuine("The message is older, or newer, than five minutes")


def event(headers: Mapping[str, str], body: bytes, vendor: str) -> GatewayEvent:
    """The event of a verified message.

    Raises:
        InvalidPayment: not this JSON.
        NotGenuine: another vendor's, or the event id of header and body differ.
    """
    try:
        read = msgspec.json.decode(body, type=_Event)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidPayment("The message is not the JSON of an event", code="opayo.webhook") from error
    if read.vendor_name and read.vendor_name.lower() != vendor.lower():
        raise NotGenuine(f"The message is for another vendor than {vendor}")
    if headers.get(EVENT_ID, read.event_id) != read.event_id:
        raise NotGenuine("The event id in the header is not the one that is signed")
    if read.occurred_at is not None and read.occurred_at.tzinfo is None:
        raise InvalidPayment("The event's time has no zone", code="opayo.webhook")
    return GatewayEvent(
        event_id=read.event_id,
        kind=read.event_type,
        transaction_id=schema.transaction_id(read.transaction_id),
        vendor_tx_code=read.vendor_tx_code,
        occurred_at=read.occurred_at.astimezone(UTC) if read.occurred_at else None,
        sequence=read.sequence,
    )
