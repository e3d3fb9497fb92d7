"""Rehearse a version of a flow on payments that went by: nothing is written, posted or told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.flows import FlowName, flow_version
from service.api.parameters import PairName, chosen
from service.core.screening_memory import Memory
from service.flow.library import Library
from service.flow.memo import Memo as Recent
from service.flow.rehearsal import Rehearsed, rehearse
from service.flow.stage import Stage
from service.store import payment_views, payments
from service.store.lanes import Lane

Count = Annotated[int, msgspec.Meta(ge=1, le=200)]


class Rehearsal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which payments: those of these ids, or else the newest, perhaps only those in a state."""

    payment_ids: Annotated[list[int], msgspec.Meta(max_length=200)] = []
    status: str = ""
    limit: Count = 50


class RehearsalResult(Struct, frozen=True, kw_only=True):
    """How each payment would fare, in the order in which they were made; `ends` counts them by their end."""

    flow: str
    version: int
    ends: dict[str, int]
    payments: list[Rehearsed]


@post(
    "/flows/{flow:str}/versions/{version:int}/test-run",
    status_code=200,
    guards=[needs("operator")],
    summary="Rehearse a flow on stored payments",
)
async def rehearse_flow(
    pair: PairName, flow: FlowName, version: FromPath[int], data: JSONBody[Rehearsal], context: AppContext
) -> RehearsalResult:
    """Walk stored payments over a version with the road's own steps, and leave no trace."""
    settings, connections = await context.connections(pair)
    async with context.engine.connect() as connection:
        document = await flow_version(connection, pair, flow, version)
        ids = data.payment_ids or [
            int(str(row["payment_id"]))
            for row in await payment_views.listed(
                connection, pair, chosen(state=data.status), before=0, limit=data.limit
            )
        ]
        stored = [await payments.one(connection, pair, each) for each in ids]
    stage = Stage(
        engine=context.engine,
        lane=Lane(pair=pair, lane="", kind="screening", operator="", epoch=0),
        pair=settings,
        gateway=connections.gateway,
        storefront=None,
        erp=None,
        library=Library(),
        memory=Memory(),
        memo=Recent(),
        clock=context.now,
        chance=lambda: 0.5,
    )
    found = await rehearse(document, [each for each in stored if each is not None and each.gateway], stage)
    ends: dict[str, int] = {}
    for each in found:
        ends[each.ends] = ends.get(each.ends, 0) + 1
    return RehearsalResult(flow=flow, version=version, ends=ends, payments=found)


router = Router(path="/api/v1/pairs/{pair:str}", route_handlers=[rehearse_flow], tags=["Flows"])
