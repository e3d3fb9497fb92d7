"""What the stories of repairs and dead letters do: settings of the pair, rows of the database, a person's desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import text

from service.core.invariant_trail import road_lines, wrong_turns
from service.core.lifecycle import PaymentState
from service.core.repairs import Mode, RepairClass
from service.flow.desk import Desk
from service.flow.library import Library
from service.store import pairs, repairs
from service.store.pairs import PairSettings
from service.store.rows import JsonObject
from tests.flow.site import Site


async def settings(site: Site) -> PairSettings:
    """The pair as it is now."""
    async with site.engine.connect() as connection:
        found = await pairs.load(connection, site.vault, site.pair)
    assert found is not None
    return found


async def change_pair(site: Site, **changes: Any) -> None:
    """Change settings of the pair, and let the lanes see it."""
    changed = msgspec.structs.replace(await settings(site), **changes)
    async with site.engine.begin() as connection:
        await pairs.save(connection, site.vault, changed)
    site.stages.forget(site.pair)


async def allow(site: Site, modes: Mapping[RepairClass, Mode]) -> None:
    """Say what the pair's classes of repair may do."""
    await change_pair(site, repairs=dict(modes))


@asynccontextmanager
async def desk(site: Site, actor: str = "ada", note: str = "") -> AsyncIterator[Desk]:
    """A person's desk; what was decided is kept when it ends well."""
    pair = await settings(site)
    async with site.engine.begin() as connection:
        yield Desk(
            connection=connection,
            pair=pair,
            library=Library(),
            now=datetime.now(UTC),
            actor=actor,
            note=note,
        )


async def rows(site: Site, code: str) -> list[JsonObject]:
    """The repairs of a payment, oldest first."""
    payment = await site.payment(code)
    async with site.engine.connect() as connection:
        found = await repairs.listed(connection, site.pair, {})
    return [row for row in reversed(found) if row["payment_id"] == payment.payment_id]


async def open_letters(site: Site) -> int:
    """How many dead letters wait."""
    async with site.engine.connect() as connection:
        statement = text("SELECT count(*) FROM dead_letters WHERE closed_at IS NULL")
        return int(await connection.scalar(statement) or 0)


async def lawful(site: Site, code: str) -> None:
    """The payment's trail holds only moves that the lifecycle allows."""
    steps = road_lines([(action, {}) for action in await site.actions(code)])
    state = PaymentState((await site.payment(code)).state)
    wrong = list(wrong_turns(steps, state))
    assert wrong == [], (wrong, steps)


async def sound(site: Site) -> None:
    """SYSPRO's books agree with themselves."""
    answer = await site.http.get(f"{site.urls['syspro']}/_sandbox/invariants")
    assert answer.json()["ok"], answer.text


def stock_line(stock_code: str, pounds: str) -> dict[str, object]:
    """A line of goods."""
    return {
        "kind": "stock", "stock_code": stock_code, "description": "Widget", "quantity": 1, "net": pounds,
        "tax": "0.00",
    }  # fmt: skip
