"""Charging: one attempt at one charge of a subscription, and what follows from its outcome.

The vendor transaction code of an attempt is always the same one and its intent is written before the call, so that
whoever comes after a crash finds what the attempt came to and never sends a second one. What follows is written in
one transaction, under the locks of subscription and charge; an outcome that was written already is left alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from integration.errors import IntegrationError, Misconfigured, OutcomeUnknown, Rejected, Transient
from integration.ports import RelatedRequest
from service.core.dunning import (
    NEVER_AGAIN,
    Decline,
    RetryOn,
    StopTrying,
    SubscriptionSettings,
    after_decline,
)
from service.core.subscriptions import Action, ChargeKey, Hours, after, charge_code, credential_type
from service.flow import notices
from service.flow.intents import TAKEN, Till, claim, intent_of, outcome, sent
from service.flow.recovery import as_document
from service.store import alerts, audit, cards, charges, registrations, subscriptions
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.charges import Charge
from service.store.rows import JsonObject
from service.store.subscriptions import Subscription

log = structlog.get_logger()
NEVER_ARRIVED = "opayo.never-arrived"
_OPEN = frozenset({"pending", "unknown"})
_DECLINED = frozenset({"declined", "rejected", "failed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class Round:
    """The surroundings of one turn of the job.

    Attributes:
        now: aware UTC, of the whole turn.
        again: how long to wait when an attempt could not be made, or nobody knows its outcome yet.
    """

    till: Till
    settings: SubscriptionSettings
    hours: Hours
    now: datetime
    again: timedelta


async def attempt(turn: Round, charge: Charge) -> str:
    """Make the attempt of a charge that is due, or find out what became of it; says what it came to."""
    async with turn.till.engine.begin() as connection:
        subscription = await subscriptions.one(connection, charge.pair, charge.subscription_id)
        assert subscription is not None
        code = code_of(subscription, charge)
        asked = await _was_sent(connection, charge, code)
        if subscription.state != "active" and not asked:
            return await _not_now(connection, subscription, charge)
        card = await cards.state_of(connection, charge.pair, subscription.token_id)
    if not asked and card != "active":
        return await _written(turn, charge, _dead_card(card))
    try:
        found = await _repeat(turn, subscription, charge)
    except OutcomeUnknown:
        found = None
    except IntegrationError as error:
        return await _written(turn, charge, error)
    if found is not None and found.state in _OPEN:
        found = None
    if found is not None and found.state in _DECLINED and not found.decline_category:
        # Reporting does not tell why a charge was declined; the transaction itself does.
        found = await _in_full(turn, found)
    return await _written(turn, charge, found)


def code_of(subscription: Subscription, charge: Charge) -> str:
    """The vendor transaction code of a charge's attempt."""
    return charge_code(ChargeKey(subscription.reference, charge.due_on, charge.attempt))


async def _was_sent(connection: AsyncConnection, charge: Charge, code: str) -> bool:
    known = await registrations.one(connection, charge.pair, code)
    return known is not None and known["state"] != "refused"


def _dead_card(state: str) -> Rejected:
    why = "the bank declined it for good" if state == "blocked" else f"it is {state or 'gone'}"
    return Rejected(f"The card is not charged any more: {why}", code="subscription.card")


async def _not_now(connection: AsyncConnection, subscription: Subscription, charge: Charge) -> str:
    """Nothing was sent, and the subscription is not to be charged: it waits, or goes by."""
    charge.next_attempt_at = None
    if subscription.state == "cancelled":
        charge.state, charge.reason = "passed", "The subscription was cancelled before it was taken."
    await charges.save(connection, charge)
    return "passed" if charge.state == "passed" else "waiting"


async def _repeat(turn: Round, subscription: Subscription, charge: Charge) -> GatewayTransaction | None:
    """Send the repeat, once; or learn what became of it.

    Raises:
        IntegrationError: nothing was taken.
    """
    code, amount = code_of(subscription, charge), Money(charge.amount_minor, charge.currency)
    request = RelatedRequest(
        kind="repeat",
        vendor_tx_code=code,
        related_transaction_id=subscription.base_transaction_id,
        amount=amount,
        description=subscription.terms.description,
        extra={"credentialType": credential_type(subscription.terms, charge.due_on, charge.bank_code)},
    )
    till = turn.till
    intent = intent_of(till, "repeat", code, amount, subscription.base_transaction_id)
    mark = hashlib.sha256(f"{code} {amount}".encode()).hexdigest()[:32]
    async with till.engine.begin() as connection:
        known = await claim(connection, intent, mark)
    if known is not None:
        return cast(GatewayTransaction | None, await outcome(till, intent, known))
    return cast(
        GatewayTransaction | None, await sent(till, intent, mark, lambda: till.gateway.relate(request))
    )


async def _in_full(turn: Round, found: GatewayTransaction) -> GatewayTransaction:
    try:
        return await turn.till.gateway.transaction(found.transaction_id)
    except IntegrationError:
        return found


# --- what follows ---------------------------------------------------------------------------------


