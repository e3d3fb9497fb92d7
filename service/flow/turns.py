"""A turn of regular work: claimed, done, and its outcome written down, whoever does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal

import structlog
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.errors import IntegrationError
from service.flow.recovery import as_document
from service.store import schedule

JsonObject = dict[str, object]
log = structlog.get_logger()


class Turns(Struct, frozen=True, kw_only=True):
    """Where turns are taken.

    Attributes:
        kind: what the work is called in logs and outcomes.
        pace: divides the time between two turns.
        ends: errors that end the caller's own work, and are not the turn's to answer for.
    """

    engine: AsyncEngine
    pair: str
    clock: Callable[[], datetime]
    pace: int
    kind: Literal["job", "chore"]
    ends: tuple[type[BaseException], ...] = ()

    async def take(self, name: str, every: timedelta, run: Callable[[], Awaitable[JsonObject]]) -> bool:
        """Do the work if its turn is free; whether it was ours. A failure is the outcome, never an error."""
        async with self.engine.begin() as connection:
            ours = await schedule.claim(connection, self.pair, name, self.clock(), every / self.pace)
        if not ours:
            return False
        outcome = await self._outcome(name, run)
        async with self.engine.begin() as connection:
            await schedule.finish(connection, self.pair, name, self.clock(), outcome)
        return True

    async def _outcome(self, name: str, run: Callable[[], Awaitable[JsonObject]]) -> JsonObject:
        told = {"pair": self.pair, self.kind: name}
        try:
            return await run()
        except self.ends:
            raise
        except IntegrationError as error:
            log.warning(f"{self.kind}.failed", **told, code=error.code)
            return {"error": as_document(error)}
        except Exception as error:
            log.exception(f"{self.kind}.failed", **told)
            return {"error": {"code": "defect", "title": f"{type(error).__name__} in {self.kind} {name}"}}
