"""Messages that carry their facts: what Opayo cannot be asked about, or does not tell.

A chargeback comes from the acquirer's file or a person, and the reversal of a voided payment from ourselves. Each
becomes a transaction of its own with an id made from its natural key, so that the same thing arriving twice, from
wherever, is one payment on the road.
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.payment import Card, GatewayTransaction
from integration.errors import InvalidPayment
from service.core.source_document import Json

OWN_SOURCES = frozenset({"file", "manual", "road"})
"""Sources of messages whose body is believed: behind them is a person, an imported file, or the service."""

CHARGEBACK = "chargeback."
REVERSAL = "transaction.reversal"

_NAMESPACE = UUID("6f70617f-0c79-5e73-8000-7379737072f0")
_NOT_IN_CODE = re.compile(r"[^A-Za-z0-9._-]")
_CODE_LENGTH = 40


class Told(Struct, frozen=True, kw_only=True):
    """What a message tells: the transaction it is, and what belongs to it besides (`findings.arrived`)."""

    transaction: GatewayTransaction
    arrived: dict[str, Json] = {}


def own_id(*natural_key: str) -> str:
    """The transaction id of something that has none at Opayo: the same for the same key for ever."""
    return str(uuid5(_NAMESPACE, "/".join(natural_key))).upper()


def chargeback_id(notice: ChargebackNotice) -> str:
    """The transaction id of one stage of a chargeback; a person who enters it may not name the acquirer."""
    return own_id("chargeback", notice.chargeback_ref, notice.stage)


def chargeback_code(notice: ChargebackNotice) -> str:
    """Its vendor transaction code: `CB-` with reference and stage, at most 40 characters, no two alike."""
    plain = f"CB-{_NOT_IN_CODE.sub('_', notice.chargeback_ref)}-{notice.stage}"
    if len(plain) <= _CODE_LENGTH and "_" not in plain.removesuffix(notice.stage):
        return plain
    return f"{plain[: _CODE_LENGTH - 9]}-{chargeback_id(notice)[:8]}"


def is_own(source: str, kind: str) -> bool:
    """Whether a message carries its facts, so that Opayo is not asked."""
    return source in OWN_SOURCES and (kind.startswith(CHARGEBACK) or kind == REVERSAL)


def read_own(kind: str, body: bytes, received_at: datetime) -> Told:
    """What a message that carries its facts tells.

    Raises:
        InvalidPayment: its body is not what its kind promises.
    """
    try:
        if kind == REVERSAL:
            return Told(transaction=msgspec.json.decode(body, type=GatewayTransaction))
        notice = msgspec.json.decode(body, type=ChargebackNotice)
    except msgspec.MsgspecError as error:
        raise InvalidPayment(
            f"The message {kind} cannot be read: {error}",
            code="inbox.unreadable",
            hint="Correct it where it came from, and send it again.",
        ) from error
    transaction = GatewayTransaction(
        transaction_id=chargeback_id(notice),
        vendor_tx_code=chargeback_code(notice),
        kind="chargeback",
        state="captured",
        amount=notice.amount,
        status="Ok",
        status_detail=notice.stage,
        related_transaction_id=notice.transaction_id or None,
        card=Card(scheme=notice.card_scheme, last_four=notice.last_four),
        bank_authorisation_code=notice.auth_code,
        created_at=received_at,
    )
    return Told(transaction=transaction, arrived={"chargeback": msgspec.to_builtins(notice)})


def reversal_of(voided: GatewayTransaction) -> GatewayTransaction:
    """The refund that takes a voided payment out of the ledger again: of all of it, with an id of its own."""
    return replace(
        voided,
        transaction_id=own_id("void", voided.transaction_id),
        vendor_tx_code=f"VOID-{own_id('void', voided.transaction_id)[:13]}",
        kind="refund",
        state="captured",
        status="Ok",
        status_code="",
        status_detail="The payment was voided at Opayo",
        related_transaction_id=voided.transaction_id,
    )
