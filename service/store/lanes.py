"""Lanes: a queue towards one destination, with a switch a person can throw and a fence against sleepers."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, documents
from service.store.tables import inbox, lanes, payments

_FENCE = "SELECT epoch FROM lanes WHERE pair = %s AND lane = %s AND epoch = %s FOR SHARE"
_OPEN = "SELECT lane FROM lanes WHERE lane = %s AND epoch = %s AND NOT paused"


class LaneLost(Exception):
    """Somebody else holds the lane now; nothing of ours may be written any more."""


class Lane(Struct, frozen=True, kw_only=True):
    """A lane as its holder knows it; `epoch` is what the fence compares."""

    pair: str
    lane: str
    kind: str
    operator: str
    epoch: int


async def take(connection: AsyncConnection, lane: str) -> Lane | None:
    """Take a lane over from whoever held it; `None` when it is paused or unknown."""
    row = (
        (
            await connection.execute(
                update(lanes)
                .where(lanes.c.lane == lane, lanes.c.paused.is_(False))
                .values(epoch=lanes.c.epoch + 1)
                .returning(lanes.c.pair, lanes.c.lane, lanes.c.kind, lanes.c.operator, lanes.c.epoch)
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else Lane(**row)


async def fence(connection: AsyncConnection, held: Lane) -> None:
    """Make sure, until the transaction ends, that the lane is still ours.

    Raises:
        LaneLost: it is not, or a person paused it.
    """
    found = await connection.exec_driver_sql(_FENCE, (held.pair, held.lane, held.epoch))
    if found.first() is None:
        raise LaneLost(held.lane)


async def switch(connection: AsyncConnection, pair: str, lane: str, *, paused: bool, reason: str) -> bool:
    """Pause or resume a lane; whether there is one. The holder sees it before its next batch."""
    found = await connection.scalar(
        update(lanes)
        .where(lanes.c.pair == pair, lanes.c.lane == lane)
        .values(paused=paused, reason=reason, changed_at=func.now())
        .returning(lanes.c.lane)
    )
    return found is not None


async def listed(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """Lanes of a pair with what waits on them."""
    waiting = (
        select(payments.c.lane, func.count().label("waiting"))
        .where(payments.c.pair == pair, payments.c.lane.is_not(None))
        .group_by(payments.c.lane)
        .subquery()
    )
    rows = await connection.execute(
        select(
            lanes.c.lane, lanes.c.kind, lanes.c.operator, lanes.c.paused, lanes.c.reason, lanes.c.changed_at,
            func.coalesce(waiting.c.waiting, 0).label("waiting"),
        )
        .select_from(lanes.outerjoin(waiting, waiting.c.lane == lanes.c.lane))
        .where(lanes.c.pair == pair)
        .order_by(lanes.c.kind.desc(), lanes.c.lane)
    )  # fmt: skip
    return documents(rows)


async def names(connection: AsyncConnection, kind: str | None = None, pair: str | None = None) -> list[str]:
    """Lanes there are, in order."""
    statement = select(lanes.c.lane).order_by(lanes.c.lane)
    if kind:
        statement = statement.where(lanes.c.kind == kind)
    if pair:
        statement = statement.where(lanes.c.pair == pair)
    return list((await connection.scalars(statement)).all())


async def is_open(connection: AsyncConnection, held: Lane) -> bool:
    """Whether the lane is still ours and nobody paused it."""
    found = await connection.exec_driver_sql(_OPEN, (held.lane, held.epoch))
    return found.first() is not None


async def next_due(connection: AsyncConnection, held: Lane) -> datetime | None:
    """When the lane's next payment or message is due, or `None` when it holds none."""
    due_at: datetime | None = await connection.scalar(
        select(func.min(payments.c.due_at)).where(payments.c.pair == held.pair, payments.c.lane == held.lane)
    )
    if held.kind != "screening":
        return due_at
    message: datetime | None = await connection.scalar(
        select(func.min(inbox.c.due_at)).where(inbox.c.pair == held.pair, inbox.c.state == "received")
    )
    return min((at for at in (due_at, message) if at is not None), default=None)
