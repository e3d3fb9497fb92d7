"""A chargeback as its notices tell it: the cardholder's bank takes money back, stage by stage."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money

ChargebackStage = Literal[
    "retrieval_request",  # the bank asks for documents; no money moves
    "first_chargeback",
    "representment",  # we contest it
    "second_chargeback",
    "arbitration",
    "reversed",  # won: the money comes back
    "accepted",  # lost: it does not
]

_WON: dict[str, bool] = {"reversed": True, "accepted": False}


class ChargebackEntry(Struct, frozen=True, kw_only=True):
    """One side of what a stage posts: a positive amount debits its account, a negative one credits it."""

    purpose: Literal["clearing", "suspense", "loss", "fee"]
    amount: Money


class ChargebackStep(Struct, frozen=True, kw_only=True):
    """What one stage moves in the ledger: the difference to what the stages known before have moved.

    Attributes:
        part: the stage's own money, the acquirer's fee for it, or the note that bills the customer again.
        posts: the documents: a cash-book transaction, a journal, `both`, a `note` (AR debit or credit), or none.
        reference, journal_reference: ours, at most 30 characters; no two documents share one.
        direction: `W` when the acquirer took money out of the clearing bank, `D` when it came back.
        money: what moves in the clearing bank, positive, in the ledger's currency.
        entries: the journal's; they sum to zero.
        note_type: `D` bills the customer again, `C` takes that back.
        customer: the ERP's code of the customer who made the payment; empty when we know no such payment.
        hold: why a person has to see it before it is posted; empty when nobody has to.
    """

    part: Literal["stage", "fee", "note"]
    posts: Literal["", "cash", "journal", "both", "note"]
    reference: str
    journal_reference: str
    narration: str
    direction: Literal["", "D", "W"] = ""
    money: Money | None = None
    entries: tuple[ChargebackEntry, ...] = ()
    note_type: Literal["", "C", "D"] = ""
    customer: str = ""
    hold: tuple[str, ...] = ()


class ChargebackNotice(Struct, frozen=True, kw_only=True):
    """One stage of a chargeback, from the acquirer's file or a person.

    Attributes:
        chargeback_ref: the acquirer's own; with the stage it is the natural key of a notice.
        amount: what is disputed, positive, in the currency of the payment.
        original_amount: the payment's, where the notice tells it.
        fee: the acquirer's fee for this stage, positive; `None` when the notice tells none.
        received_on, respond_by, posted_on: days in the acquirer's calendar.
        vendor_tx_code, transaction_id: of the payment; one of them is empty when the notice does not tell it.
        step: what it moves in the ledger; decided by the service when it takes the notice, never told by others.
    """

    chargeback_ref: str
    stage: ChargebackStage
    amount: Money
    received_on: date
    original_amount: Money | None = None
    fee: Money | None = None
    reason_code: str = ""
    reason_text: str = ""
    respond_by: date | None = None
    posted_on: date | None = None
    vendor_tx_code: str = ""
    transaction_id: str = ""
    acquirer: str = ""
    merchant_number: str = ""
    auth_code: str = ""
    card_scheme: str = ""
    last_four: str = ""
    step: ChargebackStep | None = None

    @property
    def won(self) -> bool | None:
        """Whether it ended in our favour; `None` while it is open."""
        return _WON.get(self.stage)
