"""Idempotency keys of our own POSTs: the first answer to a key is kept, sealed, and given again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.tables import idempotency_keys

# A first call that has not answered for so long has died with its process.
TAKEN_OVER_AFTER = timedelta(seconds=60)


class Use(Struct, frozen=True, kw_only=True):
    """One use of a key.

    Attributes:
        scope: whose key it is and for which route: keys of two callers never meet.
        body_digest: of the request's body.
        at: aware UTC; the fence against a first call that comes back after it was taken over.
    """

    scope: str
    key: str
    body_digest: bytes
    at: datetime


class Found(Struct, frozen=True, kw_only=True):
    """What a use of a key meets: `go` for the first, and the kept answer when it is `answered`."""

    outcome: Literal["go", "answered", "running", "reused"]
    status: int = 0
    answer: bytes = b""


async def begin(connection: AsyncConnection, use: Use) -> Found:
    """Claim a key, or say what became of the call that has it."""
    claimed = await connection.scalar(
        insert(idempotency_keys)
        .values(scope=use.scope, key=use.key, body_digest=use.body_digest, created_at=use.at)
        .on_conflict_do_nothing()
        .returning(idempotency_keys.c.key)
    )
    if claimed is not None:
        return Found(outcome="go")
    row = (await connection.execute(select(idempotency_keys).where(*_of(use)).with_for_update())).first()
    if row is None:  # the first call failed and gave the key back just now
        return Found(outcome="running")
    if row.body_digest != use.body_digest:
        return Found(outcome="reused")
    if row.status is not None:
        return Found(outcome="answered", status=row.status, answer=row.answer)
    if use.at - row.created_at < TAKEN_OVER_AFTER:
        return Found(outcome="running")
    await connection.execute(update(idempotency_keys).where(*_of(use)).values(created_at=use.at))
    return Found(outcome="go")


async def finish(connection: AsyncConnection, use: Use, status: int, answer: bytes) -> None:
    """Keep the answer, unless the call was taken over."""
    await connection.execute(
        update(idempotency_keys)
        .where(*_of(use), idempotency_keys.c.created_at == use.at)
        .values(status=status, answer=answer)
    )


async def give_back(connection: AsyncConnection, use: Use) -> None:
    """Free a key whose call failed, so that it may be tried again."""
    await connection.execute(
        delete(idempotency_keys).where(
            *_of(use), idempotency_keys.c.created_at == use.at, idempotency_keys.c.status.is_(None)
        )
    )


async def forget(connection: AsyncConnection, before: datetime) -> int:
    """Forget keys that were used before a time; returns how many."""
    result = await connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before))
    return int(result.rowcount)


def _of(use: Use) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (idempotency_keys.c.scope == use.scope, idempotency_keys.c.key == use.key)
