"""Links between accounts of the shop and SYSPRO customers: proposals, conflicts, and what a person says of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import desk
from service.api.parameters import PAGE, Filter, JsonObject, Note, NoteText, Page, PairName, Text
from service.core.customer_fields import FieldName
from service.core.customer_merge import Side
from service.flow import customer_desk
from service.store import customers
from service.store.customers import Link
from service.store.users import Caller


class CandidateShown(Struct, frozen=True, kw_only=True):
    """A SYSPRO customer that an account could be; `score` is from 0 to 100."""

    customer: str
    score: int
    reasons: list[str]


class LinkShown(Struct, frozen=True, kw_only=True):
    """A link.

    Attributes:
        state: `linked`; `proposed` waits for a person; `conflict`: linked, and something waits for a person;
            `ignored`: left alone; `adding`: being set up in SYSPRO; `undoing`: getting back what it was.
        conflicts: by field both sides' values.
        error: what a side refused last.
    """

    link_id: int
    account: str
    customer: str
    state: str
    why: str
    candidates: list[CandidateShown]
    refused: list[str]
    conflicts: JsonObject
    decided: dict[str, str]
    error: JsonObject | None
    synced_at: datetime | None


class LinkPage(Struct, frozen=True, kw_only=True):
    """A page of links, newest first."""

    items: list[LinkShown]
    next_cursor: int | None


class NewLink(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of the shop and the SYSPRO customer that it is."""

    account: Text
    customer: Text
    note: NoteText = ""


class Rejection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which candidate the account is not; all of them when none is named."""

    customer: str = ""
    note: NoteText = ""


class Parting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a link is undone; `restore` gives both sides back what they had, where nobody changed it since."""

    restore: bool = False
    note: NoteText = ""


class Resolution(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By field in conflict, whose value counts."""

    fields: dict[FieldName, Side]
    note: NoteText = ""


class PreviewAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two customers to be compared."""

    account: Text
    customer: Text


class DifferenceShown(Struct, frozen=True, kw_only=True):
    """A field in which the sides differ; `winner` is the side whose value the other one would get."""

    field: str
    shop: str
    syspro: str
    winner: Literal["shop", "syspro"] | None
    conflict: bool
    why: str


class PreviewShown(Struct, frozen=True, kw_only=True):
    """What linking would do; nothing has been done."""

    account: str
    customer: str
    score: int
    reasons: list[str]
    on_hold: bool
    differences: list[DifferenceShown]


def link_shown(link: Link) -> LinkShown:
    """A link as the API shows it."""
    ranked = sorted(link.candidates.values(), key=lambda each: (-each.score, each.customer))
    return LinkShown(
        link_id=link.link_id,
        account=link.shop_key,
        customer=link.erp_key,
        state=link.state,
        why=link.why,
        candidates=[msgspec.convert(msgspec.to_builtins(each), CandidateShown) for each in ranked],
        refused=sorted(link.refused),
        conflicts=dict(link.conflicts),
        decided={str(field): str(side) for field, side in link.decided.items()},
        error=link.error,
        synced_at=link.synced_at,
    )


@get("/customer-links", guards=[needs("viewer")], dependencies=PAGE, summary="List links and proposals")
async def list_links(
    pair: PairName, context: AppContext, page: NamedDependency[Page], status: Filter = ""
) -> LinkPage:
    """Links of a pair, newest first; `status=proposed` and `status=conflict` are what waits for a person."""
    async with context.engine.connect() as connection:
        found = await customers.listed(connection, pair, status, before=page.cursor, limit=page.limit)
    items = [link_shown(each) for each in found]
    return LinkPage(items=items, next_cursor=page.next_cursor([each.link_id for each in items]))


@post("/customer-links/preview", status_code=200, guards=[needs("viewer")], summary="Preview a merge")
async def preview_link(
    pair: PairName, data: JSONBody[PreviewAsked], context: AppContext, caller: NamedDependency[Caller]
) -> PreviewShown:
    """Compare an account with a SYSPRO customer as last read: how alike they are, and who would win each field."""
    async with desk(context, pair, caller) as at:
        found = await customer_desk.preview(at, data.account, data.customer)
    return PreviewShown(
        account=found.account,
        customer=found.customer,
        score=found.score,
        reasons=list(found.reasons),
        on_hold=found.on_hold,
        differences=msgspec.convert(customer_desk.told(found.differences), list[DifferenceShown]),
    )


@post("/customer-links", status_code=200, guards=[needs("operator")], summary="Link, or accept a proposal")
async def link_customer(
    pair: PairName, data: JSONBody[NewLink], context: AppContext, caller: NamedDependency[Caller]
) -> LinkShown:
    """The account is this customer. Both sides are brought into step at the next turn, which begins at once."""
    async with desk(context, pair, caller, data.note) as at:
        return link_shown(await customer_desk.link(at, data.account, data.customer))


@post(
    "/customer-links/{link_id:int}/reject",
    status_code=200,
    guards=[needs("operator")],
    summary="Reject a proposal",
)
async def reject_proposal(
    pair: PairName,
    link_id: FromPath[int],
    data: JSONBody[Rejection],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> LinkShown:
    """The account is not this candidate, or none of them: they are never proposed for it again."""
    async with desk(context, pair, caller, data.note) as at:
        return link_shown(await customer_desk.reject(at, link_id, data.customer))


@post(
    "/customer-links/{link_id:int}/ignore",
    status_code=200,
    guards=[needs("operator")],
    summary="Ignore an account",
)
async def ignore_account(
    pair: PairName,
    link_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> LinkShown:
    """The account is nobody in SYSPRO, and is left alone."""
    async with desk(context, pair, caller, data.note) as at:
        return link_shown(await customer_desk.ignore(at, link_id))


@post(
    "/customer-links/{link_id:int}/unlink", status_code=200, guards=[needs("operator")], summary="Undo a link"
)
async def unlink_customer(
    pair: PairName,
    link_id: FromPath[int],
    data: JSONBody[Parting],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> LinkShown:
    """The account is not this customer; they are never linked again without a person."""
    async with desk(context, pair, caller, data.note) as at:
        return link_shown(await customer_desk.unlink(at, link_id, restore=data.restore))


@post(
    "/customer-links/{link_id:int}/resolve",
    status_code=200,
    guards=[needs("operator")],
    summary="Resolve a conflict",
)
async def resolve_conflict(
    pair: PairName,
    link_id: FromPath[int],
    data: JSONBody[Resolution],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> LinkShown:
    """Say whose value counts; it is written on the other side at the next turn, which begins at once."""
    async with desk(context, pair, caller, data.note) as at:
        return link_shown(await customer_desk.resolve(at, link_id, data.fields))


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        list_links,
        preview_link,
        link_customer,
        reject_proposal,
        ignore_account,
        unlink_customer,
        resolve_conflict,
    ],
    tags=["Customers"],
)
