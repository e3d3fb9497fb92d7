"""Alerts: raise, list, acknowledge."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import PAGE, JsonObject, Page, PairName, Text, read
from service.store import alerts
from service.store.users import Caller


class AlertShown(Struct, frozen=True, kw_only=True):
    """An alert; `times` counts how often it was raised while open."""

    alert_id: int
    code: str
    subject: str
    severity: str
    title: str
    error: JsonObject
    times: int
    raised_at: datetime
    last_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class AlertPage(Struct, frozen=True, kw_only=True):
    """A page of alerts, newest first."""

    items: list[AlertShown]
    next_cursor: int | None


class NewAlert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert to be raised; one that is open with the same code and subject counts one more instead."""

    code: Text
    subject: Text
    title: Text
    severity: Literal["info", "warning", "critical"] = "warning"


@get("/alerts", guards=[needs("viewer")], dependencies=PAGE, summary="List alerts")
async def list_alerts(
    pair: PairName, context: AppContext, page: NamedDependency[Page], acknowledged: FromQuery[bool] = False
) -> AlertPage:
    """Open alerts of a pair; with `acknowledged` the others too."""
    async with context.engine.connect() as connection:
        rows = await alerts.listed(
            connection, pair, include_acknowledged=acknowledged, before=page.cursor, limit=page.limit
        )
    items = [read(row, AlertShown) for row in rows]
    return AlertPage(items=items, next_cursor=page.next_cursor([each.alert_id for each in items]))


@post("/alerts", guards=[needs("operator")], summary="Raise an alert")
async def raise_alert(
    pair: PairName, data: JSONBody[NewAlert], context: AppContext, caller: NamedDependency[Caller]
) -> NewAlert:
    """Raise an alert; people are told over the pair's channel."""
    new = alerts.Alert(
        pair=pair, code=data.code, subject=data.subject, title=data.title, severity=data.severity
    )
    async with context.engine.begin() as connection:
        await alerts.raise_all(connection, [new])
        await record(connection, pair, caller, "alert.raised", code=data.code, subject=data.subject)
    return data


@post(
    "/alerts/{alert_id:int}/acknowledge", status_code=204, guards=[needs("operator")], summary="Acknowledge"
)
async def acknowledge_alert(
    pair: PairName, alert_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]
) -> None:
    """Somebody has seen it; when it is raised again, it is a new alert."""
    async with context.engine.begin() as connection:
        if not await alerts.acknowledge(connection, pair, alert_id, caller.name):
            raise NotFoundException(f"Pair `{pair}` has no open alert {alert_id}.")
        await record(connection, pair, caller, "alert.acknowledged", alert_id=alert_id)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_alerts, raise_alert, acknowledge_alert],
    tags=["Alerts"],
)
