"""Subscriptions: the regular turn that opens what is due and charges it.

One turn takes over saved cards, opens the charge of each due date, makes the attempts that are due, ends what is
finished and warns of cards that expire. Every part may be done twice: rows are locked while they are decided on,
skipped when another worker has them, and a due date has one charge whatever happens.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.dunning import warns
from service.core.subscriptions import (
    Hours,
    Opening,
    due_on,
    open_due,
)
from service.flow import notices
from service.flow.charging import Round, attempt
from service.flow.intents import Till
from service.flow.stages import Stages
from service.store import alerts, cards, charges, subscriptions
from service.store.charges import Charge
from service.store.pairs import PairSettings
from service.store.rows import JsonObject
from service.store.subscriptions import Subscription

_PAUSES = (0.0, 0.5, 1.5)
_LEASE = timedelta(minutes=15)
_AGAIN = timedelta(minutes=5)
_PATIENCE = timedelta(minutes=10)
_AT_ONCE = 8


async def charge_due(stages: Stages, pair: str) -> JsonObject:
    """One turn for a pair; says what it came to. Bounded by the pair's `charges_per_turn`."""
    shared = stages.shared
    turn = await round_of(stages, pair)
    async with shared.engine.begin() as connection:
        saved = await cards.adopt(connection, pair)
    opened = await _open(turn)
    outcomes = await _attempt_all(turn, _LEASE / shared.pace)
    async with shared.engine.begin() as connection:
        ended = await subscriptions.end_finished(connection, pair)
        warned = await _warn(connection, turn)
    return {"cards": saved, "opened": opened, **outcomes, "ended": len(ended), "warned": warned}


async def round_of(stages: Stages, pair: str) -> Round:
    """The surroundings of a turn that begins now."""
    settings, connections = await stages.connections(pair)
    shared = stages.shared
    return Round(
        till=Till(
            engine=shared.engine,
            gateway=connections.gateway,
            pair=pair,
            pauses=tuple(pause / shared.pace for pause in _PAUSES),
            patience=_PATIENCE / shared.pace,
        ),
        settings=settings.subscriptions,
        hours=hours_of(settings),
        now=shared.clock(),
        again=_AGAIN / shared.pace,
    )


def hours_of(settings: PairSettings) -> Hours:
    """When a pair takes charges."""
    return Hours(zone=settings.time_zone, hour=settings.subscriptions.charge_hour)


async def _open(turn: Round) -> int:
    """Open the charge of each due date; the subscriptions stay locked until all of it is written."""
    opened = 0
    async with turn.till.engine.begin() as connection:
        limit = turn.settings.charges_per_turn
        for subscription in await subscriptions.due(connection, turn.till.pair, turn.now, limit):
            opening = open_due(subscription.terms, subscription.next_number, turn.hours, turn.now)
            await keep(
                connection, subscription, opening, "It was due while the service stood still.", turn.now
            )
            opened += opening.charge is not None
    return opened


async def keep(
    connection: AsyncConnection,
    subscription: Subscription,
    opening: Opening,
    why: str,
    now: datetime | None = None,
) -> None:
    """Write down what an opening decided: rows of charges, and where the subscription goes on."""
    new = [_charge(subscription, number, "passed", why) for number in opening.passed]
    if opening.charge is not None:
        new.append(_charge(subscription, opening.charge))
        new[-1].next_attempt_at = now
    await charges.add(connection, new)
    subscription.next_number, subscription.next_due_at = opening.next_number, opening.next_due_at
    await subscriptions.save(connection, subscription)


def _charge(subscription: Subscription, number: int, state: str = "due", reason: str = "") -> Charge:
    day = due_on(subscription.terms, number)
    assert day is not None
    return Charge(
        pair=subscription.pair,
        subscription_id=subscription.subscription_id,
        number=number,
        due_on=day,
        amount_minor=subscription.terms.amount.minor,
        currency=subscription.terms.amount.currency,
        state="passed" if state == "passed" else "due",
        reason=reason,
    )


async def _attempt_all(turn: Round, lease: timedelta) -> dict[str, int]:
    async with turn.till.engine.begin() as connection:
        limit = turn.settings.charges_per_turn
        found = await charges.take(connection, turn.till.pair, turn.now, turn.now + lease, limit)
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(charge: Charge) -> str:
        async with room:
            return await attempt(turn, charge)

    # A defect in one charge keeps no other from being taken; its lease ends, and it is tried again.
    words = await asyncio.gather(*(one(charge) for charge in found), return_exceptions=True)
    failures = [word for word in words if isinstance(word, BaseException)]
    if failures:
        raise failures[0]
    return dict(Counter(str(word) for word in words))


async def _warn(connection: AsyncConnection, turn: Round) -> int:
    """Warn of each card that expires soon, once."""
    pair, days, warned = turn.till.pair, turn.settings.expiry_warning_days, 0
    for card in await cards.unwarned(connection, pair):
        if not warns(str(card["expiry"]), turn.now, days, turn.hours.zone):
            continue
        token_id = int(str(card["token_id"]))
        for subscription in await subscriptions.with_card(connection, pair, token_id):
            await alerts.raise_all(connection, [notices.of_expiry(subscription, card)])
        await cards.warned(connection, token_id, turn.now)
        warned += 1
    return warned
