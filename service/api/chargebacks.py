"""Chargebacks: enter notices by hand, see cases with their deadlines, answer them, and take their evidence along."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.chargeback import ChargebackNotice
from service.api.access import needs
from service.api.chargeback_shapes import (
    Assignment,
    CaseNote,
    CasePage,
    CaseRow,
    CaseShown,
    Comment,
    Entered,
    EvidenceShown,
    NewNotice,
    OnTheRoad,
    StageShown,
)
from service.api.context import AppContext, Context
from service.api.desk import desk
from service.api.parameters import PAGE, Filter, Note, Page, PairName, chosen, read
from service.core.chargeback_rules import business_days_left
from service.core.own_messages import chargeback_id as stage_id
from service.flow import chargebacks as work
from service.flow.chargeback_arrival import rules_of
from service.store import chargeback_evidence, chargebacks
from service.store.chargebacks import Case
from service.store.inbox import Accepted
from service.store.pairs import PairSettings
from service.store.users import Caller


@post("/chargebacks", status_code=200, guards=[needs("operator")], summary="Enter a chargeback's notice")
async def enter_notice(
    pair: PairName, data: JSONBody[NewNotice], context: AppContext, caller: NamedDependency[Caller]
) -> Entered:
    """Enter a stage of a chargeback from the acquirer's letter. The same notice again changes nothing."""
    notice = data.notice()
    async with desk(context, pair, caller, data.note) as at:
        return _entered(notice, await work.enter(at, notice))


def _entered(notice: ChargebackNotice, accepted: Accepted) -> Entered:
    return Entered(
        chargeback_ref=notice.chargeback_ref,
        stage=notice.stage,
        transaction_id=stage_id(notice),
        inbox_id=accepted.inbox_id,
        new=accepted.new,
    )


def provide_filters(
    status: Filter = "",
    stage: Filter = "",
    owner: Filter = "",
    vendor_tx_code: Filter = "",
    respond_before: Annotated[
        date | None, QueryParameter(description="Only what is to be answered by this day.")
    ] = None,
) -> dict[str, str]:
    """The filters that are set."""
    until = respond_before.isoformat() if respond_before is not None else ""
    return chosen(state=status, stage=stage, owner=owner, vendor_tx_code=vendor_tx_code, respond_before=until)


@get(
    "/chargebacks",
    guards=[needs("viewer")],
    dependencies={**PAGE, "filters": Provide(provide_filters, sync_to_thread=False)},
    summary="List chargebacks",
)
async def list_chargebacks(
    pair: PairName,
    context: AppContext,
    page: NamedDependency[Page],
    filters: NamedDependency[dict[str, str]],
) -> CasePage:
    """Chargebacks of a pair, newest first; `status` is open, won or lost."""
    async with context.engine.connect() as connection:
        rows = await chargebacks.listed(connection, pair, filters, before=page.cursor, limit=page.limit)
    items = [read(row, CaseRow) for row in rows]
    return CasePage(items=items, next_cursor=page.next_cursor([each.chargeback_id for each in items]))


@get(
    "/chargebacks/{chargeback_id:int}",
    guards=[needs("viewer")],
    summary="Show a chargeback with its timeline",
)
async def show_chargeback(pair: PairName, chargeback_id: FromPath[int], context: AppContext) -> CaseShown:
    """A chargeback with its stages, what each posted, its timeline and its evidence."""
    settings, _ = await context.connections(pair)
    async with context.engine.connect() as connection:
        case = await case_of(connection, pair, chargeback_id)
        stages = [
            StageShown(
                stage=told.notice.stage,
                source=told.source,
                notice=msgspec.to_builtins(told.notice),
                payments=[
                    read(row, OnTheRoad)
                    for row in await chargebacks.on_the_road(connection, pair, told.transaction_ids)
                ],
            )
            for told in await chargebacks.stages(connection, case)
        ]
        notes = [read(row, CaseNote) for row in await chargebacks.notes(connection, case)]
        files = [read(row, EvidenceShown) for row in await chargeback_evidence.listed(connection, case)]
    row = {name: getattr(case, name) for name in CaseRow.__struct_fields__}
    shown = {
        **row,
        "business_days_left": _days_left(case, settings, context),
        "stages": stages,
        "timeline": notes,
        "evidence": files,
    }
    return read(shown, CaseShown)


async def case_of(connection: AsyncConnection, pair: str, chargeback_id: int) -> Case:
    """A case of a pair, for reading.

    Raises:
        NotFoundException: there is none of that id.
    """
    found = await chargebacks.one(connection, pair, chargeback_id)
    if found is None:
        raise NotFoundException(f"Pair `{pair}` has no chargeback {chargeback_id}.")
    return found


def _days_left(case: Case, settings: PairSettings, context: Context) -> int | None:
    if case.respond_by is None:
        return None
    today = context.now().astimezone(ZoneInfo(settings.time_zone)).date()
    return business_days_left(today, case.respond_by, rules_of(settings).holidays)


@post(
    "/chargebacks/{chargeback_id:int}/represent",
    status_code=200,
    guards=[needs("operator")],
    summary="Contest a chargeback",
)
async def represent(
    pair: PairName,
    chargeback_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Entered:
    """Note that the evidence went to the acquirer; sending it is done in the acquirer's portal."""
    async with desk(context, pair, caller, data.note) as at:
        return _entered(*await work.answer(at, await work.case(at, chargeback_id), "representment"))


@post(
    "/chargebacks/{chargeback_id:int}/accept",
    status_code=200,
    guards=[needs("operator")],
    summary="Accept a chargeback",
)
async def accept(
    pair: PairName,
    chargeback_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Entered:
    """Give a case up: what lies in suspense is lost."""
    async with desk(context, pair, caller, data.note) as at:
        return _entered(*await work.answer(at, await work.case(at, chargeback_id), "accepted"))


@post(
    "/chargebacks/{chargeback_id:int}/assign",
    status_code=204,
    guards=[needs("operator")],
    summary="Assign a chargeback",
)
async def assign(
    pair: PairName,
    chargeback_id: FromPath[int],
    data: JSONBody[Assignment],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> None:
    """Say who is to answer it."""
    async with desk(context, pair, caller, data.note) as at:
        await work.assign(at, await work.case(at, chargeback_id), data.owner)


@post(
    "/chargebacks/{chargeback_id:int}/comments",
    status_code=204,
    guards=[needs("operator")],
    summary="Comment on a chargeback",
)
async def comment(
    pair: PairName,
    chargeback_id: FromPath[int],
    data: JSONBody[Comment],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> None:
    """Leave a comment in the timeline of a case; it goes into the evidence too."""
    async with desk(context, pair, caller) as at:
        await work.comment(at, await work.case(at, chargeback_id), data.text)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        enter_notice,
        list_chargebacks,
        show_chargeback,
        represent,
        accept,
        assign,
        comment,
    ],
    tags=["Chargebacks"],
)
