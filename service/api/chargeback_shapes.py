"""The shapes of chargebacks on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage
from integration.canonical.money import Money
from service.api.parameters import JsonObject, NoteText, Text
from service.core.card_data import refuse

_Id = Annotated[str, Meta(pattern=r"^(\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?)?$")]
_Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
_Minor = Annotated[int, Meta(ge=1, le=10**12)]
_Optional = Annotated[str, Meta(max_length=200)]


class NewNotice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notice as a person enters it from the acquirer's letter; amounts in minor units of `currency`.

    Attributes:
        chargeback_ref: the acquirer's own reference; the same for every stage of one dispute.
        amount: what is disputed.
        fee: the acquirer's fee for this stage; 0 when the letter tells none.
        respond_by: the last day of an answer; by the rules when the letter tells none.
        vendor_tx_code, transaction_id: of the disputed payment; one of them, if the case is new.
    """

    chargeback_ref: Text
    stage: ChargebackStage
    amount: _Minor
    currency: _Currency
    received_on: date
    fee: Annotated[int, Meta(ge=0, le=10**9)] = 0
    respond_by: date | None = None
    posted_on: date | None = None
    reason_code: _Optional = ""
    reason_text: _Optional = ""
    vendor_tx_code: Annotated[str, Meta(max_length=40)] = ""
    transaction_id: _Id = ""
    acquirer: _Optional = ""
    merchant_number: _Optional = ""
    note: NoteText = ""

    def notice(self) -> ChargebackNotice:
        """The notice in canonical form."""
        return ChargebackNotice(
            chargeback_ref=self.chargeback_ref.strip(),
            stage=self.stage,
            amount=Money(self.amount, self.currency),
            received_on=self.received_on,
            fee=Money(self.fee, self.currency) if self.fee else None,
            respond_by=self.respond_by,
            posted_on=self.posted_on,
            reason_code=self.reason_code,
            reason_text=self.reason_text,
            vendor_tx_code=self.vendor_tx_code,
            transaction_id=self.transaction_id.strip("{}").upper(),
            acquirer=self.acquirer,
            merchant_number=self.merchant_number,
        )


class Entered(Struct, frozen=True, kw_only=True):
    """A notice that was put into the inbox; `new` is false for one that was there already."""

    chargeback_ref: str
    stage: str
    transaction_id: str
    inbox_id: int
    new: bool


class CaseRow(Struct, frozen=True, kw_only=True):
    """A chargeback in a list.

    Attributes:
        amount_minor: what the newest stage disputes; with the next two in minor units of `currency`.
        suspense_minor, loss_minor: what the acquirer has of ours: still in dispute, and lost.
        respond_by: the last day of an answer; empty while nobody waits for us.
    """

    chargeback_id: int
    chargeback_ref: str
    stage: str
    state: str
    amount_minor: int
    currency: str
    suspense_minor: int
    loss_minor: int
    reason_code: str
    reason_text: str
    received_on: date
    respond_by: date | None
    owner: str
    payment_id: int | None
    vendor_tx_code: str
    transaction_id: str
    customer: str
    closed_at: datetime | None


class CasePage(Struct, frozen=True, kw_only=True):
    """A page of chargebacks, newest first; `next_cursor` is empty on the last."""

    items: list[CaseRow]
    next_cursor: int | None


class OnTheRoad(Struct, frozen=True, kw_only=True):
    """A payment on the road that a stage became: its money, or its fee."""

    payment_id: int
    transaction_id: str
    vendor_tx_code: str
    state: str
    amount_minor: int
    currency: str


class StageShown(Struct, frozen=True, kw_only=True):
    """A stage as it was told, with what it moves (`notice.step`) and how far that has got."""

    stage: str
    source: str
    notice: JsonObject
    payments: list[OnTheRoad]


class CaseNote(Struct, frozen=True, kw_only=True):
    """Something that happened to a case."""

    at: datetime
    actor: str
    action: str
    detail: JsonObject


class EvidenceShown(Struct, frozen=True, kw_only=True):
    """A file of evidence."""

    evidence_id: int
    name: str
    size: int
    sha256: str
    author: str
    added_at: datetime


class CaseShown(CaseRow, frozen=True, kw_only=True):
    """A chargeback with all that is known of it; `business_days_left` is negative when the last day is past."""

    business_days_left: int | None
    stages: list[StageShown]
    timeline: list[CaseNote]
    evidence: list[EvidenceShown]


class Assignment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to answer it; empty for nobody."""

    owner: Annotated[str, Meta(max_length=100)]
    note: NoteText = ""


class Comment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A comment on a case."""

    text: Annotated[str, Meta(min_length=1, max_length=4000)]


class EvidenceAdded(Struct, frozen=True, kw_only=True):
    """A file that was added; `new` is false when the case had the same content already."""

    name: str
    size: int
    sha256: str
    new: bool


def refuse_cards_in(name: str, body: bytes) -> None:
    """Let a file of evidence in only if neither its name nor, where it is text, its content holds card data.

    Raises:
        CardDataRefused: one of them does.
    """
    refuse(name)
    try:
        text = body.decode("utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8")
    except UnicodeDecodeError:
        return
    refuse(text)
