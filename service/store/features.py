"""The event log of screening: one line per screened payment, from which the memory is rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.screening_memory import ScreeningEvent
from service.store.recordset import insertion, run
from service.store.tables import screening_events


async def record(connection: AsyncConnection, pair: str, events: Sequence[ScreeningEvent]) -> None:
    """Add screened payments to the log; one that is there already stays as it was."""
    if events:
        rows = [
            {"pair": pair, "transaction_id": event.event_id, "at": event.at, "event": event}
            for event in events
        ]
        names = ("pair", "transaction_id", "at", "event")
        await run(connection, insertion(screening_events, names, conflict="ON CONFLICT DO NOTHING"), rows)


async def since(connection: AsyncConnection, pair: str, at: datetime) -> list[ScreeningEvent]:
    """The log of a pair from a time on, oldest first."""
    rows = await connection.scalars(
        select(screening_events.c.event)
        .where(screening_events.c.pair == pair, screening_events.c.at >= at)
        .order_by(screening_events.c.at, screening_events.c.transaction_id)
    )
    return [msgspec.convert(row, ScreeningEvent) for row in rows]
