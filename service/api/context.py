"""What the routes share: the database, the stages with their connections, the settings."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.errors import Misconfigured
from service.flow.connections import Connections
from service.flow.stages import Stages
from service.settings import Settings
from service.store.inbox import Batcher
from service.store.pairs import PairSettings
from service.store.users import Caller
from service.store.vault import Vault


class Known(Struct):
    """What was asked of the database lately: callers by the digest of their key, until when; pairs there are."""

    callers: dict[bytes, tuple[float, Caller]] = msgspec.field(default_factory=dict)
    pairs: set[str] = msgspec.field(default_factory=set)


class Context(Struct, frozen=True, kw_only=True):
    """The surroundings of a request."""

    engine: AsyncEngine
    vault: Vault
    stages: Stages
    batcher: Batcher
    settings: Settings
    known: Known = msgspec.field(default_factory=Known)

    def now(self) -> datetime:
        """Aware UTC now."""
        return self.stages.shared.clock()

    async def connections(self, pair: str) -> tuple[PairSettings, Connections]:
        """A pair's settings and connections.

        Raises:
            NotFoundException: there is no such pair.
        """
        try:
            return await self.stages.connections(pair)
        except Misconfigured as error:
            if error.error_code == "pair.unknown":
                raise NotFoundException(f"There is no pair `{pair}`.") from error
            raise


AppContext = NamedDependency[Context]


def provide_context(state: State) -> Context:
    """The application's context, for handlers that ask for `context`."""
    context: Context = state.context
    return context
