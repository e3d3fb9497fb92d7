"""Live events: the audit trail of a pair as it grows, as server-sent events.

A client that was cut off comes again with `Last-Event-ID` and misses nothing. A stream ends after some minutes, so
that a revoked key does not listen for ever; clients of server-sent events come again by themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.parameters import JsonObject, PairName, read
from service.store import audit

_POLL_SECONDS = 0.5
_KEEP_ALIVE_SECONDS = 10.0
_LASTS_SECONDS = 15 * 60.0
_AT_ONCE = 500
# Ids are given before a transaction ends: a line may appear after one with a greater id.
_LATE = 200

LastEventId = Annotated[
    int, HeaderParameter(name="Last-Event-ID", ge=0, description="The last event that came.")
]


class LiveLine(Struct, frozen=True, kw_only=True):
    """Something that happened; its `audit_id` is the event's id."""

    audit_id: int
    at: datetime
    actor: str
    action: str
    payment_id: int | None
    detail: JsonObject


@get("/live", guards=[needs("viewer")], summary="Follow what happens")
async def follow(pair: PairName, context: AppContext, last_event_id: LastEventId = 0) -> ServerSentEvent:
    """A stream of `LiveLine`, each named by its action; from now on, or from after `Last-Event-ID`."""
    return ServerSentEvent(_lines(context, pair, last_event_id))


async def _lines(context: Context, pair: str, last: int) -> AsyncIterator[ServerSentEventMessage]:
    yield ServerSentEventMessage(comment="ready", retry=2000)
    async with context.engine.connect() as connection:
        last = last or await audit.newest(connection, pair)
        told = {row["audit_id"] for row in await audit.after(connection, pair, last - _LATE, _LATE)}
    told = {each for each in told if int(str(each)) <= last}
    ends = time.monotonic() + _LASTS_SECONDS
    spoke = time.monotonic()
    while time.monotonic() < ends:
        async with context.engine.connect() as connection:
            rows = await audit.after(connection, pair, max(0, last - _LATE), _AT_ONCE + _LATE)
        for row in rows:
            if row["audit_id"] in told:
                continue
            line = read(row, LiveLine)
            told.add(line.audit_id)
            last = max(last, line.audit_id)
            spoke = time.monotonic()
            yield ServerSentEventMessage(
                data=msgspec.json.encode(line).decode(), event=line.action, id=line.audit_id
            )
        told = {each for each in told if int(str(each)) > last - 2 * _LATE}
        if time.monotonic() - spoke > _KEEP_ALIVE_SECONDS:
            spoke = time.monotonic()
            yield ServerSentEventMessage(comment="still here")
        await asyncio.sleep(_POLL_SECONDS)


router = Router(path="/api/v1/pairs/{pair:str}", route_handlers=[follow], tags=["Live"])