async def _written(turn: Round, taken: Charge, told: GatewayTransaction | IntegrationError | None) -> str:
    """Write down what an attempt came to; doing it twice changes nothing."""
    async with turn.till.engine.begin() as connection:
        subscription = await subscriptions.one(connection, taken.pair, taken.subscription_id)
        charge = await charges.one(connection, taken.charge_id)
        assert subscription is not None
        if charge.state not in subscriptions.OPEN or charge.attempt != taken.attempt:
            return "known"
        if told is None:
            word = _again(turn, charge)
        elif isinstance(told, IntegrationError):
            word = await _refused(connection, turn, (subscription, charge), told)
        elif told.state in TAKEN:
            word = await _taken(connection, subscription, charge, told)
        else:
            word = await _declined(connection, turn, (subscription, charge), told)
        await charges.save(connection, charge)
        await subscriptions.save(connection, subscription)
    log.info("subscription.attempted", subscription=subscription.reference, outcome=word)
    return word


def _again(turn: Round, charge: Charge) -> str:
    charge.next_attempt_at = turn.now + turn.again
    return "unknown"


async def _taken(
    connection: AsyncConnection, subscription: Subscription, charge: Charge, found: GatewayTransaction
) -> str:
    _note(subscription, charge, state="taken", transaction_id=found.transaction_id)
    charge.state, charge.transaction_id, charge.reason = "taken", found.transaction_id, ""
    charge.next_attempt_at = None
    # The next charge repeats the last one that went well.
    subscription.base_transaction_id = found.transaction_id
    if found.card.expiry:
        await cards.renew(connection, subscription.pair, subscription.token_id, found.card.expiry)
    await _line(connection, subscription, charge, "subscription.charged")
    return "taken"


async def _declined(
    connection: AsyncConnection, turn: Round, held: tuple[Subscription, Charge], found: GatewayTransaction
) -> str:
    subscription, charge = held
    decline = Decline(
        status_code=found.status_code,
        bank_code=found.bank_response_code,
        code=found.decline_code,
        category=found.decline_category,
    )
    charge.declines += 1
    follows = after_decline(decline, charge.declines, turn.now, turn.settings, turn.hours.zone)
    if found.state not in _DECLINED:
        follows = StopTrying(hard=True, reason=f"Opayo says that it is {found.state}.")
    if decline.category == NEVER_AGAIN:
        await cards.block(connection, charge.pair, subscription.token_id)
    _note(subscription, charge, state=found.state, transaction_id=found.transaction_id, said=decline)
    return await _dunned(connection, turn, held, follows, decline.bank_code)


async def _refused(
    connection: AsyncConnection, turn: Round, held: tuple[Subscription, Charge], error: IntegrationError
) -> str:
    """Nothing was taken: try the same again, or under a new code, or leave it to a person."""
    subscription, charge = held
    document = as_document(error)
    if isinstance(error, Transient | Misconfigured):
        if isinstance(error, Misconfigured):
            subject = "charging subscriptions"
            alert = Alert(
                pair=charge.pair,
                code=str(document["code"]),
                subject=subject,
                title=error.title,
                error=document,
            )
            await alerts.raise_all(connection, [alert])
        charge.reason = error.title
        return _again(turn, charge)
    _note(subscription, charge, state="refused", reason=error.title)
    if document["code"] == NEVER_ARRIVED:
        charge.attempt += 1
        charge.next_attempt_at = turn.now
        return "never arrived"
    return await _dunned(connection, turn, held, StopTrying(hard=True, reason=f"{error.title}."), "")


async def _dunned(
    connection: AsyncConnection,
    turn: Round,
    held: tuple[Subscription, Charge],
    follows: RetryOn | StopTrying,
    bank_code: str,
) -> str:
    subscription, charge = held
    charge.reason, charge.bank_code = follows.reason, bank_code
    if isinstance(follows, StopTrying):
        charge.state, charge.next_attempt_at = "failed", None
        cancels = not follows.hard and turn.settings.after_last == "cancel"
        action: Action = "cancel" if cancels else "suspend"
        subscription.state = after(subscription.state, action) or subscription.state
        subscription.reason = follows.reason
    notice = notices.of_decline(subscription, charge, follows, subscription.state)
    await alerts.raise_all(connection, [notice])
    await _line(connection, subscription, charge, "subscription.charge_declined", notice.code)
    if isinstance(follows, RetryOn):
        charge.state, charge.next_attempt_at = "dunning", follows.at
        charge.attempt += 1
        return "dunning"
    return "failed"


def _note(subscription: Subscription, charge: Charge, said: Decline | None = None, **what: str) -> None:
    """What an attempt came to, by its code: the history of the charge."""
    told: JsonObject = dict(what)
    if said is not None:
        told |= {"status_code": said.status_code, "bank_code": said.bank_code, "category": said.category}
    charge.attempts = {**charge.attempts, code_of(subscription, charge): told}


async def _line(
    connection: AsyncConnection, subscription: Subscription, charge: Charge, action: str, told: str = ""
) -> None:
    detail: JsonObject = {
        "subscription": subscription.reference,
        "due_on": charge.due_on.isoformat(),
        "attempt": charge.attempt,
        "amount_minor": charge.amount_minor,
        "currency": charge.currency,
        "transaction_id": charge.transaction_id,
        "reason": charge.reason,
        "told": told,
    }
    await audit.write(connection, [Line(pair=charge.pair, action=action, detail=detail)])
