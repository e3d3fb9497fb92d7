"""What people do with a subscription: begin it on a saved card, pause, resume, cancel, skip, give another card."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.errors import NotFound, Rejected
from service.core.dunning import MOST_TRIES, Decline, verdict
from service.core.subscriptions import Action, Hours, Opening, Terms, after, due_at, due_on, faults, pass_over
from service.flow.subscriptions import hours_of, keep
from service.store import audit, cards, charges, payments, subscriptions
from service.store.audit import Line
from service.store.charges import Charge
from service.store.pairs import PairSettings
from service.store.rows import JsonObject
from service.store.subscriptions import Subscription

# No look-alikes among the 31: a person may read it out.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXY"


class Wish(Struct, frozen=True, kw_only=True):
    """What somebody wants to be done with a subscription.

    Attributes:
        token_id: the card to charge from now on, with the action `card`.
    """

    action: Action
    actor: str
    reason: str = ""
    token_id: int | None = None


async def begin(
    connection: AsyncConnection, settings: PairSettings, token_id: int, terms: Terms, customer: str = ""
) -> Subscription:
    """Begin a subscription on a saved card. Dates before today are charged by the terms' rule for missed ones.

    Raises:
        NotFound: there is no such card.
        Rejected: the terms cannot be charged, or not to this card.
    """
    if wrong := faults(terms):
        raise Rejected(" ".join(wrong).removesuffix("."), code="subscription.terms")
    card = await _usable(connection, settings.pair, token_id)
    base = await _base(connection, settings.pair, str(card["transaction_id"]))
    if terms.amount.currency not in settings.currencies:
        raise Rejected(
            f"This pair does not post {terms.amount.currency}", code="payment.currency-not-allowed"
        )
    owner = str(card["customer"])
    if not (customer or owner):
        raise Rejected(
            "The card belongs to no SYSPRO customer",
            code="subscription.customer",
            hint="Name the customer that is charged.",
        )
    if customer and owner and customer != owner:
        raise Rejected(f"Card {token_id} belongs to another customer", code="subscription.customer")
    subscription = Subscription(
        pair=settings.pair,
        reference="".join(secrets.choice(_LETTERS) for _ in range(10)),
        plan=terms.plan,
        customer=customer or owner,
        token_id=token_id,
        base_transaction_id=base,
        terms=terms,
        next_due_at=due_at(terms, 1, hours_of(settings)),
    )
    await subscriptions.add(connection, subscription)
    return subscription


async def _usable(connection: AsyncConnection, pair: str, token_id: int) -> Mapping[str, object]:
    card = await cards.one(connection, pair, token_id)
    if card is None:
        raise NotFound(f"Pair `{pair}` has no card {token_id}", code="subscription.card")
    if card["state"] == "pending":
        await cards.adopt(connection, pair)
        card = await cards.one(connection, pair, token_id) or card
    if card["state"] != "active":
        raise Rejected(
            f"Card {token_id} is {card['state']}",
            code="subscription.card",
            hint="A card can be charged once the payment that saves it was taken.",
        )
    return card


async def _base(connection: AsyncConnection, pair: str, transaction_id: str) -> str:
    known = (await payments.of_transactions(connection, pair, [transaction_id])).get(transaction_id)
    if known is not None and known.kind == "authenticate":
        raise Rejected(
            "The card was only checked: a charge repeats a payment",
            code="subscription.card",
            hint="Save the card with a payment, or with a deferred one.",
        )
    return transaction_id


async def do(
    connection: AsyncConnection, settings: PairSettings, subscription_id: int, wish: Wish, now: datetime
) -> Subscription:
    """Pause, resume, cancel, skip the next date, give another card, or try a failed charge again.

    Raises:
        NotFound: there is no such subscription, or card.
        Rejected: its state does not allow it.
    """
    subscription = await subscriptions.one(connection, settings.pair, subscription_id)
    if subscription is None:
        raise NotFound(
            f"Pair `{settings.pair}` has no subscription {subscription_id}", code="subscription.unknown"
        )
    to = after(subscription.state, wish.action)
    if to is None:
        raise Rejected(
            f"A subscription that is {subscription.state} cannot {wish.action}",
            code="subscription.not-allowed",
            evidence={"state": subscription.state, "action": wish.action},
        )
    before, subscription.state, subscription.reason = subscription.state, to, wish.reason
    if wish.action == "card":
        await _change_card(connection, subscription, wish)
    if wish.action == "resume":
        over = pass_over(subscription.terms, subscription.next_number, hours_of(settings), now)
        await keep(connection, subscription, over, "The subscription was paused.")
    if wish.action == "skip":
        await _skip(connection, subscription, hours_of(settings), wish)
    if wish.action in ("card", "retry", "resume", "cancel"):
        await _go_on(connection, subscription, wish, now)
    await subscriptions.save(connection, subscription)
    detail: JsonObject = {"subscription": subscription.reference, "from": before, "reason": wish.reason}
    line = Line(
        pair=settings.pair, actor=wish.actor, action=f"subscription.{_PAST[wish.action]}", detail=detail
    )
    await audit.write(connection, [line])
    return subscription


_PAST: dict[Action, str] = {
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
    "skip": "skipped",
    "card": "card_changed",
    "retry": "retried",
    "suspend": "suspended",
    "end": "ended",
}


async def _change_card(connection: AsyncConnection, subscription: Subscription, wish: Wish) -> None:
    card = await _usable(connection, subscription.pair, wish.token_id or 0)
    if card["customer"] and card["customer"] != subscription.customer:
        raise Rejected(f"Card {wish.token_id} belongs to another customer", code="subscription.customer")
    subscription.token_id = int(str(card["token_id"]))
    subscription.base_transaction_id = await _base(connection, subscription.pair, str(card["transaction_id"]))


async def _skip(connection: AsyncConnection, subscription: Subscription, hours: Hours, wish: Wish) -> None:
    number = subscription.next_number
    if due_on(subscription.terms, number) is None:
        raise Rejected("No further charge will come that could be skipped", code="subscription.not-allowed")
    opening = Opening(
        charge=None,
        passed=(number,),
        next_number=number + 1,
        next_due_at=due_at(subscription.terms, number + 1, hours),
    )
    why = wish.reason or f"It was skipped by {wish.actor}."
    await keep(connection, subscription, opening, why)


async def _go_on(connection: AsyncConnection, subscription: Subscription, wish: Wish, now: datetime) -> None:
    """Attempt what is open or failed: at once, with a fresh count where the card is a new one."""
    charge = await charges.open_of(connection, subscription.subscription_id)
    if charge is None and wish.action in ("card", "retry") and subscription.state == "active":
        charge = await charges.failed_of(connection, subscription.subscription_id)
        if charge is not None:
            charge.attempt += 1
    if charge is None:
        return
    if wish.action == "retry" and _is_forbidden(charge):
        raise Rejected(
            "This card must not be tried again for this charge",
            code="subscription.hard-decline",
            hint="Ask the customer for another card, and give it to the subscription.",
        )
    if wish.action == "card":
        charge.declines, charge.bank_code = 0, ""
    if charge.state == "failed":
        charge.state = "due"
    if wish.action != "resume" or charge.next_attempt_at is None:
        charge.next_attempt_at = now
    await charges.save(connection, charge)


def _is_forbidden(charge: Charge) -> bool:
    """Whether the last decline lasts, or the schemes' limit is reached."""
    last = next(reversed(charge.attempts.values()), {})
    said = msgspec.convert(last, dict[str, str])
    decline = Decline(
        status_code=said.get("status_code", ""),
        bank_code=said.get("bank_code", ""),
        category=said.get("category", ""),
    )
    return charge.declines > 0 and (charge.declines >= MOST_TRIES or verdict(decline).hard)
