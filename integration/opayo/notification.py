"""The Server protocol's notification: Opayo posts the result of a hosted payment and wants a reply.

It carries neither amount nor currency: those are in the registration. Its MD5 signature is weak by today's
standard, so it is a hint like any other event, and the transaction is read again before anything is posted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal
from urllib.parse import parse_qsl

from integration.canonical.payment import GatewayEvent
from integration.errors import InvalidPayment
from integration.opayo import schema

# The signed fields in their order: 18 to 21 joined with protocol 3.00, the last three with 4.00.
_BEFORE_VENDOR = ("VPSTxId", "VendorTxCode", "Status", "TxAuthNo")
_AFTER_KEY_V3 = (
    "AddressResult",
    "PostCodeResult",
    "CV2Result",
    "GiftAid",
    "3DSecureStatus",
    "CAVV",
    "AddressStatus",
    "PayerStatus",
    "CardType",
    "Last4Digits",
    "DeclineCode",
    "ExpiryDate",
    "FraudResponse",
    "BankAuthCode",
)
_AFTER_KEY_V4 = (*_AFTER_KEY_V3, "ACSTransID", "DSTransID", "SchemeTraceID")

_EVENTS = {
    "OK": "payment.authorised",
    "NOTAUTHED": "payment.declined",
    "REJECTED": "payment.rejected",
    "ABORT": "payment.cancelled",
    "AUTHENTICATED": "payment.authenticated",
    "REGISTERED": "payment.authenticated",
    "PENDING": "payment.pending",
}


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a notification, decoded as Opayo encodes them (Latin-1, empty values kept).

    Raises:
        InvalidPayment: no form, or one without transaction, code and status.
    """
    try:
        fields = dict(
            parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=200)
        )
    except ValueError as error:
        raise InvalidPayment("The notification is no form", code="opayo.notification") from error
    missing = [name for name in ("VPSTxId", "VendorTxCode", "Status") if not fields.get(name)]
    if missing:
        raise InvalidPayment(
            f"The notification lacks {', '.join(missing)}",
            code="opayo.notification",
        )
    return fields


def signature(fields: Mapping[str, str], vendor: str, security_key: str, *, version: Literal[3, 4]) -> str:
    """The signature as Opayo computes it: upper-case MD5 of the values without separators."""
    if fields.get("TxType", "").upper() == "TOKEN" and fields.get("Status", "").upper() == "OK":
        values = [fields.get(name, "") for name in _BEFORE_VENDOR]
        values[0] = values[0].strip("{}")
        values += [vendor.lower(), fields.get("AVSCV2", ""), fields.get("Token", ""), security_key]
    else:
        after = _AFTER_KEY_V4 if version == 4 else _AFTER_KEY_V3
        values = [fields.get(name, "") for name in _BEFORE_VENDOR]
        values += [vendor.lower(), fields.get("AVSCV2", "")]
        if fields.get("TxType", "").upper() == "TOKEN":
            values.append(fields.get("Token", ""))
        values += [security_key, *(fields.get(name, "") for name in after)]
    text = "".join(values).encode("latin-1", "replace")
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


def genuine(fields: Mapping[str, str], vendor: str, security_key: str) -> bool:
    """Whether the notification is signed with the registration's security key, in the order of v4 or v3.

    An empty key proves nothing: a transaction we never registered is not genuine.
    """
    if not security_key:
        return False
    given = fields.get("VPSSignature", "").strip().upper().encode("latin-1", "replace")
    matches = [
        hmac.compare_digest(given, signature(fields, vendor, security_key, version=version).encode())
        for version in (4, 3)
    ]
    return any(matches)


def event(fields: Mapping[str, str]) -> GatewayEvent:
    """The event a genuine notification is; the same transaction and status is the same event.

    Raises:
        InvalidPayment: the transaction id is none.
    """
    status = fields["Status"].strip().upper()
    transaction_id = schema.transaction_id(fields["VPSTxId"])
    tx_type = fields.get("TxType", "").upper()
    kind = _EVENTS.get(status, "payment.failed")
    if status == "OK" and tx_type == "DEFERRED":
        kind = "payment.deferred"
    if status == "OK" and tx_type == "TOKEN":
        kind = "token.created"
    return GatewayEvent(
        event_id=f"server:{transaction_id}:{status}",
        kind=kind,
        transaction_id=transaction_id,
        vendor_tx_code=fields["VendorTxCode"],
    )


def reply(status: Literal["OK", "INVALID", "ERROR"], redirect_url: str, detail: str = "") -> bytes:
    """What Opayo must be answered, as `text/plain` with HTTP 200 and nothing around it.

    `OK` says that the result is recorded, whatever it is. `INVALID` and `ERROR` make Opayo cancel an authorised
    payment: use them for a wrong signature or when nothing could be stored.

    Args:
        redirect_url: where the shopper's browser goes, mandatory, at most 255 characters.
        detail: for Opayo's log, at most 255 characters.

    Raises:
        ValueError: no address, or one that is too long or would break the lines.
    """
    if not redirect_url or len(redirect_url) > 255 or not redirect_url.isprintable():
        raise ValueError("the redirect address must have 1 to 255 printable characters")
    lines = [f"Status={status}", f"RedirectURL={redirect_url}"]
    if detail:
        lines.append(f"StatusDetail={schema.clean(detail, 255)}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")
