"""One customer as people look at it: all that hangs on its SYSPRO code, from every table that knows it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.columns import metadata
from service.store.rows import JsonObject, documents
from service.store.tables import alerts, audit, payments

# What the customer's page shows of tables that belong to others; secrets and sealed columns are none of it.
_SHOWN: dict[str, tuple[str, ...]] = {
    "card_tokens": ("token_id", "scheme", "last_four", "expiry", "currency", "state", "created_at"),
    "subscriptions": ("subscription_id", "plan", "state", "reason", "next_due_at", "created_at"),
    "chargebacks": (
        "chargeback_id", "chargeback_ref", "stage", "state", "amount_minor", "currency", "respond_by",
    ),
    "refund_proposals": (
        "proposal_id", "vendor_tx_code", "amount_minor", "currency", "state", "reason", "created_at",
    ),
}  # fmt: skip
_MONEY_OUT = ("refund", "void", "chargeback")
_WIDTHS = (7, 15)


def spellings(code: str) -> list[str]:
    """How a code may be written: numeric ones with and without their zeros."""
    plain = code.strip()
    if not plain.isdigit():
        return sorted({plain, plain.upper()})
    short = plain.lstrip("0") or "0"
    return sorted({plain, short, *(short.zfill(width) for width in _WIDTHS)})


async def money(
    connection: AsyncConnection, pair: str, codes: Sequence[str], *, out: bool, limit: int
) -> list[JsonObject]:
    """The newest payments of a customer, or with `out` what went back to it."""
    names = (
        "payment_id", "transaction_id", "vendor_tx_code", "kind", "amount_minor", "currency", "state",
        "order_reference", "created_at",
    )  # fmt: skip
    kind = payments.c.kind.in_(_MONEY_OUT)
    rows = await connection.execute(
        select(*(payments.c[name] for name in names))
        .where(payments.c.pair == pair, payments.c.customer.in_(list(codes)), kind if out else ~kind)
        .order_by(payments.c.payment_id.desc())
        .limit(limit)
    )
    return documents(rows)


async def totals(connection: AsyncConnection, pair: str, codes: Sequence[str]) -> list[JsonObject]:
    """How much a customer paid and got back, by kind, state and currency (minor units)."""
    rows = await connection.execute(
        select(
            payments.c.kind,
            payments.c.state,
            payments.c.currency,
            func.count().label("payments"),
            func.sum(payments.c.amount_minor).label("minor"),
        )
        .where(payments.c.pair == pair, payments.c.customer.in_(list(codes)))
        .group_by(payments.c.kind, payments.c.state, payments.c.currency)
        .order_by(payments.c.kind, payments.c.state, payments.c.currency)
    )
    return [{**row, "minor": int(str(row["minor"]))} for row in documents(rows)]


async def belongings(
    connection: AsyncConnection, pair: str, codes: Sequence[str], limit: int
) -> dict[str, list[JsonObject]]:
    """Cards that are kept, subscriptions, chargebacks and refund proposals of a customer."""
    found: dict[str, list[JsonObject]] = {}
    for name, columns in _SHOWN.items():
        table = metadata.tables.get(name)
        if table is None:
            continue
        rows = await connection.execute(
            select(*(table.c[column] for column in columns))
            .where(table.c.pair == pair, table.c.customer.in_(list(codes)))
            .order_by(next(iter(table.primary_key.columns)).desc())
            .limit(limit)
        )
        found[name] = documents(rows)
    return found


async def open_alerts(connection: AsyncConnection, pair: str, subjects: Sequence[str]) -> list[JsonObject]:
    """Open alerts about the customer, its accounts and its payments."""
    rows = await connection.execute(
        select(alerts.c.alert_id, alerts.c.code, alerts.c.subject, alerts.c.severity, alerts.c.title)
        .where(
            alerts.c.pair == pair, alerts.c.acknowledged_at.is_(None), alerts.c.subject.in_(list(subjects))
        )
        .order_by(alerts.c.alert_id.desc())
    )
    return documents(rows)


async def history(
    connection: AsyncConnection, pair: str, codes: Sequence[str], accounts: Sequence[str], limit: int
) -> list[JsonObject]:
    """What was decided and written about a customer and its accounts, newest first."""
    customer, account = audit.c.detail["customer"].as_string(), audit.c.detail["account"].as_string()
    rows = await connection.execute(
        select(audit.c.audit_id, audit.c.at, audit.c.actor, audit.c.action, audit.c.detail)
        .where(
            audit.c.pair == pair,
            audit.c.action.like("customer.%"),
            customer.in_(list(codes)) | account.in_(list(accounts)),
        )
        .order_by(audit.c.audit_id.desc())
        .limit(limit)
    )
    return documents(rows)
