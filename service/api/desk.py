"""The desk at which a request decides: one transaction, the pair, who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.api.context import Context
from service.flow.library import Library
from service.flow.replay import Desk
from service.store.users import Caller


@asynccontextmanager
async def desk(context: Context, pair: str, caller: Caller, note: str = "") -> AsyncIterator[Desk]:
    """A desk for the time of a `with` block; what was decided is kept when it ends well."""
    settings, _ = await context.connections(pair)
    async with context.engine.begin() as connection:
        yield Desk(
            connection=connection,
            pair=settings,
            library=Library(),
            now=context.now(),
            actor=caller.name,
            note=note,
        )
