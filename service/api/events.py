"""Events and their deliveries: what happened, who heard of it, and sending it once more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import PAGE, Filter, JsonObject, Page, PairName, Text, chosen, read
from service.api.problems import Refused
from service.api.subscribers import known
from service.core.events import fault_of, wants
from service.store import deliveries, events
from service.store.deliveries import New
from service.store.users import Caller

State = Annotated[Literal["", "pending", "delivered", "dead"], QueryParameter(description="Empty takes all.")]
_AT_ONCE = 1000


class EventShown(Struct, frozen=True, kw_only=True):
    """An event as it is in the outbox."""

    event_seq: int
    event_id: str
    type: str
    subject: str
    data: JsonObject
    happened_at: datetime


class EventPage(Struct, frozen=True, kw_only=True):
    """A page of events, newest first."""

    items: list[EventShown]
    next_cursor: int | None


class DeliveryShown(Struct, frozen=True, kw_only=True):
    """A delivery with its last attempts: `at`, `status`, `error`, `milliseconds`."""

    delivery_id: int
    subscriber: str
    event_id: str
    type: str
    subject: str
    state: str
    attempts: int
    happened_at: datetime
    due_at: datetime
    failing_since: datetime | None
    done_at: datetime | None
    tries: list[JsonObject]


class DeliveryPage(Struct, frozen=True, kw_only=True):
    """A page of deliveries, newest first."""

    items: list[DeliveryShown]
    next_cursor: int | None


class Replay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are sent once more: since a time, and of a type or a group of types."""

    since: datetime
    type: Text = "*"


class Replayed(Struct, frozen=True, kw_only=True):
    """How many deliveries will be made once more."""

    deliveries: int


@get("/events", guards=[needs("viewer")], dependencies=PAGE, summary="List events")
async def list_events(
    pair: PairName, context: AppContext, page: NamedDependency[Page], event_type: FromQuery[Filter] = ""
) -> EventPage:
    """What happened, as subscribers are told; those of the road are kept from the first subscription on."""
    async with context.engine.connect() as connection:
        rows = await events.listed(connection, pair, event_type, page.cursor, page.limit)
    items = [read(row, EventShown) for row in rows]
    return EventPage(items=items, next_cursor=page.next_cursor([each.event_seq for each in items]))


def provide_filters(
    subscriber: FromQuery[Filter] = "", event_type: FromQuery[Filter] = "", status: FromQuery[State] = ""
) -> dict[str, str]:
    """The filters of a list of deliveries that are set."""
    return chosen(subscriber=subscriber, type=event_type, state=status)


@get(
    "/deliveries",
    guards=[needs("viewer")],
    dependencies=PAGE | {"filters": Provide(provide_filters, sync_to_thread=False)},
    summary="List deliveries",
)
async def list_deliveries(
    pair: PairName,
    context: AppContext,
    page: NamedDependency[Page],
    filters: NamedDependency[dict[str, str]],
) -> DeliveryPage:
    """Deliveries with their attempts; those to the pair's own shop are of subscriber `shop`."""
    async with context.engine.connect() as connection:
        rows = await deliveries.listed(connection, pair, filters, before=page.cursor, limit=page.limit)
    items = [read(row, DeliveryShown) for row in rows]
    return DeliveryPage(items=items, next_cursor=page.next_cursor([each.delivery_id for each in items]))


@post(
    "/deliveries/{delivery_id:int}/replay",
    status_code=202,
    guards=[needs("operator")],
    summary="Deliver once more",
)
async def replay_delivery(
    pair: PairName, delivery_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]
) -> Replayed:
    """Send one event to its subscriber once more, with the id it had."""
    async with context.engine.begin() as connection:
        if not await deliveries.replay(connection, pair, delivery_id, context.now()):
            raise NotFoundException(f"Pair `{pair}` has no delivery {delivery_id}.")
        await record(connection, pair, caller, "delivery.replayed", delivery_id=delivery_id)
    return Replayed(deliveries=1)


@post(
    "/subscribers/{subscriber:str}/replay",
    status_code=202,
    guards=[needs("operator")],
    summary="Deliver once more what happened since a time",
)
async def replay_since(
    pair: PairName,
    subscriber: FromPath[str],
    data: JSONBody[Replay],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Replayed:
    """Send the events since a time once more, of one type or all; also those that happened before it subscribed."""
    if data.since.tzinfo is None:
        raise Refused(
            422, "replay.time", "`since` has no time zone", hint="Write it as 2026-01-31T00:00:00Z."
        )
    if fault := fault_of(data.type):
        raise Refused(422, "subscriber.type", fault)
    found, total, begin = await known(context, pair, subscriber), 0, 0
    async with context.engine.begin() as connection:
        while kept := await events.since(connection, pair, data.since, _AT_ONCE, begin):
            begin = kept[-1].event_seq
            again = [
                New(
                    pair=pair,
                    subscriber=subscriber,
                    event_seq=each.event_seq,
                    subject=each.event.subject,
                    due_at=context.now(),
                )
                for each in kept
                if wants([data.type], each.event.type) and wants(found.types, each.event.type)
            ]
            await deliveries.add(connection, again, again=True)
            total += len(again)
        await record(
            connection,
            pair,
            caller,
            "deliveries.replayed",
            subscriber=subscriber,
            type=data.type,
            deliveries=total,
        )
    return Replayed(deliveries=total)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_events, list_deliveries, replay_delivery, replay_since],
    tags=["Events"],
)
