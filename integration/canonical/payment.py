"""A payment at the gateway: what was promised, what was taken, and what the checks said."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money
from integration.canonical.party import PostalAddress

TransactionKind = Literal[
    "payment",
    "deferred",
    "authenticate",
    "authorise",
    "repeat",
    "refund",
    "manual",
    "chargeback",  # no transaction of the gateway's: the acquirer tells of it
    "unknown",
]

GatewayState = Literal[
    "pending",  # the shopper or the bank is still busy
    "held",  # authorised, waiting for release (Deferred)
    "authenticated",  # checked, nothing taken (Authenticate, Registered)
    "captured",  # money will move in the next settlement batch, or has moved
    "declined",
    "rejected",
    "cancelled",
    "voided",
    "aborted",
    "expired",
    "failed",
    "settlement-failed",
    "unknown",
]


class Card(Struct, frozen=True, kw_only=True):
    """What may be kept of a card: scheme, last four digits and the month it expires. Never more.

    Attributes:
        scheme: Opayo's `cardType` (`Visa`, `MasterCard`, `AmericanExpress`, …), empty when unknown.
        expiry: `MMYY`, the last month in which the card is good; empty when unknown.
    """

    scheme: str = ""
    last_four: str = ""
    expiry: str = ""


class RiskChecks(Struct, frozen=True, kw_only=True):
    """What the gateway checked, in the words of its Pi API; empty where it did not say.

    Attributes:
        avs_cv2: overall result (`AllMatched`, `NoMatches`, `NotChecked`, …).
        fraud_action: advice of the fraud screen (`OK`, `HOLD`, `REJECT`, `NORESULT`).
    """

    avs_cv2: str = ""
    address: str = ""
    postcode: str = ""
    security_code: str = ""
    three_d_secure: str = ""
    fraud_action: str = ""
    fraud_score: int | None = None


class GatewayTransaction(Struct, frozen=True, kw_only=True):
    """One transaction as Opayo holds it now.

    Attributes:
        transaction_id: upper-case GUID without braces; the same id in all of Opayo's interfaces.
        vendor_tx_code: the merchant's own reference, unique per vendor for ever, at most 40 characters.
        amount: what was authorised; for a refund, what goes back (positive).
        status: Opayo's own word (`Ok`, `NotAuthed`, …); `state` is ours, derived from status *and* code.
        related_transaction_id: the transaction a refund, repeat or authorise refers to.
        retrieval_reference: the gateway's authorisation id that goes to the bank at settlement.
        settlement_batch: set once the acquirer's batch holds it.
        decline_code, decline_category: what the card scheme said about a decline, when it said anything; the
            category (`01` to `04`) tells whether and how often it may be tried again.
    """

    transaction_id: str
    vendor_tx_code: str
    kind: TransactionKind
    state: GatewayState
    amount: Money
    status: str
    status_code: str = ""
    status_detail: str = ""
    related_transaction_id: str | None = None
    card: Card = Card()
    checks: RiskChecks = RiskChecks()
    bank_authorisation_code: str = ""
    bank_response_code: str = ""
    retrieval_reference: str = ""
    settlement_batch: str = ""
    customer_email: str = ""
    billing: PostalAddress = PostalAddress()
    created_at: datetime | None = None
    decline_code: str = ""
    decline_category: str = ""

    @property
    def captured(self) -> Money:
        """The money taken from the shopper: the amount when captured, else zero."""
        taken = self.state in ("captured", "settlement-failed") and self.kind not in ("refund", "chargeback")
        return self.amount if taken else Money(0, self.amount.currency)


class GatewayEvent(Struct, frozen=True, kw_only=True):
    """A hint that something happened to a transaction: verified, but never trusted for money.

    Attributes:
        event_id: unique per source; a second delivery carries the same.
        kind: dotted and past tense (`payment.authorised`, `payment.refunded`).
        sequence: order within one transaction, where the source gives one.
    """

    event_id: str
    kind: str
    transaction_id: str
    vendor_tx_code: str
    occurred_at: datetime | None = None
    sequence: int = 0
