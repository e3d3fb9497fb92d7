"""Pairs: one Opayo vendor joined to one SYSPRO company. Secrets go in and never come out."""

from __future__ import annotations

from datetime import datetime

from litestar import Router, get, put
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import JsonObject, PairName, read
from service.api.problems import Refused
from service.flow.library import install_templates
from service.store import pairs
from service.store.pairs import PairSettings
from service.store.users import Caller


class PairShown(Struct, frozen=True, kw_only=True):
    """A pair; `settings` are those of `PairSettings` without any secret."""

    pair: str
    name: str
    paused: bool
    created_at: datetime
    settings: JsonObject


class PairList(Struct, frozen=True, kw_only=True):
    """The pairs that the caller's key is for."""

    items: list[PairShown]


@get("/api/v1/pairs", guards=[needs("viewer")], summary="List pairs")
async def list_pairs(context: AppContext, caller: NamedDependency[Caller]) -> PairList:
    """The pairs that the caller's key is for."""
    async with context.engine.connect() as connection:
        rows = await pairs.shown(connection, caller.pair)
    return PairList(items=[read(row, PairShown) for row in rows])


@get("/api/v1/pairs/{pair:str}", guards=[needs("viewer")], summary="Show a pair")
async def show_pair(pair: PairName, context: AppContext) -> PairShown:
    """A pair with its settings, without secrets."""
    async with context.engine.connect() as connection:
        return await _shown(connection, pair)


@put(
    "/api/v1/pairs/{pair:str}",
    guards=[needs("admin")],
    opt={"makes_pair": True},
    summary="Save a pair",
)
async def save_pair(
    pair: PairName, data: JSONBody[PairSettings], context: AppContext, caller: NamedDependency[Caller]
) -> PairShown:
    """Create a pair or replace its settings; a secret that is left empty keeps its value.

    A new pair gets the flows and mappings that come with the product.
    """
    if data.pair != pair:
        raise Refused(422, "pair.name", f"The settings name pair `{data.pair}`, the address `{pair}`")
    async with context.engine.begin() as connection:
        await pairs.save(connection, context.vault, data)
        await install_templates(connection, pair)
        await record(connection, pair, caller, "pair.saved", name=data.name)
        shown = await _shown(connection, pair)
    context.stages.forget(pair)
    return shown


async def _shown(connection: AsyncConnection, pair: str) -> PairShown:
    rows = await pairs.shown(connection, pair)
    if not rows:
        raise NotFoundException(f"There is no pair `{pair}`.")
    return read(rows[0], PairShown)


router = Router(path="", route_handlers=[list_pairs, show_pair, save_pair], tags=["Pairs"])
