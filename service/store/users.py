"""API keys: 256 random bits, stored as a keyed digest; only the first characters are ever shown again."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, documents
from service.store.tables import api_keys

ROLES = ("viewer", "operator", "admin")


class Caller(Struct, frozen=True, kw_only=True):
    """Who makes a request.

    Attributes:
        pair: the one pair the key is for; `None` for every pair.
    """

    key_id: int
    name: str
    role: str
    pair: str | None

    def may(self, role: str) -> bool:
        """Whether the caller has at least a role."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, pair: str) -> bool:
        """Whether the caller's key is for a pair."""
        return self.pair is None or self.pair == pair


class NewKey(Struct, frozen=True, kw_only=True):
    """A key to be made; `pair` is `None` for every pair."""

    name: str
    role: str
    pair: str | None = None


def digest(key: str) -> bytes:
    """What is stored of a key. It has 256 random bits, so a fast digest is as good as a slow one."""
    return hashlib.blake2b(key.encode(), key=b"opayo-syspro api key", digest_size=32).digest()


async def create(connection: AsyncConnection, new: NewKey, key: str | None = None) -> tuple[int, str]:
    """Make a key and return its id and text, which is shown this once; a given text is made known instead."""
    text = key or f"osk_{secrets.token_urlsafe(32)}"
    statement = insert(api_keys).values(
        pair=new.pair, role=new.role, name=new.name, prefix=text[:8], digest=digest(text)
    )
    key_id: int = await connection.scalar(
        statement.on_conflict_do_update(
            index_elements=["digest"], set_={"revoked_at": None, "role": new.role}
        ).returning(api_keys.c.key_id)
    )
    return key_id, text


async def caller(connection: AsyncConnection, key: str) -> Caller | None:
    """Who a key belongs to, or `None` when it is unknown or revoked."""
    row = (
        (
            await connection.execute(
                select(api_keys.c.key_id, api_keys.c.name, api_keys.c.role, api_keys.c.pair).where(
                    api_keys.c.digest == digest(key), api_keys.c.revoked_at.is_(None)
                )
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else Caller(**row)


async def used(connection: AsyncConnection, key_id: int, at: datetime) -> None:
    """Note when a key was last used."""
    await connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(used_at=at))


async def revoke(connection: AsyncConnection, key_id: int) -> bool:
    """Revoke a key; whether there was a live one."""
    found = await connection.scalar(
        update(api_keys)
        .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(api_keys.c.key_id)
    )
    return found is not None


async def pair_of(connection: AsyncConnection, key_id: int) -> tuple[bool, str | None]:
    """Whether there is a key of that id, and the one pair it is for."""
    row = (await connection.execute(select(api_keys.c.pair).where(api_keys.c.key_id == key_id))).first()
    return (False, None) if row is None else (True, row[0])


async def listed(connection: AsyncConnection, pair: str | None) -> list[JsonObject]:
    """Keys without their secrets: every one, or those of a pair."""
    statement = select(
        api_keys.c.key_id, api_keys.c.pair, api_keys.c.role, api_keys.c.name, api_keys.c.prefix,
        api_keys.c.created_at, api_keys.c.used_at, api_keys.c.revoked_at,
    )  # fmt: skip
    if pair is not None:
        statement = statement.where(api_keys.c.pair == pair)
    return documents(await connection.execute(statement.order_by(api_keys.c.key_id)))
