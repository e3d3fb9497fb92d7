"""What the routes share: the database, the stages with their connections, the settings."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar.datastructures import State
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from service.flow.stages import Stages
from service.settings import Settings
from service.store.inbox import Batcher
from service.store.vault import Vault


class Context(Struct, frozen=True, kw_only=True):
    """The surroundings of a request."""

    engine: AsyncEngine
    vault: Vault
    stages: Stages
    batcher: Batcher
    settings: Settings

    def now(self) -> datetime:
        """Aware UTC now."""
        return datetime.now(UTC)


def provide_context(state: State) -> Context:
    """The application's context, for handlers that ask for `context`."""
    context: Context = state.context
    return context
