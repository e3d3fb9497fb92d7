"""Alerts: what a person should know now. One open alert per code and subject; repeats are counted on it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import events
from service.store.rows import JsonObject, documents
from service.store.tables import alerts


class Alert(Struct, frozen=True, kw_only=True):
    """A new alert; `subject` is what it is about (a lane, a payment), and part of its identity."""

    pair: str
    code: str
    subject: str
    title: str
    severity: str = "warning"
    error: JsonObject = {}


async def raise_all(connection: AsyncConnection, new: Sequence[Alert]) -> None:
    """Raise alerts; one that is open already counts one more."""
    for each in new:
        values = {"severity": each.severity, "title": each.title, "error": each.error}
        row = await connection.execute(
            insert(alerts)
            .values(pair=each.pair, code=each.code, subject=each.subject, **values)
            .on_conflict_do_update(
                index_elements=["pair", "code", "subject"],
                index_where=alerts.c.acknowledged_at.is_(None),
                set_=values | {"times": alerts.c.times + 1, "last_at": func.now()},
            )
            .returning(alerts.c.alert_id, alerts.c.times)
        )
        alert_id, times = row.one()
        if times == 1:
            await events.alert_raised(connection, alert_id)


async def listed(
    connection: AsyncConnection, pair: str, *, include_acknowledged: bool = False, before: int = 0,
    limit: int = 100,
) -> list[JsonObject]:  # fmt: skip
    """Alerts of a pair, newest first."""
    statement = select(alerts).where(alerts.c.pair == pair)
    if not include_acknowledged:
        statement = statement.where(alerts.c.acknowledged_at.is_(None))
    if before:
        statement = statement.where(alerts.c.alert_id < before)
    rows = await connection.execute(statement.order_by(alerts.c.alert_id.desc()).limit(limit))
    return documents(rows)


async def open_of(connection: AsyncConnection, pair: str, code: str) -> dict[str, str]:
    """The open alerts of one code: subject to title."""
    rows = await connection.execute(
        select(alerts.c.subject, alerts.c.title).where(
            alerts.c.pair == pair, alerts.c.code == code, alerts.c.acknowledged_at.is_(None)
        )
    )
    return {row.subject: row.title for row in rows}


async def acknowledge(connection: AsyncConnection, pair: str, alert_id: int, actor: str) -> bool:
    """Acknowledge an open alert; whether there was one."""
    found = await connection.scalar(
        update(alerts)
        .where(alerts.c.pair == pair, alerts.c.alert_id == alert_id, alerts.c.acknowledged_at.is_(None))
        .values(acknowledged_at=func.now(), acknowledged_by=actor)
        .returning(alerts.c.alert_id)
    )
    return found is not None


async def to_notify(connection: AsyncConnection, limit: int = 50) -> list[JsonObject]:
    """Alerts that no channel was told of yet, locked so that two processes do not both tell."""
    rows = await connection.execute(
        select(
            alerts.c.alert_id, alerts.c.pair, alerts.c.code, alerts.c.severity, alerts.c.title, alerts.c.error
        )
        .where(alerts.c.notified_at.is_(None))
        .order_by(alerts.c.alert_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return documents(rows)


async def notified(connection: AsyncConnection, alert_ids: Sequence[int]) -> None:
    """Note that a channel was told."""
    await connection.execute(
        update(alerts).where(alerts.c.alert_id.in_(list(alert_ids))).values(notified_at=func.now())
    )
