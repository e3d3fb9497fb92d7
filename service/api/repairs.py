"""Repairs: list them, accept, refuse or take them back."""

from __future__ import annotations

from datetime import datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.desk import desk
from service.api.parameters import (
    PAGE,
    Filter,
    JsonObject,
    Note,
    Page,
    PairName,
    chosen,
    read,
)
from service.core.repairs import CLASSES, Mode, RepairClass, mode_of
from service.flow import repair_desk
from service.store import repairs
from service.store.users import Caller


class RepairShown(Struct, frozen=True, kw_only=True):
    """A repair of a payment.

    Attributes:
        repair: its class.
        code, step: the error it is for, and where that came.
        changes: path, before and after of each.
        state: proposed, applied, refused, undone, or superseded (the payment went on without it).
        rule, rule_version: the person's rule it comes from, if it does.
        decided_by: `road` where it applied itself.
    """

    repair_id: int
    payment_id: int
    vendor_tx_code: str
    amount_minor: int
    currency: str
    payment_state: str
    repair: str
    code: str
    step: str
    changes: list[JsonObject]
    reason: str
    state: str
    rule: str
    rule_version: int
    decided_by: str
    created_at: datetime
    changed_at: datetime


class RepairPage(Struct, frozen=True, kw_only=True):
    """A page of repairs, newest first."""

    items: list[RepairShown]
    next_cursor: int | None


class ClassShown(Struct, frozen=True, kw_only=True):
    """A class of repair and what the pair lets it do."""

    repair: str
    meaning: str
    mode: Mode


@get("/repairs", guards=[needs("viewer")], dependencies=PAGE, summary="List repairs")
async def list_repairs(
    pair: PairName,
    context: AppContext,
    page: NamedDependency[Page],
    status: Filter = "",
    repair: Filter = "",
) -> RepairPage:
    """Repairs that wait for a person, and those that were made, refused or taken back."""
    async with context.engine.connect() as connection:
        rows = await repairs.listed(
            connection, pair, chosen(state=status, repair=repair), before=page.cursor, limit=page.limit
        )
    items = [read(row, RepairShown) for row in rows]
    return RepairPage(items=items, next_cursor=page.next_cursor([each.repair_id for each in items]))


@get("/repairs/{repair_id:int}", guards=[needs("viewer")], summary="Show a repair")
async def show_repair(pair: PairName, repair_id: FromPath[int], context: AppContext) -> RepairShown:
    """One repair with before and after."""
    return await _shown(context, pair, repair_id)


@get("/repair-classes", guards=[needs("viewer")], summary="List classes of repair")
async def list_classes(pair: PairName, context: AppContext) -> list[ClassShown]:
    """What is repaired, and what the pair lets each class do; set `repairs` of the pair to change it."""
    settings, _ = await context.connections(pair)
    names: list[RepairClass] = list(CLASSES)
    return [
        ClassShown(repair=name, meaning=CLASSES[name], mode=mode_of(settings.repairs, name)) for name in names
    ]


@post(
    "/repairs/{repair_id:int}/accept", status_code=200, guards=[needs("operator")], summary="Accept a repair"
)
async def accept_repair(
    pair: PairName,
    repair_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> RepairShown:
    """Make a proposed repair and send the payment round again. A stock code accepted is learnt for the next ones."""
    context.stages.forget(pair)
    async with desk(context, pair, caller, data.note) as at:
        await repair_desk.accept(at, repair_id)
    return await _shown(context, pair, repair_id)


@post(
    "/repairs/{repair_id:int}/refuse", status_code=200, guards=[needs("operator")], summary="Refuse a repair"
)
async def refuse_repair(
    pair: PairName,
    repair_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> RepairShown:
    """Leave the payment as it is; its dead letter stays open, and the class is not proposed for it again."""
    async with desk(context, pair, caller, data.note) as at:
        await repair_desk.refuse(at, repair_id)
    return await _shown(context, pair, repair_id)


@post(
    "/repairs/{repair_id:int}/undo", status_code=200, guards=[needs("operator")], summary="Take a repair back"
)
async def undo_repair(
    pair: PairName,
    repair_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> RepairShown:
    """Put back what was there, while nothing of it is in the ledger; the payment waits in dead letters again."""
    async with desk(context, pair, caller, data.note) as at:
        await repair_desk.undo(at, repair_id)
    return await _shown(context, pair, repair_id)


async def _shown(context: Context, pair: str, repair_id: int) -> RepairShown:
    async with context.engine.connect() as connection:
        row = await repairs.one(connection, pair, repair_id)
    if row is None:
        raise NotFoundException(f"Pair `{pair}` has no repair {repair_id}.")
    return read(row, RepairShown)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        list_repairs,
        show_repair,
        list_classes,
        accept_repair,
        refuse_repair,
        undo_repair,
    ],
    tags=["Repairs"],
)
