"""The desk at which a request decides: one transaction, the pair, who asks, and a line of what was done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from service.api.context import Context
from service.flow.desk import Desk
from service.flow.library import Library
from service.store import audit
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


async def record(
    connection: AsyncConnection, pair: str, caller: Caller, action: str, **detail: object
) -> None:
    """Leave a line in the audit trail about the pair as a whole, in the caller's transaction."""
    line = audit.Line(pair=pair, actor=caller.name, action=action, detail=detail)
    await audit.write(connection, [line])
