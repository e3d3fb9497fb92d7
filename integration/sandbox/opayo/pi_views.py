"""Transactions and refusals in Pi's JSON, with the types the real wire has."""

from __future__ import annotations

import base64

import msgspec

from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.store import Transaction
from integration.sandbox.opayo.wire import Body, Response, json_reply

_UNDONE = frozenset({"2005", "2006", "2012", "5006"})


def problem(status: int, code: int, description: str) -> Response:
    """A single error: ``{"description", "code"}``, the code an integer."""
    return json_reply(status, {"description": description, "code": code})


def transaction_style(code: str, text: str, status: int = 422) -> Response:
    """An error worded like a transaction."""
    return json_reply(status, {"status": "Invalid", "statusCode": code, "statusDetail": text})


def refused(error: RefusedError) -> Response:
    """A refusal of the engine in the shape Pi uses for it."""
    reason = error.reason
    if reason.code:
        return problem(reason.http, reason.code, reason.text)
    return transaction_style(reason.classic, reason.classic_text, reason.http)


def transaction_view(row: Transaction) -> Body:
    """The body of 201 (and of GET): absent properties really are absent.

    ``statusCode`` is text, ``retrievalReference`` an integer, amounts are integers of minor units.
    """
    view: Body = {"statusCode": row.status_code, "statusDetail": row.status_detail, "transactionId": row.id}
    if row.status_code == "4026":
        view["status"] = row.status
        return view
    if not row.no_type:
        view["transactionType"] = row.type
    _add_bank(view, row)
    if row.card is not None and not row.bare:
        view["paymentMethod"] = {"card": _card_view(row)}
    view["amount"] = {"totalAmount": row.amount, "saleAmount": row.amount, "surchargeAmount": 0}
    view["currency"] = row.currency
    view["fiRecipient"] = row.details.fi_recipient
    view["status"] = row.status
    if row.avs is not None and not row.bare:
        view["avsCvcCheck"] = {
            "status": row.avs.status,
            "address": row.avs.address,
            "postalCode": row.avs.postal_code,
            "securityCode": row.avs.security_code,
        }
    if row.three_ds:
        view["3DSecure"] = {"status": row.three_ds}
    if row.acs_id:
        view["acsTransId"], view["dsTransId"] = row.acs_id, row.ds_id
    return view


def _add_bank(view: Body, row: Transaction) -> None:
    if row.decline is not None:
        view["additionalDeclineDetail"] = row.decline
    if row.retrieval is not None:
        view["retrievalReference"] = 0 if row.status_code in _UNDONE else row.retrieval
    if row.bank_code:
        view["bankResponseCode"] = row.bank_code
    if row.bank_auth:
        view["bankAuthorisationCode"] = row.bank_auth
    if row.details.settlement_text:
        view["settlementReferenceText"] = row.details.settlement_text


def _card_view(row: Transaction) -> Body:
    assert row.card is not None
    view: Body = {
        "cardType": row.card.card_type,
        "lastFourDigits": row.card.last4,
        "expiryDate": row.card.expiry,
    }
    if row.show_identifier and row.card_identifier:
        view["cardIdentifier"] = row.card_identifier
        view["reusable"] = row.reusable
    return view


def challenge_view(row: Transaction, acs_url: str) -> Body:
    """The body of 202: where to send the shopper; no ``transactionType``."""
    return {
        "statusCode": row.status_code,
        "statusDetail": row.status_detail,
        "transactionId": row.id,
        "acsTransId": row.acs_id,
        "dsTransId": row.ds_id,
        "acsUrl": acs_url,
        "cReq": encode_message(creq_of(row)),
        "status": row.status,
    }


def creq_of(row: Transaction) -> dict[str, str]:
    """The challenge request an ACS would read."""
    return {
        "messageType": "CReq",
        "messageVersion": "2.1.0",
        "threeDSServerTransID": row.id.lower(),
        "acsTransID": row.acs_id,
        "challengeWindowSize": "01",
    }


def encode_message(message: dict[str, str]) -> str:
    """Base64url of JSON without padding, as EMV 3-D Secure messages travel."""
    return base64.urlsafe_b64encode(msgspec.json.encode(message)).decode().rstrip("=")


def decode_message(text: str) -> dict[str, str] | None:
    """Read such a message; None when it is none."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=dict[str, str])
    except (ValueError, msgspec.MsgspecError):
        return None
