"""API keys: made (and shown once), listed, revoked. A key for one pair sees and makes keys of that pair only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import structlog
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import Text, read
from service.store import pairs, users
from service.store.users import Caller

log = structlog.get_logger()


class KeyShown(Struct, frozen=True, kw_only=True):
    """A key without its secret; `pair` is empty for a key to every pair."""

    key_id: int
    pair: str | None
    role: str
    name: str
    prefix: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class KeyList(Struct, frozen=True, kw_only=True):
    """Keys, the oldest first."""

    items: list[KeyShown]


class KeyWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be made; without `pair` it is for every pair, or for the pair of the caller's own key."""

    name: Text
    role: Literal["viewer", "operator", "admin"]
    pair: str | None = None


class KeyMade(Struct, frozen=True, kw_only=True):
    """A new key: keep `key` now, it is never shown again."""

    key_id: int
    key: str


@get("/api/v1/keys", guards=[needs("admin")], summary="List API keys")
async def list_keys(context: AppContext, caller: NamedDependency[Caller]) -> KeyList:
    """The keys that the caller may see."""
    async with context.engine.connect() as connection:
        rows = await users.listed(connection, caller.pair)
    return KeyList(items=[read(row, KeyShown) for row in rows])


@post("/api/v1/keys", guards=[needs("admin")], summary="Make an API key")
async def make_key(
    data: JSONBody[KeyWanted], context: AppContext, caller: NamedDependency[Caller]
) -> KeyMade:
    """Make a key; its text is in this answer and nowhere else."""
    pair = data.pair or caller.pair
    async with context.engine.begin() as connection:
        if pair is not None and (not caller.sees(pair) or pair not in await pairs.names(connection)):
            raise NotFoundException(f"There is no pair `{pair}`.")
        key_id, key = await users.create(connection, users.NewKey(name=data.name, role=data.role, pair=pair))
        if pair is not None:
            await record(connection, pair, caller, "key.made", key_id=key_id, role=data.role)
    log.info("key.made", key_id=key_id, role=data.role, pair=pair, by=caller.name)
    return KeyMade(key_id=key_id, key=key)


@delete("/api/v1/keys/{key_id:int}", guards=[needs("admin")], summary="Revoke an API key")
async def revoke_key(key_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]) -> None:
    """Revoke a key at once in this process, within ten seconds in others."""
    async with context.engine.begin() as connection:
        there, pair = await users.pair_of(connection, key_id)
        theirs = caller.pair is None or pair == caller.pair
        if not there or not theirs or not await users.revoke(connection, key_id):
            raise NotFoundException(f"There is no live key {key_id}.")
        if pair is not None:
            await record(connection, pair, caller, "key.revoked", key_id=key_id)
    context.known.callers.clear()
    log.info("key.revoked", key_id=key_id, by=caller.name)


router = Router(path="", route_handlers=[list_keys, make_key, revoke_key], tags=["API keys"])
