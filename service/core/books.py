"""Plain data that the invariants compare: Opayo's truth, SYSPRO's ledger, and our own rows. Money is minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Broken(Struct, frozen=True, kw_only=True):
    """A promise that was not kept: its name, what it says, and the case in one sentence."""

    name: str
    claim: str
    evidence: str


class Effect(Struct, frozen=True, kw_only=True):
    """Money that moved at Opayo, by Opayo's own account; minor units of `currency`.

    Attributes:
        captured_minor: what was really taken; 0 when it was voided or never taken.
        refund: the money went back to the shopper.
    """

    transaction_id: str
    vendor_tx_code: str
    currency: str
    captured_minor: int
    refunded_minor: int = 0
    refund: bool = False


class Receipt(Struct, frozen=True, kw_only=True):
    """A live AR payment in SYSPRO; `reference` is the beginning of Opayo's transaction id in hex digits."""

    reference: str
    currency: str
    minor: int


class LedgerOrder(Struct, frozen=True, kw_only=True):
    """A live sales order in SYSPRO, with our order number on it."""

    number: str
    po_number: str


class LedgerJournal(Struct, frozen=True, kw_only=True):
    """A journal in SYSPRO, its debits and its credits in minor units of the company's currency."""

    number: str
    debit_minor: int
    credit_minor: int


class PaymentFacts(Struct, frozen=True, kw_only=True):
    """A payment as our database has it.

    Attributes:
        reason: why it waits for a person; empty when nobody can read why.
        on_lane: whether the road still has something to do for it.
    """

    payment_id: int
    transaction_id: str
    vendor_tx_code: str
    state: str
    amount_minor: int
    currency: str
    reason: str = ""
    on_lane: bool = False


class PostingFacts(Struct, frozen=True, kw_only=True):
    """A posting as our database has it."""

    payment_id: int
    kind: str
    reference: str
    state: str
    erp_key: str = ""


class TrailLine(Struct, frozen=True, kw_only=True):
    """A line of the audit trail; `payment_id` is 0 for one about the pair as a whole."""

    audit_id: int
    payment_id: int
    actor: str
    action: str
    detail: Mapping[str, object]


class Text(Struct, frozen=True, kw_only=True):
    """A text that we keep, and where: a table's column, a log."""

    place: str
    text: str


class Books(Struct, frozen=True, kw_only=True):
    """Everything that is compared, read at one moment at which nothing moves.

    Attributes:
        effects: all of Opayo's, those that moved no money too.
        receipts, orders, journals: all of SYSPRO's that are ours.
        open_messages: in the inbox, and not yet looked at.
        named_messages: transaction ids whose message waits in dead letters with a reason, and became no payment.
        at_rest: faults are over and the road had its time: everything must have ended.
    """

    effects: Sequence[Effect]
    receipts: Sequence[Receipt]
    orders: Sequence[LedgerOrder] = ()
    journals: Sequence[LedgerJournal] = ()
    payments: Sequence[PaymentFacts] = ()
    postings: Sequence[PostingFacts] = ()
    trail: Sequence[TrailLine] = ()
    texts: Sequence[Text] = ()
    open_messages: int = 0
    named_messages: frozenset[str] = frozenset()
    at_rest: bool = True
