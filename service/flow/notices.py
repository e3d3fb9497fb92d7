"""Tell people about subscriptions: alerts that hold the notice for the customer in the words of the template."""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from service import resources
from service.core.dunning import RetryOn, StopTrying, expires_on
from service.core.notices import fill
from service.store.alerts import Alert
from service.store.charges import Charge
from service.store.rows import JsonObject
from service.store.subscriptions import Subscription


class _Told(Struct, frozen=True, kw_only=True):
    code: str
    subject: str
    title: str
    notice: str
    retried: bool


@cache
def _templates() -> dict[str, str]:
    document = resources.document("templates/notices.yaml")
    assert isinstance(document, dict)
    return {str(name): str(text) for name, text in document["notices"].items()}


def of_decline(
    subscription: Subscription, charge: Charge, follows: RetryOn | StopTrying, state: str
) -> Alert:
    """The alert that a charge was declined; one of its own for each attempt, so that each is told."""
    terms = subscription.terms
    name = "declined" if isinstance(follows, RetryOn) else "cancelled" if state == "cancelled" else "stopped"
    words = {
        "amount": str(terms.amount),
        "description": terms.description,
        "due_on": charge.due_on.isoformat(),
        "reason": follows.reason,
        "retry_on": follows.at.date().isoformat() if isinstance(follows, RetryOn) else "",
    }
    told = _Told(
        code=f"subscription.{name}",
        subject=f"subscription {subscription.reference} {charge.due_on} attempt {charge.attempt}",
        title=f"The charge of {terms.amount} of subscription {subscription.reference}, due on {charge.due_on},"
        f" was not taken: {follows.reason}",
        notice=fill(_templates()[name], words),
        retried=isinstance(follows, RetryOn),
    )
    return _alert(subscription, told)


def of_expiry(subscription: Subscription, card: JsonObject) -> Alert:
    """The alert that the card of a subscription expires soon, or has expired."""
    last = expires_on(str(card["expiry"]))
    month = f"{last:%m/%Y}" if last else str(card["expiry"])
    words = {
        "scheme": str(card["scheme"]),
        "last_four": str(card["last_four"]),
        "description": subscription.terms.description,
        "expires": month,
    }
    told = _Told(
        code="subscription.card-expires",
        subject=f"subscription {subscription.reference} card {card['token_id']} {card['expiry']}",
        title=f"The card of subscription {subscription.reference} expires at the end of {month}",
        notice=fill(_templates()["card_expires"], words),
        retried=False,
    )
    return _alert(subscription, told)


def _alert(subscription: Subscription, told: _Told) -> Alert:
    error: JsonObject = {
        "code": told.code,
        "title": told.title,
        "notice": told.notice,
        "retried": told.retried,
        "evidence": {"subscription": subscription.reference, "customer": subscription.customer},
    }
    return Alert(pair=subscription.pair, code=told.code, subject=told.subject, title=told.title, error=error)
