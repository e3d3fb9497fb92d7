"""The inbox: every message that came, once."""

from __future__ import annotations

from datetime import datetime

from litestar import Router, get
from litestar.di import NamedDependency
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.parameters import PAGE, Filter, JsonObject, Page, PairName, read
from service.store import inbox


class Message(Struct, frozen=True, kw_only=True):
    """A message; `deliveries` counts how often it came."""

    inbox_id: int
    source: str
    event_id: str
    kind: str
    transaction_id: str
    vendor_tx_code: str
    state: str
    deliveries: int
    attempts: int
    received_at: datetime
    due_at: datetime
    done_at: datetime | None
    error: JsonObject | None


class MessagePage(Struct, frozen=True, kw_only=True):
    """A page of messages, newest first."""

    items: list[Message]
    next_cursor: int | None


@get("/inbox", guards=[needs("viewer")], dependencies=PAGE, summary="List messages")
async def list_inbox(
    pair: PairName, context: AppContext, page: NamedDependency[Page], status: Filter = ""
) -> MessagePage:
    """Messages of a pair, without their bodies; `status` is received, done or dead_letter."""
    async with context.engine.connect() as connection:
        rows = await inbox.listed(connection, pair, state=status or None, after=page.cursor, limit=page.limit)
    items = [read(row, Message) for row in rows]
    return MessagePage(items=items, next_cursor=page.next_cursor([each.inbox_id for each in items]))


router = Router(path="/api/v1/pairs/{pair:str}", route_handlers=[list_inbox], tags=["Inbox"])
