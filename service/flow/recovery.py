"""When a step fails: the error's class decides between retry, dead letter and pausing the lane.

Also the way back: a person corrects the cause and sends a payment round again from a step of their choice.
"""

from __future__ import annotations

import traceback

import psycopg
import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from integration.errors import IntegrationError, Misconfigured, Transient
from service.core.lifecycle import IN_LEDGER, PaymentState
from service.core.retries import Failure, GiveUp, next_attempt
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store.dead_letters import DeadLetter
from service.store.lanes import LaneLost
from service.store.payments import PaymentChanged

JsonObject = dict[str, object]
log = structlog.get_logger()

# The database went away, ended our transaction or takes no writes, or the lane or payment is somebody else's now: nothing
# is wrong with the payment, nothing of this batch is written, and the lane's next holder begins where the rows say.
# A connection that breaks while its mode is being set raises the driver's own error.
NOT_THE_PAYMENTS = (
    LaneLost, PaymentChanged, OperationalError, InterfaceError, InternalError,
    psycopg.OperationalError, psycopg.InterfaceError,
)  # fmt: skip


def as_document(error: BaseException) -> JsonObject:
    """An error as rows and the API carry it: code, title, hint, evidence, and whether it is retried."""
    if isinstance(error, IntegrationError):
        return {
            "code": error.error_code,
            "title": error.title,
            "hint": error.advice,
            "retried": error.retried,
            "evidence": dict(error.evidence),
        }
    return {
        "code": "service.defect",
        "title": f"The service failed on this payment: {type(error).__name__}",
        "hint": "Report it with the evidence; the payment waits and can be replayed.",
        "retried": False,
        "evidence": {"where": _where(error)},
    }


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)


def failed(trip: Trip, error: BaseException, stage: Stage) -> None:
    """Decide what a failure of the current step means for the payment."""
    payment = trip.payment
    document = as_document(error)
    payment.error = document
    if isinstance(error, Misconfigured):
        _stop_the_lane(trip, document)
    elif isinstance(error, Transient):
        _retry(trip, error, stage)
    else:
        if not isinstance(error, IntegrationError):
            log.error("step.failed", step=trip.node.step, payment=payment.payment_id, exc_info=error)
            trip.alert("service.defect", str(document["title"]), severity="critical")
        dead_letter(trip, document, stage)


def _stop_the_lane(trip: Trip, document: JsonObject) -> None:
    title = str(document["title"])
    trip.pause = title
    trip.moving = False
    trip.note("payment.stopped", step=trip.node.step, error=document)
    trip.alert(str(document["code"]), title, subject=f"lane {trip.payment.lane}", severity="critical")


def _retry(trip: Trip, error: Transient, stage: Stage) -> None:
    payment, now = trip.payment, stage.clock()
    payment.attempts += 1
    payment.failing_since = payment.failing_since or now
    decision = next_attempt(
        Failure(
            attempts=payment.attempts,
            first_failed_at=payment.failing_since,
            now=now,
            pace=stage.pace,
            jitter=stage.chance(),
            retry_after=error.retry_after,
        )
    )
    if isinstance(decision, GiveUp):
        dead_letter(trip, {**as_document(error), "retried": False, "given_up": decision.reason}, stage)
        return
    trip.waits(decision.due_at)
    trip.note("payment.retried", step=trip.node.step, attempt=payment.attempts, error=error.error_code)


def dead_letter(trip: Trip, document: JsonObject, stage: Stage) -> None:
    """The payment waits for a person. What is in the ledger already makes it an exception instead."""
    payment = trip.payment
    payment.error = document
    trip.letters.append(
        DeadLetter(
            pair=payment.pair,
            payment_id=payment.payment_id,
            step=trip.node.step,
            code=str(document["code"]),
            error=document,
        )
    )
    in_ledger = PaymentState(payment.state) in IN_LEDGER or any(
        posting.state == "confirmed" for posting in payment.postings
    )
    to = PaymentState.EXCEPTION if in_ledger else PaymentState.DEAD_LETTER
    if payment.state == to:
        payment.lane, payment.due_at, trip.moving = None, None, False
        return
    trip.ended(to, stage.clock(), step=trip.node.step, error=document)
