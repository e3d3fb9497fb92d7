"""Take a batch's payments over one step at once, each failing on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from service.flow.recovery import NOT_THE_PAYMENTS, failed
from service.flow.stage import Stage
from service.flow.trip import Trip


async def each(trips: Sequence[Trip], stage: Stage, take: Callable[[Trip, Stage], Awaitable[None]]) -> None:
    """Run `take` for every trip, at most `stage.in_flight` at once; a failure concerns its payment alone."""
    room = asyncio.Semaphore(stage.in_flight)

    async def one(trip: Trip) -> None:
        async with room:
            try:
                await take(trip, stage)
            except NOT_THE_PAYMENTS:
                raise
            except Exception as error:  # noqa: BLE001 - the class of the error decides, in recovery
                failed(trip, error, stage)

    await asyncio.gather(*(one(trip) for trip in trips))
