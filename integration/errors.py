"""The error tree: the class decides what happens next, so no caller reads messages.

==================  ==================================  ===============================
class               meaning                             policy of the road
==================  ==================================  ===============================
`Transient`         the other side may recover          retry with backoff, up to 7 days
`Rejected`          the document is wrong               dead letter, for a person
`Misconfigured`     credentials, accounts, company      pause the lane, alert
`AlreadyPosted`     the work is done                    take the first result
`OutcomeUnknown`    an answer was lost                  look for our reference, then decide
==================  ==================================  ===============================

Anything else is a defect: the payment goes to dead letters and the alert says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

Evidence = Mapping[str, str | int | None]


class IntegrationError(Exception):
    """What went wrong, with which document, and what a person can do about it.

    Attributes:
        code: stable, dotted, lower case (`syspro.unknown-customer`); it is part of the API.
        title: one sentence naming the thing and the cause.
        hint: the next move for a person.
        evidence: facts as text and integers; never card data, names or secrets.
        retried: whether the service tries again by itself.
    """

    code: ClassVar[str] = "integration.error"
    hint: ClassVar[str] = "Read the evidence, correct the cause and replay the payment."
    retried: ClassVar[bool] = False

    def __init__(
        self,
        title: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__(title)
        self.title = title
        self.error_code = code or type(self).code
        self.advice = hint or type(self).hint
        self.evidence: dict[str, str | int | None] = dict(evidence or {})

    def __str__(self) -> str:
        retried = "It will be retried." if self.retried else "It will not be retried by itself."
        return f"{self.title} ({self.error_code}). {retried} {self.advice}"


# --- the other side may recover -------------------------------------------------------------------


class Transient(IntegrationError):
    """The other side may recover; the step is retried with backoff for up to seven days.

    Attributes:
        retry_after: seconds the other side asked us to wait, if it did.
    """

    code = "integration.transient"
    hint = "Nothing to do unless it lasts: the retry times are in the payment's timeline."
    retried = True

    def __init__(
        self,
        title: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        evidence: Evidence | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(title, code=code, hint=hint, evidence=evidence)
        self.retry_after = retry_after


class Unreachable(Transient):
    """No answer, or none that makes sense, and nothing was changed on the other side."""

    code = "integration.unreachable"


class Throttled(Transient):
    """The other side asked us to slow down: rate limit, licence seats, maintenance."""

    code = "integration.throttled"


class RecordLocked(Transient):
    """Somebody holds the record we need."""

    code = "syspro.record-locked"
    hint = "Ask whoever has the record open in SYSPRO to leave it; the retry will then pass."


class SessionLost(Transient):
    """The session ended before the call began; nothing was changed on the other side."""

    code = "syspro.session-lost"
    hint = "Give the service an operator of its own: a second logon ends the first."


class OutcomeUnknown(Transient):
    """A write was sent and its answer lost: it may have happened, so it is never sent again blindly."""

    code = "integration.outcome-unknown"
    hint = "The service looks for its own reference before it sends again; nothing to do."


# --- the document is wrong ------------------------------------------------------------------------


class Rejected(IntegrationError):
    """The document cannot be taken as it is; a person corrects the cause and replays it."""

    code = "integration.rejected"


class TooManyRows(Rejected):
    """A list would be longer than the other side gives at once; whoever asked asks for less."""

    code = "opayo.reporting-too-many-rows"
    hint = "The window is halved by itself; nothing to do."


class InvalidPayment(Rejected):
    """The payment is incomplete, contradictory, or not lawful to post."""

    code = "payment.invalid"


class UnmappedField(Rejected):
    """The mapping gives no value for a field that the target requires, or one that does not fit."""

    code = "mapping.unmapped-field"
    hint = "Correct the mapping or the source document, then replay the payment from the step `map`."


class UnknownCustomer(Rejected):
    """SYSPRO does not know the customer."""

    code = "syspro.unknown-customer"
    hint = "Create the customer in SYSPRO or correct the mapping of `Customer`, then replay the payment."


class UnknownStockCode(Rejected):
    """SYSPRO does not know the stock code, or does not stock it in the warehouse."""

    code = "syspro.unknown-stock-code"
    hint = "Create the stock code in SYSPRO or correct the mapping of `StockCode`, then replay the payment."


class CustomerOnHold(Rejected):
    """The customer is on hold in SYSPRO: it takes the money, not the order."""

    code = "syspro.customer-on-hold"
    hint = "Release the customer in SYSPRO, then replay the payment from the step `post`."


class PeriodClosed(Rejected):
    """The posting period of the document is closed."""

    code = "syspro.period-closed"
    hint = "Open the period in SYSPRO or let the pair post to the current one, then replay the payment."


class RefundExceedsPayment(Rejected):
    """The refunds of a payment would exceed what was captured."""

    code = "opayo.refund-exceeds-payment"
    hint = "Refund at most the remaining amount."


class VendorTxCodeUsed(Rejected):
    """Opayo has seen this vendor transaction code before: the earlier attempt reached the gateway."""

    code = "opayo.vendor-tx-code-used"
    hint = "Look the code up at Opayo; use a new one for a new attempt."


class CardDataRefused(Rejected):
    """A card number, security code or track was offered where none is ever accepted."""

    code = "cards.refused"
    hint = "Let the shopper's browser send the card to Opayo and pass on the card identifier."


class Unclassified(Rejected):
    """SYSPRO refused with an error we have no class for; number and text are kept as evidence."""

    code = "syspro.unclassified"
    hint = "Read SYSPRO's own text in the evidence; tell us the number so that it gets a class."


class NotFound(Rejected):
    """The other system has no such record."""

    code = "integration.not-found"


# --- configuration, and work that is done ---------------------------------------------------------


class Misconfigured(IntegrationError):
    """Credentials, accounts or company are wrong: the lane pauses and a person is alerted."""

    code = "integration.misconfigured"
    hint = "Correct the setting, check it with `opayo-syspro doctor`, then resume the lane."


class AlreadyPosted(IntegrationError):
    """The other side already holds this document; the first result is taken.

    Attributes:
        reference: our own reference under which the document is found.
    """

    code = "integration.already-posted"
    hint = "Nothing to do: the first result is adopted."

    def __init__(self, title: str, *, reference: str, code: str | None = None) -> None:
        super().__init__(title, code=code, evidence={"reference": reference})
        self.reference = reference
