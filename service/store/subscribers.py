"""Who subscribed to events: where they are sent, of which types, and the secrets that sign them, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, documents
from service.store.tables_events import deliveries, subscribers
from service.store.vault import Vault

SHOP = "shop"
"""The name under which the pair's own shop is told; no subscriber has it."""


class Subscriber(Struct, frozen=True, kw_only=True):
    """One subscriber.

    Attributes:
        types: patterns of event types: a type, `order.*`, `*`.
        paused: its events are kept for it, and not sent.
        rests_until: it took nothing lately, and is left alone until then.
    """

    pair: str
    subscriber: str
    name: str
    url: str
    types: list[str]
    paused: bool
    created_at: datetime
    changed_at: datetime
    rests_until: datetime | None = None


class NewSubscriber(Struct, frozen=True, kw_only=True):
    """What somebody says who subscribes; the secrets are those that are live, newest first, one or two."""

    pair: str
    subscriber: str
    name: str
    url: str
    types: Sequence[str]
    secrets: Sequence[str]
    paused: bool = False


_COLUMNS = tuple(subscribers.c[name] for name in Subscriber.__struct_fields__)


def _context(pair: str, subscriber: str) -> str:
    return f"pair:{pair}/subscriber:{subscriber}"


def _sealed(vault: Vault, pair: str, subscriber: str, secrets: Sequence[str]) -> bytes:
    return vault.seal(msgspec.json.encode(list(secrets)), _context(pair, subscriber))


def _read(row: JsonObject) -> Subscriber:
    return msgspec.convert(row, Subscriber)


async def add(connection: AsyncConnection, vault: Vault, new: NewSubscriber) -> Subscriber:
    """Add a subscriber."""
    rows = await connection.execute(
        insert(subscribers)
        .values(
            pair=new.pair,
            subscriber=new.subscriber,
            name=new.name,
            url=new.url,
            types=list(new.types),
            paused=new.paused,
            sealed=_sealed(vault, new.pair, new.subscriber, new.secrets),
        )
        .returning(*_COLUMNS)
    )
    return _read(documents(rows)[0])


async def change(
    connection: AsyncConnection, pair: str, subscriber: str, values: JsonObject
) -> Subscriber | None:
    """Change members of a subscriber; `None` when there is no such."""
    rows = await connection.execute(
        update(subscribers)
        .where(subscribers.c.pair == pair, subscribers.c.subscriber == subscriber)
        .values(**values, changed_at=func.now())
        .returning(*_COLUMNS)
    )
    found = documents(rows)
    return _read(found[0]) if found else None


async def reseal(
    connection: AsyncConnection, vault: Vault, pair: str, subscriber: str, secrets: Sequence[str]
) -> None:
    """Replace the live secrets of a subscriber."""
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.pair == pair, subscribers.c.subscriber == subscriber)
        .values(sealed=_sealed(vault, pair, subscriber, secrets), changed_at=func.now())
    )


async def secrets_of(
    connection: AsyncConnection, vault: Vault, pair: str, subscriber: str, *, lock: bool = False
) -> list[str]:
    """The live secrets of a subscriber, newest first; none when there is no such."""
    statement = select(subscribers.c.sealed).where(
        subscribers.c.pair == pair, subscribers.c.subscriber == subscriber
    )
    sealed = await connection.scalar(statement.with_for_update() if lock else statement)
    if sealed is None:
        return []
    return msgspec.json.decode(vault.open(sealed, _context(pair, subscriber)), type=list[str])


async def rest(connection: AsyncConnection, pair: str, subscriber: str, until: datetime) -> None:
    """Leave a subscriber alone for a moment."""
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.pair == pair, subscribers.c.subscriber == subscriber)
        .values(rests_until=until)
    )


async def one(connection: AsyncConnection, pair: str, subscriber: str) -> Subscriber | None:
    """One subscriber, or `None`."""
    rows = await connection.execute(
        select(*_COLUMNS).where(subscribers.c.pair == pair, subscribers.c.subscriber == subscriber)
    )
    found = documents(rows)
    return _read(found[0]) if found else None


async def of_pair(connection: AsyncConnection, pair: str) -> list[Subscriber]:
    """The subscribers of a pair, oldest first."""
    rows = await connection.execute(
        select(*_COLUMNS).where(subscribers.c.pair == pair).order_by(subscribers.c.created_at, _COLUMNS[1])
    )
    return [_read(row) for row in documents(rows)]


async def remove(connection: AsyncConnection, pair: str, subscriber: str) -> bool:
    """Remove a subscriber with its deliveries; whether there was one."""
    await connection.execute(
        delete(deliveries).where(deliveries.c.pair == pair, deliveries.c.subscriber == subscriber)
    )
    gone = await connection.scalar(
        delete(subscribers)
        .where(subscribers.c.pair == pair, subscribers.c.subscriber == subscriber)
        .returning(subscribers.c.subscriber)
    )
    return gone is not None
