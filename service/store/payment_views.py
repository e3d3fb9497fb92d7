"""Payments and postings as people look at them: lists, counts, sums, and which lanes have work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, documents
from service.store.tables import payments, postings


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int, limit: int
) -> list[JsonObject]:
    """Payments as the API lists them, newest first.

    Args:
        filters: column to exact value; only columns of the table that the API names.
        before: cursor: only payments with a smaller id; 0 for the newest.
    """
    names = (
        "payment_id", "transaction_id", "vendor_tx_code", "kind", "amount_minor", "currency", "state",
        "flow", "flow_version", "node", "lane", "customer", "order_reference", "attempts", "due_at",
        "error", "created_at", "changed_at", "final_at",
    )  # fmt: skip
    statement = select(*(payments.c[name] for name in names)).where(payments.c.pair == pair)
    for name, value in filters.items():
        statement = statement.where(payments.c[name] == value)
    if before:
        statement = statement.where(payments.c.payment_id < before)
    rows = await connection.execute(statement.order_by(payments.c.payment_id.desc()).limit(limit))
    return documents(rows)


def _state_shown() -> ColumnElement[str]:
    # Received and on no lane: Opayo has not taken the money (yet).
    waiting = (payments.c.state == "received") & payments.c.lane.is_(None)
    return case((waiting, literal("awaiting_capture")), else_=payments.c.state)


async def totals(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """Payments of a pair by state and currency: how many, and how much (minor units)."""
    rows = await connection.execute(
        select(
            _state_shown().label("state"),
            payments.c.currency,
            func.count().label("payments"),
            func.sum(payments.c.amount_minor).label("minor"),
        )
        .where(payments.c.pair == pair)
        .group_by(text("1"), payments.c.currency)
    )
    return [{**row, "minor": int(row["minor"])} for row in rows.mappings()]


async def posting_counts(connection: AsyncConnection, pair: str) -> dict[str, int]:
    """Postings of a pair by state."""
    rows = await connection.execute(
        select(postings.c.state, func.count()).where(postings.c.pair == pair).group_by(postings.c.state)
    )
    return {row[0]: row[1] for row in rows}


async def lanes_with_work(
    connection: AsyncConnection, now: datetime, chores: Sequence[str] = ()
) -> list[str]:
    """Lanes that have something due and are not paused: what the sweep rings when a bell was lost.

    Args:
        chores: regular work that any posting lane of its pair may do.
    """
    rows = await connection.execute(
        text("""
            SELECT lane FROM lanes WHERE NOT paused AND (
                EXISTS (SELECT 1 FROM payments p WHERE p.pair = lanes.pair AND p.lane = lanes.lane
                        AND p.due_at <= :now)
                OR (kind = 'screening' AND EXISTS (SELECT 1 FROM inbox i WHERE i.pair = lanes.pair
                        AND i.state = 'received' AND i.due_at <= :now))
                OR (kind = 'posting' AND EXISTS (SELECT 1 FROM unnest(CAST(:chores AS text[])) c WHERE NOT EXISTS (
                        SELECT 1 FROM schedule s WHERE s.pair = lanes.pair AND s.job = c AND s.due_at > :now))))
        """),
        {"now": now, "chores": list(chores)},
    )
    return [row[0] for row in rows]


async def reference_owners(
    connection: AsyncConnection, pair: str, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Which payment has each of some (kind, reference); those that nobody has are left out."""
    rows = await connection.execute(
        select(postings.c.kind, postings.c.reference, postings.c.payment_id).where(
            postings.c.pair == pair, postings.c.reference.in_([reference for _, reference in wanted])
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def keys_taken(
    connection: AsyncConnection, pair: str, found: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Which of some documents, by kind and the ERP's key, are recorded, for which reference."""
    rows = await connection.execute(
        select(postings.c.kind, postings.c.erp_key, postings.c.reference).where(
            postings.c.pair == pair,
            postings.c.state == "confirmed",
            tuple_(postings.c.kind, postings.c.erp_key).in_(list(found)),
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def documents_taken(
    connection: AsyncConnection, pair: str, invoices: Sequence[str]
) -> dict[tuple[str, str], str]:
    """Which of some unapplied documents (`_CRD…`) are recorded, by (customer, number), for which reference.

    SYSPRO numbers them per customer, so a number alone says nothing.
    """
    number = postings.c.receipt["details"]["UnappliedInvoice"].as_string()
    customer = postings.c.document["Customer"].as_string()
    rows = await connection.execute(
        select(customer, number, postings.c.reference).where(
            postings.c.pair == pair, postings.c.state == "confirmed", number.in_(list(invoices))
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}
