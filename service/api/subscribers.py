"""Subscribers of events: who is told what, where, under which secret; tests, deliveries and replays."""

from __future__ import annotations

import secrets as randomness
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from integration.outbound import resolve
from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.desk import record
from service.api.parameters import PairName, Text
from service.api.problems import Fault, Refused
from service.core.events import EVENT_TYPES, fault_of
from service.flow import outgoing
from service.store import deliveries, subscribers
from service.store.subscribers import NewSubscriber, Subscriber
from service.store.users import Caller

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Patterns = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=100)]
Secret = Annotated[str, msgspec.Meta(min_length=16, max_length=200)]


class SubscriberShown(Struct, frozen=True, kw_only=True):
    """A subscriber without its secrets; `pending` and `dead` count its deliveries."""

    subscriber: str
    name: str
    url: str
    types: list[str]
    paused: bool
    pending: int
    dead: int
    created_at: datetime
    changed_at: datetime


class SubscriberList(Struct, frozen=True, kw_only=True):
    """Subscribers, the oldest first."""

    items: list[SubscriberShown]


class SubscriberWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscriber to be made.

    Attributes:
        types: event types, `order.*` for a group, `*` for all.
        secret: what signs its deliveries; one is made when it is left out.
    """

    name: Text
    url: Url
    types: Patterns
    secret: Secret | None = None
    paused: bool = False


class SubscriberMade(Struct, frozen=True, kw_only=True):
    """A subscriber with its new secret: keep `secret` now, it is never shown again."""

    subscriber: str
    secret: str


class SubscriberChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a subscriber; a member that is left out stays."""

    name: Text | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    types: Patterns | UnsetType = UNSET
    paused: bool | UnsetType = UNSET


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of secrets: a new one beside the current, or with `finish` the previous one ended."""

    secret: Secret | None = None
    finish: bool = False


class Rotated(Struct, frozen=True, kw_only=True):
    """The new secret, empty after `finish`, and how many sign now."""

    secret: str
    live: int


class Pinged(Struct, frozen=True, kw_only=True):
    """What came of a test: `error` is empty when it was taken."""

    event_id: str
    status: int
    error: str
    milliseconds: int


class EventType(Struct, frozen=True, kw_only=True):
    """A type of event and its meaning."""

    type: str
    meaning: str


class EventTypes(Struct, frozen=True, kw_only=True):
    """Every type there is."""

    items: list[EventType]


@get("/event-types", guards=[needs("viewer")], summary="List the types of events")
async def list_types(pair: PairName) -> EventTypes:
    """What may be subscribed to."""
    return EventTypes(items=[EventType(type=each, meaning=text) for each, text in EVENT_TYPES.items()])


@get("/subscribers", guards=[needs("viewer")], summary="List subscribers")
async def list_subscribers(pair: PairName, context: AppContext) -> SubscriberList:
    """Who is told of events."""
    async with context.engine.connect() as connection:
        found = await subscribers.of_pair(connection, pair)
        counts = await deliveries.counts(connection, pair)
    return SubscriberList(items=[_shown(each, counts) for each in found])


@post("/subscribers", guards=[needs("admin")], summary="Subscribe to events")
async def subscribe(
    pair: PairName, data: JSONBody[SubscriberWanted], context: AppContext, caller: NamedDependency[Caller]
) -> SubscriberMade:
    """Make a subscriber; it hears of what happens from now on, and by a replay of what happened before."""
    await _insist(context, data.url, data.types)
    made = SubscriberMade(subscriber=f"sub_{randomness.token_hex(8)}", secret=data.secret or _new_secret())
    new = NewSubscriber(
        pair=pair,
        subscriber=made.subscriber,
        name=data.name,
        url=data.url,
        types=data.types,
        secrets=[made.secret],
        paused=data.paused,
    )
    async with context.engine.begin() as connection:
        await subscribers.add(connection, context.vault, new)
        await record(connection, pair, caller, "subscriber.made", subscriber=made.subscriber, name=data.name)
    return made


@get("/subscribers/{subscriber:str}", guards=[needs("viewer")], summary="Show a subscriber")
async def show_subscriber(pair: PairName, subscriber: FromPath[str], context: AppContext) -> SubscriberShown:
    """One subscriber."""
    found = await known(context, pair, subscriber)
    async with context.engine.connect() as connection:
        return _shown(found, await deliveries.counts(connection, pair))


@patch("/subscribers/{subscriber:str}", guards=[needs("admin")], summary="Change a subscriber")
async def change_subscriber(
    pair: PairName,
    subscriber: FromPath[str],
    data: JSONBody[SubscriberChange],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> SubscriberShown:
    """Change name, address or types, or pause it: its events are then kept and sent when it goes on."""
    before = await known(context, pair, subscriber)
    changed = {
        name: getattr(data, name) for name in data.__struct_fields__ if getattr(data, name) is not UNSET
    }
    await _insist(context, str(changed.get("url", before.url)), changed.get("types", before.types))
    async with context.engine.begin() as connection:
        found = await subscribers.change(connection, pair, subscriber, changed)
        await record(
            connection, pair, caller, "subscriber.changed", subscriber=subscriber, changed=sorted(changed)
        )
        counts = await deliveries.counts(connection, pair)
    return _shown(found or before, counts)


@delete("/subscribers/{subscriber:str}", guards=[needs("admin")], summary="End a subscription")
async def unsubscribe(
    pair: PairName, subscriber: FromPath[str], context: AppContext, caller: NamedDependency[Caller]
) -> None:
    """End a subscription; what was still to be delivered is dropped."""
    async with context.engine.begin() as connection:
        if not await subscribers.remove(connection, pair, subscriber):
            raise _unknown(pair, subscriber)
        await record(connection, pair, caller, "subscriber.removed", subscriber=subscriber)


@post("/subscribers/{subscriber:str}/rotate", guards=[needs("admin")], summary="Change a subscriber's secret")
async def rotate_secret(
    pair: PairName,
    subscriber: FromPath[str],
    data: JSONBody[Rotation],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Rotated:
    """Sign with a new secret beside the current one, until a second call with `finish` ends the older."""
    secret = "" if data.finish else data.secret or _new_secret()
    async with context.engine.begin() as connection:
        live = await subscribers.secrets_of(connection, context.vault, pair, subscriber, lock=True)
        if not live:
            raise _unknown(pair, subscriber)
        kept = live[:1] if data.finish else [secret, live[0]]
        await subscribers.reseal(connection, context.vault, pair, subscriber, kept)
        await record(
            connection, pair, caller, "subscriber.secret_changed", subscriber=subscriber, live=len(kept)
        )
    return Rotated(secret=secret, live=len(kept))


@post("/subscribers/{subscriber:str}/ping", guards=[needs("operator")], summary="Send a test event")
async def ping_subscriber(
    pair: PairName, subscriber: FromPath[str], context: AppContext, caller: NamedDependency[Caller]
) -> Pinged:
    """Send a `subscription.ping` now and say what came of it; it is not tried again."""
    found = await known(context, pair, subscriber)
    event_id = f"ping-{randomness.token_hex(8)}"
    sent = await outgoing.ping(context.stages, found, event_id)
    async with context.engine.begin() as connection:
        await record(connection, pair, caller, "subscriber.pinged", subscriber=subscriber, status=sent.status)
    return Pinged(event_id=event_id, status=sent.status, error=sent.error, milliseconds=sent.milliseconds)


async def known(context: Context, pair: str, subscriber: str) -> Subscriber:
    """A subscriber of the pair.

    Raises:
        NotFoundException: there is no such.
    """
    async with context.engine.connect() as connection:
        found = await subscribers.one(connection, pair, subscriber)
    if found is None:
        raise _unknown(pair, subscriber)
    return found


async def _insist(context: Context, url: str, types: list[str]) -> None:
    faults = [
        Fault(code="subscriber.type", place="types", sentence=fault)
        for each in types
        if (fault := fault_of(each))
    ]
    if faults:
        raise Refused(422, "subscriber.type", "There is no such type of event", faults=faults)
    await resolve(url, context.stages.shared.private_networks)


def _unknown(pair: str, subscriber: str) -> NotFoundException:
    return NotFoundException(f"Pair `{pair}` has no subscriber `{subscriber}`.")


def _new_secret() -> str:
    return f"whsec_{randomness.token_urlsafe(32)}"


def _shown(found: Subscriber, counts: dict[str, dict[str, int]]) -> SubscriberShown:
    own = counts.get(found.subscriber, {})
    members = {
        name: getattr(found, name) for name in found.__struct_fields__ if name not in ("pair", "rests_until")
    }
    return SubscriberShown(pending=own.get("pending", 0), dead=own.get("dead", 0), **members)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        list_types,
        list_subscribers,
        subscribe,
        show_subscriber,
        change_subscriber,
        unsubscribe,
        rotate_secret,
        ping_subscriber,
    ],
    tags=["Events"],
)
