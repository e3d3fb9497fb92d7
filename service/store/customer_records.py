"""Customers of both sides as last read: what polls compare with, and where candidates for a match are found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, case, cast, exists, false, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from service.core.customer_fields import FieldName, Value
from service.core.customer_match import Identity
from service.core.customer_merge import Side
from service.store.rows import JsonObject, documents
from service.store.tables_customers import customer_links, customer_records


class Kept(Struct, kw_only=True):
    """A customer of one side as last read.

    Attributes:
        hash: of all that was read: who kept it sees whether anything changed.
        details: what is not shared: SYSPRO's hold and terms, the code that an account bears.
        changed_at: when the side changed it, as well as is known.
    """

    pair: str
    side: Side
    key: str
    hash: str
    fields: dict[FieldName, Value]
    details: JsonObject = {}
    changed_at: datetime | None = None


_NAMES = Kept.__struct_fields__


def _kept(rows: Sequence[JsonObject]) -> list[Kept]:
    return [msgspec.convert({name: row[name] for name in _NAMES}, Kept) for row in rows]


async def hashes(connection: AsyncConnection, pair: str, side: Side, keys: Sequence[str]) -> dict[str, str]:
    """The kept hashes of some customers."""
    rows = await connection.execute(
        select(customer_records.c.key, customer_records.c.hash).where(
            customer_records.c.pair == pair,
            customer_records.c.side == side,
            customer_records.c.key.in_(list(keys)),
        )
    )
    return {row[0]: row[1] for row in rows}


async def keep(connection: AsyncConnection, kept: Kept, known_as: Identity, *, due: bool) -> None:
    """Keep a customer as read; `due` when somebody must look at the change, not when it was ours."""
    values: JsonObject = {
        **msgspec.to_builtins(kept, builtin_types=(datetime,)),
        "email": known_as.email,
        "postcode": known_as.postcode,
        "phone": known_as.phone,
        "words": known_as.words,
        "due": due,
        "seen_at": func.now(),
    }
    keys = ("pair", "side", "key")
    changes = {name: value for name, value in values.items() if name not in keys}
    if not due:
        # A change of somebody else that was not looked at yet stays to be looked at.
        changes["due"] = customer_records.c.due
    await connection.execute(
        insert(customer_records).values(values).on_conflict_do_update(index_elements=list(keys), set_=changes)
    )


async def looked_at(connection: AsyncConnection, pair: str, side: Side, key: str, hash_: str) -> None:
    """Note that a customer was dealt with as it was at that hash; a later change still waits."""
    await connection.execute(
        update(customer_records)
        .where(_is(pair, side, key), customer_records.c.hash == hash_)
        .values(due=false())
    )


async def call_up(connection: AsyncConnection, pair: str, side: Side, keys: Sequence[str]) -> None:
    """Have customers looked at again."""
    await connection.execute(
        update(customer_records)
        .where(
            customer_records.c.pair == pair,
            customer_records.c.side == side,
            customer_records.c.key.in_(list(keys)),
        )
        .values(due=True)
    )


async def due(
    connection: AsyncConnection, pair: str, side: Side, limit: int, *, linked: bool = False
) -> list[Kept]:
    """Customers to be looked at; with `linked` only SYSPRO customers that have a link."""
    statement = select(customer_records).where(
        customer_records.c.pair == pair, customer_records.c.side == side, customer_records.c.due
    )
    if linked:
        statement = statement.where(
            exists().where(
                customer_links.c.pair == customer_records.c.pair,
                customer_links.c.erp_key == customer_records.c.key,
            )
        )
    ordered = statement.order_by(customer_records.c.seen_at, customer_records.c.key)
    return _kept(documents(await connection.execute(ordered.limit(limit))))


async def pass_on(connection: AsyncConnection, pair: str) -> None:
    """Have accounts without a link looked at that SYSPRO customers, new or changed, could belong to.

    In one statement for all of them: the first pass over a company brings tens of thousands, and means nobody.
    """
    await connection.execute(text(_HAND_ON), {"pair": pair})


_HAND_ON = """
    WITH fresh AS (
        UPDATE customer_records AS e SET due = false
        WHERE e.pair = :pair AND e.side = 'syspro' AND e.due AND NOT EXISTS (
            SELECT 1 FROM customer_links AS l WHERE l.pair = e.pair AND l.erp_key = e.key)
        RETURNING e.email, e.postcode, e.phone, e.words)
    UPDATE customer_records AS s SET due = true
    FROM fresh AS f
    WHERE s.pair = :pair AND s.side = 'shop' AND NOT s.due
        AND (f.email <> '' AND f.email = s.email OR f.postcode <> '' AND f.postcode = s.postcode
            OR f.phone <> '' AND f.phone = s.phone OR f.words && s.words)
        AND NOT EXISTS (
            SELECT 1 FROM customer_links AS l
            WHERE l.pair = s.pair AND l.shop_key = s.key AND l.state <> 'proposed')
