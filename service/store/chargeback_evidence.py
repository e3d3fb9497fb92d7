"""Evidence of chargebacks: the files people add, and what the ERP told about the disputed payment."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.chargebacks import COLUMNS, Case
from service.store.rows import JsonObject, documents
from service.store.tables_chargebacks import chargeback_evidence, chargebacks


class Evidence(Struct, frozen=True, kw_only=True):
    """A file that a person added to a case."""

    name: str
    body: bytes
    sha256: str
    author: str


async def add(connection: AsyncConnection, case: Case, file: Evidence) -> bool:
    """Keep a file; whether it is new: the same content is kept once."""
    found = await connection.scalar(
        insert(chargeback_evidence)
        .values(
            pair=case.pair,
            chargeback_id=case.chargeback_id,
            size=len(file.body),
            **msgspec.structs.asdict(file),
        )
        .on_conflict_do_nothing(index_elements=["chargeback_id", "sha256"])
        .returning(chargeback_evidence.c.evidence_id)
    )
    return found is not None


async def files(connection: AsyncConnection, case: Case) -> list[Evidence]:
    """The files of a case, oldest first."""
    table = chargeback_evidence.c
    rows = await connection.execute(
        select(table.name, table.body, table.sha256, table.author)
        .where(table.chargeback_id == case.chargeback_id)
        .order_by(table.evidence_id)
    )
    return [Evidence(**row) for row in rows.mappings()]


async def size_of(connection: AsyncConnection, case: Case) -> int:
    """How many bytes of evidence a case has."""
    found = await connection.scalar(
        select(func.coalesce(func.sum(chargeback_evidence.c.size), 0)).where(
            chargeback_evidence.c.chargeback_id == case.chargeback_id
        )
    )
    return int(found or 0)


async def to_gather(connection: AsyncConnection, pair: str, before: datetime, limit: int = 50) -> list[Case]:
    """Open cases whose facts in the ERP were not read since a time."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(
            chargebacks.c.pair == pair,
            chargebacks.c.state == "open",
            chargebacks.c.payment_id.is_not(None),
            func.coalesce(chargebacks.c.gathered_at, func.to_timestamp(0)) < before,
        )
        .order_by(chargebacks.c.chargeback_id)
        .limit(limit)
    )
    return [msgspec.convert(row, Case) for row in documents(rows)]


async def gathered(connection: AsyncConnection, case: Case, erp: JsonObject, now: datetime) -> None:
    """Keep what the ERP told about the payment of a case."""
    await connection.execute(
        update(chargebacks)
        .where(chargebacks.c.chargeback_id == case.chargeback_id)
        .values(erp=erp, gathered_at=now)
    )


async def erp_of(connection: AsyncConnection, case: Case) -> JsonObject:
    """What the ERP told about the payment of a case; empty before it was asked."""
    found = await connection.scalar(
        select(chargebacks.c.erp).where(chargebacks.c.chargeback_id == case.chargeback_id)
    )
    return found or {}


_HISTORY = text("""
    SELECT created_at, kind, vendor_tx_code, amount_minor, currency, state, order_reference,
        gateway -> 'card' ->> 'scheme' AS card_scheme, gateway -> 'card' ->> 'last_four' AS last_four
    FROM payments
    WHERE pair = :pair AND kind <> 'chargeback' AND (
        (:customer <> '' AND customer = :customer)
        OR (:email <> '' AND (lower(gateway ->> 'customer_email') = :email
            OR lower("order" -> 'customer' ->> 'email') = :email)))
    ORDER BY payment_id DESC LIMIT :most
""")


async def history(
    connection: AsyncConnection, pair: str, *, customer: str, email: str, most: int = 500
) -> list[JsonObject]:
    """Payments and refunds of a customer, newest first, by the ERP's code or the e-mail address; empty counts not."""
    values = {"pair": pair, "customer": customer, "email": email.strip().lower(), "most": most}
    return documents(await connection.execute(_HISTORY, values))


async def listed(connection: AsyncConnection, case: Case) -> list[JsonObject]:
    """The files of a case without their content, oldest first."""
    table = chargeback_evidence.c
    rows = await connection.execute(
        select(table.evidence_id, table.name, table.size, table.sha256, table.author, table.added_at)
        .where(table.chargeback_id == case.chargeback_id)
        .order_by(table.evidence_id)
    )
    return documents(rows)
