"""Links between accounts of the shop and SYSPRO customers, and how far the polls of both sides have come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.customer_fields import FieldName, Value
from service.core.customer_match import Candidate
from service.core.customer_merge import Side
from service.core.customers import GUEST
from service.store.rows import JsonObject, document, documents
from service.store.tables_customers import customer_links, customer_polls

Values = dict[FieldName, Value]


class LinkChanged(Exception):
    """Somebody else wrote a link since it was read; nothing of ours is written. The next turn begins anew."""


class Link(Struct, kw_only=True):
    """A link: a working copy of its row.

    Attributes:
        state: `proposed` waits for a person; `conflict` is linked, and fields wait; `ignored` is left alone;
            `adding` is being set up in SYSPRO; `undoing` gets back what it was before.
        candidates: by SYSPRO key.
        refused: SYSPRO keys that a person said no to, and who.
        conflicts: by field the two values.
        intent: what is sent to set the customer up (`record`), and whether it ever was (`sent`).
    """

    pair: str
    shop_key: str
    state: str
    link_id: int = 0
    erp_key: str = ""
    why: str = ""
    candidates: dict[str, Candidate] = {}
    refused: dict[str, str] = {}
    shop_fields: Values = {}
    erp_fields: Values = {}
    shop_hash: str = ""
    erp_hash: str = ""
    conflicts: dict[str, JsonObject] = {}
    decided: dict[FieldName, Side] = {}
    intent: JsonObject = {}
    before: dict[str, Values] = {}
    error: JsonObject | None = None
    revision: int = 0
    synced_at: datetime | None = None

    @property
    def is_linked(self) -> bool:
        """Whether both sides are known and belong together."""
        return self.state in ("linked", "conflict") and bool(self.erp_key)


_READ = Link.__struct_fields__
_KEPT = ("link_id", "pair", "shop_key", "revision")
_WRITTEN = tuple(name for name in _READ if name not in _KEPT)


def _values(link: Link, names: Sequence[str]) -> JsonObject:
    return {name: msgspec.to_builtins(getattr(link, name), builtin_types=(datetime,)) for name in names}


def _link(row: JsonObject | None) -> Link | None:
    return None if row is None else msgspec.convert({name: row[name] for name in _READ}, Link)


async def of_shop(
    connection: AsyncConnection, pair: str, shop_key: str, *, lock: bool = False
) -> Link | None:
    """The link of an account, or `None`; locked when it is going to be decided about."""
    statement = select(customer_links).where(
        customer_links.c.pair == pair, customer_links.c.shop_key == shop_key
    )
    rows = await connection.execute(statement.with_for_update() if lock else statement)
    return _link(document(rows))


async def of_erp(connection: AsyncConnection, pair: str, erp_key: str) -> Link | None:
    """The link of a SYSPRO customer, or `None`."""
    rows = await connection.execute(
        select(customer_links).where(customer_links.c.pair == pair, customer_links.c.erp_key == erp_key)
    )
    return _link(document(rows))


async def by_id(connection: AsyncConnection, pair: str, link_id: int) -> Link | None:
    """A link by its number, locked; or `None`."""
    rows = await connection.execute(
        select(customer_links)
        .where(customer_links.c.pair == pair, customer_links.c.link_id == link_id)
        .with_for_update()
    )
    return _link(document(rows))


async def linked_keys(connection: AsyncConnection, pair: str, erp_keys: Sequence[str]) -> dict[str, str]:
    """Which of some SYSPRO customers are linked, and with which account."""
    rows = await connection.execute(
        select(customer_links.c.erp_key, customer_links.c.shop_key).where(
            customer_links.c.pair == pair, customer_links.c.erp_key.in_(list(erp_keys))
        )
    )
    return {row[0]: row[1] for row in rows}


async def listed(
    connection: AsyncConnection, pair: str, state: str = "", *, before: int = 0, limit: int = 100
) -> list[Link]:
    """Links of a pair, newest first."""
    statement = select(customer_links).where(customer_links.c.pair == pair)
    if state:
        statement = statement.where(customer_links.c.state == state)
    if before:
        statement = statement.where(customer_links.c.link_id < before)
    rows = await connection.execute(statement.order_by(customer_links.c.link_id.desc()).limit(limit))
    return [link for row in documents(rows) if (link := _link(row)) is not None]


async def add(connection: AsyncConnection, link: Link) -> bool:
    """Insert a link; `False` when the account has one, or the SYSPRO customer is another's."""
    values = _values(link, ("pair", "shop_key", *_WRITTEN))
    found = await connection.scalar(
        insert(customer_links).values(values).on_conflict_do_nothing().returning(customer_links.c.link_id)
    )
    link.link_id = int(found or 0)
    return found is not None


async def save(connection: AsyncConnection, link: Link) -> None:
    """Write a link back.

    Raises:
        LinkChanged: somebody else wrote it since it was read.
    """
    changed = await connection.scalar(
        update(customer_links)
        .where(customer_links.c.link_id == link.link_id, customer_links.c.revision == link.revision)
        .values(**_values(link, _WRITTEN), revision=link.revision + 1, changed_at=func.now())
        .returning(customer_links.c.link_id)
    )
    if changed is None:
        raise LinkChanged(link.shop_key)
    link.revision += 1


async def make_way(connection: AsyncConnection, pair: str, erp_key: str) -> None:
    """Drop a guest's link with a customer, whom an account takes over: the guest is found by the address anyway."""
    await connection.execute(
        delete(customer_links).where(
            customer_links.c.pair == pair,
            customer_links.c.erp_key == erp_key,
            customer_links.c.state == "linked",
            customer_links.c.shop_key.startswith(GUEST, autoescape=True),
        )
    )


async def of_states(connection: AsyncConnection, pair: str, states: Sequence[str], limit: int) -> list[Link]:
    """Links in some states, longest waiting first."""
    rows = await connection.execute(
        select(customer_links)
        .where(customer_links.c.pair == pair, customer_links.c.state.in_(list(states)))
        .order_by(customer_links.c.changed_at)
        .limit(limit)
    )
    return [link for row in documents(rows) if (link := _link(row)) is not None]


# --- polls ----------------------------------------------------------------------------------------


class Poll(Struct, kw_only=True):
    """How far the poll of a side has come.

    Attributes:
        after: where the pass goes on; empty at its start.
        began_at: when this pass began; `since` is when the one before did.
    """

    pair: str
    side: Side
    after: str = ""
    began_at: datetime | None = None
    since: datetime | None = None


async def poll(connection: AsyncConnection, pair: str, side: Side) -> Poll:
    """The poll of a side; a fresh one when there never was any."""
    rows = await connection.execute(
        select(customer_polls).where(customer_polls.c.pair == pair, customer_polls.c.side == side)
    )
    found = document(rows)
    return msgspec.convert(found, Poll) if found else Poll(pair=pair, side=side)


async def save_poll(connection: AsyncConnection, at: Poll) -> None:
    """Keep how far a poll has come."""
    values = msgspec.structs.asdict(at)
    await connection.execute(
        insert(customer_polls)
        .values(values)
        .on_conflict_do_update(
            index_elements=["pair", "side"],
            set_={name: values[name] for name in ("after", "began_at", "since")},
        )
    )
