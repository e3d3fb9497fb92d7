"""The stages of a process: what the holder of a lane keeps from one job to the next."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.errors import Misconfigured
from integration.ports import ERP
from service.core.screening_memory import Memory
from service.flow.connections import Connect, Connections
from service.flow.evictions import Evictions
from service.flow.library import Library
from service.flow.memo import Memo
from service.flow.stage import Stage
from service.store import pairs
from service.store.lanes import Lane
from service.store.pairs import PairSettings
from service.store.vault import Vault

# Settings changed by another process are seen after at most this time.
_SETTINGS_SECONDS = 5.0


class Surroundings(Struct, frozen=True, kw_only=True):
    """What every stage of a process shares.

    Attributes:
        pace: divides every wait of the road.
        clock: aware UTC now.
        monotonic: seconds that only move forward.
        private_networks: where subscribers may be called though it is not the internet.
    """

    engine: AsyncEngine
    vault: Vault
    connect: Connect
    pace: int = 1
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    private_networks: tuple[str, ...] = ()


class Stages:
    """Builds stages and keeps their sessions, memories and connections between jobs.

    Attributes:
        evictions: operators whose sessions somebody else keeps ending.
    """

    def __init__(self, shared: Surroundings) -> None:
        self.shared = shared
        self.evictions = Evictions()
        self._connections: dict[str, tuple[PairSettings, Connections]] = {}
        self._read_at: dict[str, float] = {}
        self._sessions: dict[str, ERP] = {}
        self._stages: dict[str, Stage] = {}
        self._memos: dict[str, Memo] = {}
        self._libraries: dict[str, Library] = {}

    async def of(self, lane: Lane) -> Stage:
        """The stage of a lane that this process has just taken."""
        settings, connections = await self._pair(lane.pair)
        kept = self._stages.get(lane.lane)
        # Another process may have held the lane since: what screening remembers is then rebuilt.
        ours = kept is not None and kept.lane.epoch + 1 == lane.epoch
        stage = Stage(
            engine=self.shared.engine,
            lane=lane,
            pair=settings,
            gateway=connections.gateway,
            storefront=connections.storefront,
            erp=self._session(lane, settings, connections),
            library=self._libraries.setdefault(lane.pair, Library()),
            memory=kept.memory if kept is not None and ours else Memory(),
            memo=self._memos.setdefault(lane.pair, Memo(self.shared.monotonic)),
            clock=self.shared.clock,
            monotonic=self.shared.monotonic,
            chance=self.shared.chance,
            pace=self.shared.pace,
            in_flight=settings.syspro.in_flight if lane.kind == "posting" else 16,
            remembered=kept is not None and ours and kept.remembered,
        )
        self._stages[lane.lane] = stage
        return stage

    async def connections(self, pair: str) -> tuple[PairSettings, Connections]:
        """A pair's settings and connections, for what is not a lane: the API, `doctor`."""
        return await self._pair(pair)

    async def _pair(self, pair: str) -> tuple[PairSettings, Connections]:
        fresh = self.shared.monotonic() - self._read_at.get(pair, -_SETTINGS_SECONDS) < _SETTINGS_SECONDS
        if fresh and pair in self._connections:
            return self._connections[pair]
        async with self.shared.engine.connect() as connection:
            settings = await pairs.load(connection, self.shared.vault, pair)
        if settings is None:
            raise Misconfigured(f"There is no pair `{pair}`", code="pair.unknown")
        kept = self._connections.get(pair)
        if kept is None or kept[0] != settings:
            await self._leave(pair)
            kept = (settings, self.shared.connect(settings))
            self._connections[pair] = kept
        self._read_at[pair] = self.shared.monotonic()
        return kept

    def _session(self, lane: Lane, settings: PairSettings, connections: Connections) -> ERP | None:
        if lane.kind != "posting":
            return None
        if lane.lane not in self._sessions:
            operator = next((o for o in settings.syspro.operators if o.operator == lane.operator), None)
            if operator is None:
                raise Misconfigured(
                    f"Operator `{lane.operator}` of lane `{lane.lane}` is not in the pair's settings",
                    code="pair.operator",
                )
            thrown_out = partial(self.evictions.note, lane.pair, lane.operator)
            self._sessions[lane.lane] = connections.erp(operator, thrown_out)
        return self._sessions[lane.lane]

    async def _leave(self, pair: str) -> None:
        for name in [name for name in self._sessions if name.startswith(f"{pair}/")]:
            await self._sessions.pop(name).close()
        kept = self._connections.pop(pair, None)
        if kept is not None:
            await kept[1].gateway.close()
            if kept[1].storefront is not None:
                await kept[1].storefront.close()

    def forget(self, pair: str) -> None:
        """Read settings, customers, stock and rates of a pair anew."""
        self._read_at.pop(pair, None)
        if pair in self._memos:
            self._memos[pair].forget()

    async def close(self) -> None:
        """Log off everywhere and give every connection back."""
        for pair in list(self._connections):
            await self._leave(pair)
