"""Lanes: what waits towards each destination, and the switch a person can throw."""

from __future__ import annotations

from datetime import datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.desk import record
from service.api.parameters import NoteText, PairName, Text, read
from service.store import bell, lanes
from service.store.users import Caller


class LaneShown(Struct, frozen=True, kw_only=True):
    """A lane; `waiting` counts its payments, due or not."""

    lane: str
    kind: str
    operator: str
    paused: bool
    reason: str
    changed_at: datetime
    waiting: int


class LaneList(Struct, frozen=True, kw_only=True):
    """The lanes of a pair."""

    items: list[LaneShown]


class Switch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lane is switched, and why."""

    lane: Text
    reason: NoteText = ""


@get("/lanes", guards=[needs("viewer")], summary="List lanes")
async def list_lanes(pair: PairName, context: AppContext) -> LaneList:
    """The lanes of a pair: one for screening, one for each SYSPRO operator."""
    async with context.engine.connect() as connection:
        return LaneList(items=[read(row, LaneShown) for row in await lanes.listed(connection, pair)])


@post("/lanes/pause", status_code=204, guards=[needs("operator")], summary="Pause a lane")
async def pause_lane(
    pair: PairName, data: JSONBody[Switch], context: AppContext, caller: NamedDependency[Caller]
) -> None:
    """The lane finishes its batch and stops; what is due waits."""
    await _switch(pair, data, context, caller, paused=True)


@post("/lanes/resume", status_code=204, guards=[needs("operator")], summary="Resume a lane")
async def resume_lane(
    pair: PairName, data: JSONBody[Switch], context: AppContext, caller: NamedDependency[Caller]
) -> None:
    """The lane goes on with what is due; settings, customers and stock items are read anew."""
    context.stages.forget(pair)
    await _switch(pair, data, context, caller, paused=False)


async def _switch(pair: str, asked: Switch, context: Context, caller: Caller, *, paused: bool) -> None:
    async with context.engine.begin() as connection:
        if not paused:
            await bell.share(connection, [asked.lane])
        if not await lanes.switch(connection, pair, asked.lane, paused=paused, reason=asked.reason):
            raise NotFoundException(f"Pair `{pair}` has no lane `{asked.lane}`.")
        action = "lane.paused" if paused else "lane.resumed"
        await record(connection, pair, caller, action, lane=asked.lane, reason=asked.reason)
        if not paused:
            await bell.ring(connection, [asked.lane])


router = Router(
    path="/api/v1/pairs/{pair:str}", route_handlers=[list_lanes, pause_lane, resume_lane], tags=["Lanes"]
)
