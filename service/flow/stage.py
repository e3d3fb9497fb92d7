"""What the steps of a walk may use: the pair, its connectors, its flows and mappings, the clock."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncEngine

from integration.ports import ERP, Gateway, Storefront
from service.core.screening_memory import Memory
from service.flow.library import Library
from service.flow.memo import Memo
from service.flow.trip import Trip
from service.store.lanes import Lane
from service.store.pairs import PairSettings


@dataclass(kw_only=True)
class Stage:
    """The surroundings of one lane of one pair.

    Attributes:
        erp: the operator's session; posting lanes only.
        memory: what screening remembers of each customer; its holder owns it.
        memo: customers, stock items and rates read lately.
        clock: aware UTC now.
        monotonic: seconds that only move forward.
        chance: a number in 0…1 for the jitter of retries.
        pace: divides every wait.
        in_flight: calls to one system that may be under way at once.
        save: writes trips down in the middle of a step (set by the road).
    """

    engine: AsyncEngine
    lane: Lane
    pair: PairSettings
    gateway: Gateway
    storefront: Storefront | None
    erp: ERP | None
    library: Library
    memory: Memory
    memo: Memo
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float]
    pace: int = 1
    in_flight: int = 8
    save: Callable[[Sequence[Trip]], Awaitable[None]] = field(default=None)  # type: ignore[assignment]
    remembered: bool = False

    @cached_property
    def reads(self) -> AsyncEngine:
        """The engine for single reads: each is a transaction by itself, and one round trip instead of three."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def session(self) -> ERP:
        """The ERP session of a posting lane."""
        if self.erp is None:
            raise RuntimeError(
                f"lane {self.lane.lane} has no ERP session: its flow posts on a screening lane"
            )
        return self.erp
