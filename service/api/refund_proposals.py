"""Refund proposals: list them, approve or refuse them. Who asked cannot approve."""

from __future__ import annotations

from datetime import datetime

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.parameters import PAGE, Filter, JsonObject, Note, Page, PairName, read
from service.flow import refund_proposals as proposals
from service.flow.intents import Till
from service.flow.refund_proposals import Decider
from service.store import refund_proposals
from service.store.users import Caller

# Seconds before each look-up after a lost answer; what is still unknown then is settled by itself.
_PAUSES = (0.0, 0.5, 1.5)


class ProposalShown(Struct, frozen=True, kw_only=True):
    """A proposal.

    Attributes:
        source: `request/…` from our API, `credit-note/…` from SYSPRO.
        amount_minor: minor units of `currency`.
        invoice: the AR credit that is in SYSPRO already; empty when the refund posts its own.
        state: proposed, approved (being sent), sent, done (in the ledger) or refused.
        transaction_id: of the refund at Opayo, once it is made.
    """

    proposal_id: int
    source: str
    related_transaction_id: str
    vendor_tx_code: str
    amount_minor: int
    currency: str
    reason: str
    customer: str
    invoice: str
    state: str
    proposed_by: str
    decided_by: str
    transaction_id: str
    error: JsonObject | None
    created_at: datetime
    changed_at: datetime


class ProposalPage(Struct, frozen=True, kw_only=True):
    """A page of proposals, newest first."""

    items: list[ProposalShown]
    next_cursor: int | None


async def _till(context: Context, pair: str) -> Till:
    _, connections = await context.connections(pair)
    pauses = tuple(pause / context.settings.pace for pause in _PAUSES)
    return Till(engine=context.engine, gateway=connections.gateway, pair=pair, pauses=pauses)


@get("/refund-proposals", guards=[needs("viewer")], dependencies=PAGE, summary="List refund proposals")
async def list_proposals(
    pair: PairName, context: AppContext, page: NamedDependency[Page], status: Filter = ""
) -> ProposalPage:
    """Refunds that wait for a person, and what became of those that waited."""
    async with context.engine.connect() as connection:
        rows = await refund_proposals.listed(
            connection, pair, state=status, before=page.cursor, limit=page.limit
        )
    items = [read(row, ProposalShown) for row in rows]
    return ProposalPage(items=items, next_cursor=page.next_cursor([each.proposal_id for each in items]))


@post(
    "/refund-proposals/{proposal_id:int}/approve",
    status_code=200,
    guards=[needs("operator")],
    summary="Approve a refund",
)
async def approve_proposal(
    pair: PairName,
    proposal_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> ProposalShown:
    """Approve a refund that somebody else asked for, or a credit note in SYSPRO; it is sent to Opayo at once."""
    decider = Decider(name=caller.name, key_id=caller.key_id, note=data.note)
    await proposals.approve(await _till(context, pair), proposal_id, decider)
    return await _shown(context, pair, proposal_id)


@post(
    "/refund-proposals/{proposal_id:int}/refuse",
    status_code=200,
    guards=[needs("operator")],
    summary="Refuse a refund",
)
async def refuse_proposal(
    pair: PairName,
    proposal_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> ProposalShown:
    """Refuse a refund: no money goes back for it."""
    decider = Decider(name=caller.name, key_id=caller.key_id, note=data.note)
    await proposals.refuse(await _till(context, pair), proposal_id, decider)
    return await _shown(context, pair, proposal_id)


async def _shown(context: Context, pair: str, proposal_id: int) -> ProposalShown:
    async with context.engine.begin() as connection:
        row = await refund_proposals.one(connection, pair, proposal_id)
    assert row is not None
    return read(row, ProposalShown)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_proposals, approve_proposal, refuse_proposal],
    tags=["Refunds"],
)
