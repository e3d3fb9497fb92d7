"""Repairs, the rules that people kept, and the stock codes learnt from what people accepted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from service.store.rows import JsonObject, document, documents
from service.store.tables import payments
from service.store.tables_repairs import repairs, stock_aliases


class NewRepair(Struct, frozen=True, kw_only=True):
    """A repair that is proposed or was applied.

    Attributes:
        changes: path, before and after of each.
        error: of the payment, as it was.
    """

    pair: str
    payment_id: int
    repair: str
    step: str
    code: str
    changes: list[JsonObject]
    reason: str
    state: str
    from_start: bool
    error: JsonObject
    rule: str = ""
    rule_version: int = 0
    decided_by: str = ""


async def add(connection: AsyncConnection, new: Sequence[NewRepair]) -> None:
    """Write repairs down; a proposal of a class takes the place of an older one that nobody decided."""
    for each in new:
        await connection.execute(
            update(repairs)
            .where(
                repairs.c.payment_id == each.payment_id,
                repairs.c.repair == each.repair,
                repairs.c.state == "proposed",
            )
            .values(state="superseded", changed_at=func.now())
        )
        await connection.execute(insert(repairs).values(**msgspec.structs.asdict(each)))


async def decided(connection: AsyncConnection, payment_id: int) -> list[JsonObject]:
    """The repairs of a payment that were made, refused or taken back: each class is tried once."""
    decided_states = ("applied", "refused", "undone")
    return documents(
        await connection.execute(
            select(repairs.c.repair, repairs.c.state, repairs.c.rule)
            .where(repairs.c.payment_id == payment_id, repairs.c.state.in_(decided_states))
            .order_by(repairs.c.repair_id)
        )
    )


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int = 0, limit: int = 100
) -> list[JsonObject]:
    """Repairs of a pair, newest first, with their payment; `filters` are exact values of `state` and `repair`."""
    statement = _shown(pair)
    for name, value in filters.items():
        statement = statement.where(repairs.c[name] == value)
    if before:
        statement = statement.where(repairs.c.repair_id < before)
    return documents(await connection.execute(statement.order_by(repairs.c.repair_id.desc()).limit(limit)))


def _shown(pair: str) -> Select[tuple[object, ...]]:
    return (
        select(
            repairs,
            payments.c.vendor_tx_code,
            payments.c.amount_minor,
            payments.c.currency,
            payments.c.state.label("payment_state"),
        )
        .join(payments, payments.c.payment_id == repairs.c.payment_id)
        .where(repairs.c.pair == pair)
    )


async def one(
    connection: AsyncConnection, pair: str, repair_id: int, *, lock: bool = False
) -> JsonObject | None:
    """One repair of a pair, or `None`."""
    statement = _shown(pair).where(repairs.c.repair_id == repair_id)
    return document(await connection.execute(statement.with_for_update(of=repairs) if lock else statement))


async def of_payment(connection: AsyncConnection, pair: str, payment_id: int) -> list[JsonObject]:
    """Proposals for a payment that wait for a person."""
    return documents(
        await connection.execute(
            _shown(pair).where(repairs.c.payment_id == payment_id, repairs.c.state == "proposed")
        )
    )


async def become(connection: AsyncConnection, repair_id: int, state: str, actor: str) -> None:
    """Note what was decided of a repair, and by whom."""
    await connection.execute(
        update(repairs)
        .where(repairs.c.repair_id == repair_id)
        .values(state=state, decided_by=actor, changed_at=func.now())
    )


async def supersede(connection: AsyncConnection, pair: str) -> int:
    """Proposals whose payment waits no more are nobody's work; returns how many there were."""
    waits = payments.c.state.in_(("dead_letter", "exception")) & payments.c.error.is_not(None)
    gone = select(payments.c.payment_id).where(payments.c.payment_id == repairs.c.payment_id, ~waits)
    result = await connection.execute(
        update(repairs)
        .where(repairs.c.pair == pair, repairs.c.state == "proposed", gone.exists())
        .values(state="superseded", changed_at=func.now())
    )
    return int(result.rowcount)


# --- stock codes ----------------------------------------------------------------------------------

_POSTED = text(
    """
    SELECT DISTINCT line->>'StockCode'
    FROM (
        SELECT document FROM postings
        WHERE pair = :pair AND kind = 'sales_order' AND state = 'confirmed'
        ORDER BY posting_id DESC LIMIT :most
    ) newest, jsonb_array_elements(newest.document->'Lines') line
    WHERE line->>'StockCode' <> ''
    """
)


async def stock_codes(connection: AsyncConnection, pair: str, most: int = 2000) -> set[str]:
    """Stock codes that SYSPRO took in a pair's newest orders, and those that were learnt."""
    posted = await connection.scalars(_POSTED, {"pair": pair, "most": most})
    learnt = await aliases(connection, pair)
    return {*posted, *learnt.values()}


async def aliases(connection: AsyncConnection, pair: str) -> dict[str, str]:
    """The stock code that each learnt spelling means."""
    rows = await connection.execute(
        select(stock_aliases.c.alias, stock_aliases.c.stock_code).where(stock_aliases.c.pair == pair)
    )
    return {row[0]: row[1] for row in rows}


async def aliases_shown(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """The learnt spellings of a pair, with who taught them."""
    statement = select(stock_aliases).where(stock_aliases.c.pair == pair).order_by(stock_aliases.c.alias)
    return documents(await connection.execute(statement))


async def learn(connection: AsyncConnection, pair: str, alias: str, stock_code: str, actor: str) -> None:
    """Remember what a spelling means; the newest word counts."""
    values = {"stock_code": stock_code, "learnt_by": actor, "created_at": func.now()}
    await connection.execute(
        upsert(stock_aliases)
        .values(pair=pair, alias=alias, **values)
        .on_conflict_do_update(index_elements=["pair", "alias"], set_=values)
    )


async def forget(connection: AsyncConnection, pair: str, alias: str) -> bool:
    """Forget a spelling; whether it was known."""
    result = await connection.execute(
        stock_aliases.delete().where(stock_aliases.c.pair == pair, stock_aliases.c.alias == alias)
    )
    return result.rowcount > 0