"""


async def one(connection: AsyncConnection, pair: str, side: Side, key: str) -> Kept | None:
    """A customer as last read, or `None`."""
    rows = await connection.execute(select(customer_records).where(_is(pair, side, key)))
    return next(iter(_kept(documents(rows))), None)


async def forget(connection: AsyncConnection, pair: str, side: Side, key: str) -> None:
    """Drop a customer that is gone from its side."""
    await connection.execute(customer_records.delete().where(_is(pair, side, key)))


async def alike(
    connection: AsyncConnection, pair: str, side: Side, asked: Identity, limit: int = 200
) -> list[Kept]:
    """Customers of a side that share something with one: address, postcode, telephone, code or a word of the name."""
    table = customer_records.c
    shared: list[ColumnElement[bool]] = []
    for column, value in (
        (table.email, asked.email),
        (table.postcode, asked.postcode),
        (table.phone, asked.phone),
    ):
        if value:
            shared.append(column == value)
    if asked.account:
        shared.append(func.ltrim(func.upper(table.key), "0") == asked.account.lstrip("0"))
    exactly = or_(false(), *shared)
    words = cast(asked.words, ARRAY(Text))
    rows = await connection.execute(
        select(customer_records)
        .where(table.pair == pair, table.side == side, or_(exactly, table.words.op("&&")(words)))
        .order_by(case((exactly, 0), else_=1), table.key)
        .limit(limit)
    )
    return _kept(documents(rows))


class Browse(Struct, frozen=True, kw_only=True):
    """Which customers are listed.

    Attributes:
        search: words of the name; `email` is exact.
        after: the last key of the page before.
    """

    side: Side
    email: str = ""
    search: str = ""
    after: str = ""
    limit: int = 100


async def listed(connection: AsyncConnection, pair: str, browse: Browse) -> list[JsonObject]:
    """Customers of a side with their links, by key."""
    table = customer_records.c
    ours = customer_links.c.erp_key if browse.side == "syspro" else customer_links.c.shop_key
    linked = customer_records.outerjoin(
        customer_links, and_(customer_links.c.pair == table.pair, ours == table.key)
    )
    statement = (
        select(
            table.key, table.fields, table.details, table.changed_at,
            customer_links.c.link_id, customer_links.c.state, customer_links.c.shop_key, customer_links.c.erp_key,
        )
        .select_from(linked)
        .where(table.pair == pair, table.side == browse.side, table.key > browse.after)
    )  # fmt: skip
    if browse.email:
        statement = statement.where(table.email == browse.email.strip().casefold())
    if words := browse.search.casefold().split():
        statement = statement.where(table.words.op("@>")(cast(words, ARRAY(Text))))
    return documents(await connection.execute(statement.order_by(table.key).limit(browse.limit)))


async def unlinked_like(connection: AsyncConnection, pair: str, asked: Identity) -> list[str]:
    """Accounts without a link that a SYSPRO customer, new or changed, could belong to."""
    found = await alike(connection, pair, "shop", asked)
    if not found:
        return []
    rows = await connection.execute(
        select(customer_records.c.key).where(
            customer_records.c.pair == pair,
            customer_records.c.side == "shop",
            customer_records.c.key.in_([each.key for each in found]),
            ~exists().where(
                customer_links.c.pair == customer_records.c.pair,
                customer_links.c.shop_key == customer_records.c.key,
                customer_links.c.state != "proposed",
            ),
        )
    )
    return [row[0] for row in rows]


def _is(pair: str, side: Side, key: str) -> ColumnElement[bool]:
    table = customer_records.c
    return and_(table.pair == pair, table.side == side, table.key == key)
