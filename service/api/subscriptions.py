"""Subscriptions: what is charged regularly, to which card, and what became of each charge."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.errors import Rejected
from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import PAGE, Filter, JsonObject, NoteText, Page, PairName, Text, chosen, read
from service.api.plans import PlanBody
from service.flow.subscription_desk import Wish, begin, do
from service.store import charges, schedule, subscriptions
from service.store.users import Caller


class NewSubscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscription to begin.

    Attributes:
        token_id: the saved card to charge.
        start: the day of the first charge; `end` the last possible day.
        customer: SYSPRO's code; the card's when left out.
    """

    plan: Text
    token_id: int
    start: date
    end: date | None = None
    customer: Annotated[str, msgspec.Meta(max_length=15)] = ""


class SubscriptionShown(Struct, frozen=True, kw_only=True):
    """A subscription.

    Attributes:
        reference: it begins the vendor transaction codes of its charges and the numbers of its invoices.
        state: active, paused, suspended (its card is charged no more), cancelled or ended; `reason` says why.
        next_due_at: of the next charge; empty after the last one.
        terms: as the plan's when it began.
    """

    subscription_id: int
    reference: str
    plan: str
    customer: str
    token_id: int
    state: str
    reason: str
    terms: JsonObject
    next_number: int
    next_due_at: datetime | None
    created_at: datetime
    changed_at: datetime


class SubscriptionPage(Struct, frozen=True, kw_only=True):
    """A page of subscriptions, newest first."""

    items: list[SubscriptionShown]
    next_cursor: int | None


class ChargeShown(Struct, frozen=True, kw_only=True):
    """A charge of one due date.

    Attributes:
        state: due, dunning (declined, and tried again at `next_attempt_at`), taken, failed or passed (skipped,
            paused, or missed); `reason` says why.
        attempts: by vendor transaction code, what each attempt came to.
    """

    number: int
    due_on: date
    amount_minor: int
    currency: str
    state: str
    reason: str
    attempt: int
    next_attempt_at: datetime | None
    transaction_id: str
    attempts: JsonObject
    changed_at: datetime


class ChargeList(Struct, frozen=True, kw_only=True):
    """The charges of a subscription, newest first."""

    items: list[ChargeShown]


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done with a subscription.

    Attributes:
        action: `skip` lets the next due date go by; `card` charges another card from now on, and what failed at
            once; `retry` tries a declined charge at once.
        token_id: goes with `card`.
    """

    action: Literal["pause", "resume", "cancel", "skip", "card", "retry"]
    reason: NoteText = ""
    token_id: int | None = None


@get("/subscriptions", guards=[needs("viewer")], dependencies=PAGE, summary="List subscriptions")
async def list_subscriptions(
    pair: PairName,
    context: AppContext,
    page: NamedDependency[Page],
    status: Filter = "",
    customer: Filter = "",
) -> SubscriptionPage:
    """Subscriptions of a pair; those of one state, or of one SYSPRO customer."""
    filters = chosen(state=status, customer=customer)
    async with context.engine.connect() as connection:
        rows = await subscriptions.listed(connection, pair, filters, page.cursor, page.limit)
    items = [read(row, SubscriptionShown) for row in rows]
    return SubscriptionPage(
        items=items, next_cursor=page.next_cursor([each.subscription_id for each in items])
    )


@post("/subscriptions", guards=[needs("operator")], summary="Begin a subscription")
async def new_subscription(
    pair: PairName, data: JSONBody[NewSubscription], context: AppContext, caller: NamedDependency[Caller]
) -> SubscriptionShown:
    """Charge a saved card regularly, by a plan's terms as they are now."""
    settings, _ = await context.connections(pair)
    async with context.engine.begin() as connection:
        row = await subscriptions.plan_of(connection, pair, data.plan)
        if row is None or not row["active"]:
            raise Rejected(
                f"Pair `{pair}` has no plan `{data.plan}` that is active", code="subscription.plan"
            )
        plan = msgspec.convert(row["terms"], PlanBody)
        terms = plan.terms(data.plan, data.start, data.end)
        begun = await begin(connection, settings, data.token_id, terms, data.customer)
        detail: JsonObject = {"subscription": begun.reference, "plan": data.plan, "customer": begun.customer}
        await record(connection, pair, caller, "subscription.begun", **detail)
        return await _shown(connection, pair, begun.subscription_id)


@get("/subscriptions/{subscription_id:int}", guards=[needs("viewer")], summary="Show a subscription")
async def show_subscription(
    pair: PairName, subscription_id: FromPath[int], context: AppContext
) -> SubscriptionShown:
    """A subscription as it is now."""
    async with context.engine.connect() as connection:
        return await _shown(connection, pair, subscription_id)


@get("/subscriptions/{subscription_id:int}/charges", guards=[needs("viewer")], summary="List its charges")
async def list_charges(pair: PairName, subscription_id: FromPath[int], context: AppContext) -> ChargeList:
    """Every due date so far with its charge, newest first; a taken one is a payment under its transaction id."""
    async with context.engine.connect() as connection:
        await _shown(connection, pair, subscription_id)
        rows = await charges.listed(connection, pair, subscription_id)
    return ChargeList(items=[read(row, ChargeShown) for row in rows])


@post(
    "/subscriptions/{subscription_id:int}/decide",
    status_code=200,
    guards=[needs("operator")],
    summary="Pause, resume, cancel, skip, change the card, retry",
)
async def decide(
    pair: PairName,
    subscription_id: FromPath[int],
    data: JSONBody[Decision],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> SubscriptionShown:
    """Do something with a subscription; what is to be charged at once is charged in a moment."""
    settings, _ = await context.connections(pair)
    now = context.now()
    wish = Wish(action=data.action, actor=caller.name, reason=data.reason, token_id=data.token_id)
    async with context.engine.begin() as connection:
        await do(connection, settings, subscription_id, wish, now)
        await schedule.hurry(connection, pair, "subscriptions", now)
        return await _shown(connection, pair, subscription_id)


async def _shown(connection: AsyncConnection, pair: str, subscription_id: int) -> SubscriptionShown:
    found = await subscriptions.shown(connection, pair, subscription_id)
    if found is None:
        raise NotFoundException(f"Pair `{pair}` has no subscription {subscription_id}.")
    return read(found, SubscriptionShown)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        list_subscriptions,
        new_subscription,
        show_subscription,
        list_charges,
        decide,
    ],
    tags=["Subscriptions"],
)
