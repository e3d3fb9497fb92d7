"""Chargeback cases with their stages, notes and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Date, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.chargeback import ChargebackNotice
from service.store.rows import JsonObject, document, documents
from service.store.tables import payments
from service.store.tables_chargebacks import chargeback_notes, chargeback_stages, chargebacks


class Case(Struct, kw_only=True):
    """A chargeback: a working copy of its row. `chargeback_id` is 0 until it is stored.

    Attributes:
        amount_minor: what the newest stage disputes; with suspense and loss in the payment's currency.
        alerted: the last threshold of business days that was told, −1 for overdue.
    """

    pair: str
    chargeback_ref: str
    stage: str
    amount_minor: int
    currency: str
    received_on: date
    chargeback_id: int = 0
    payment_id: int | None = None
    transaction_id: str = ""
    vendor_tx_code: str = ""
    customer: str = ""
    state: str = "open"
    suspense_minor: int = 0
    loss_minor: int = 0
    reason_code: str = ""
    reason_text: str = ""
    respond_by: date | None = None
    alerted: int | None = None
    owner: str = ""
    closed_at: datetime | None = None

    @property
    def taken_minor(self) -> int:
        """What the acquirer has of ours."""
        return self.suspense_minor + self.loss_minor


class Told(Struct, frozen=True, kw_only=True):
    """A stage as it was told."""

    notice: ChargebackNotice
    source: str
    transaction_ids: tuple[str, ...]


class Note(Struct, frozen=True, kw_only=True):
    """Something that happened to a case; `action` is past tense."""

    action: str
    actor: str = "road"
    detail: JsonObject = {}


_FIELDS = Case.__struct_fields__
_WRITTEN = [name for name in _FIELDS if name not in ("chargeback_id", "pair", "chargeback_ref")]
COLUMNS = [chargebacks.c[name] for name in _FIELDS]


async def lock(connection: AsyncConnection, pair: str, chargeback_ref: str) -> Case | None:
    """A case by its reference, locked until the transaction ends; `None` when it is new."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(chargebacks.c.pair == pair, chargebacks.c.chargeback_ref == chargeback_ref)
        .with_for_update()
    )
    return case_of(document(rows))


async def one(
    connection: AsyncConnection, pair: str, chargeback_id: int, *, locked: bool = False
) -> Case | None:
    """A case by its id, or `None`."""
    statement = select(*COLUMNS).where(
        chargebacks.c.pair == pair, chargebacks.c.chargeback_id == chargeback_id
    )
    return case_of(document(await connection.execute(statement.with_for_update() if locked else statement)))


def case_of(row: JsonObject | None) -> Case | None:
    """A row as a case."""
    return None if row is None else msgspec.convert(row, Case)


async def save(connection: AsyncConnection, case: Case) -> None:
    """Write a case back, or store a new one, which gets its id."""
    values = {name: getattr(case, name) for name in _WRITTEN}
    if case.chargeback_id:
        await connection.execute(
            update(chargebacks)
            .where(chargebacks.c.pair == case.pair, chargebacks.c.chargeback_id == case.chargeback_id)
            .values(**values, changed_at=func.now())
        )
        return
    found = await connection.scalar(
        insert(chargebacks)
        .values(pair=case.pair, chargeback_ref=case.chargeback_ref, **values)
        .returning(chargebacks.c.chargeback_id)
    )
    case.chargeback_id = int(found or 0)


async def stages(connection: AsyncConnection, case: Case) -> list[Told]:
    """The stages of a case in the order in which they were told."""
    rows = await connection.execute(
        select(chargeback_stages.c.notice, chargeback_stages.c.source, chargeback_stages.c.transaction_ids)
        .where(chargeback_stages.c.chargeback_id == case.chargeback_id)
        .order_by(chargeback_stages.c.stage_id)
    )
    return [msgspec.convert(row, Told) for row in documents(rows)]


async def add_stage(connection: AsyncConnection, case: Case, told: Told) -> None:
    """Keep a stage of a case; one that is there already raises a unique violation."""
    await connection.execute(
        insert(chargeback_stages).values(
            pair=case.pair,
            chargeback_id=case.chargeback_id,
            stage=told.notice.stage,
            notice=msgspec.to_builtins(told.notice),
            source=told.source,
            transaction_ids=list(told.transaction_ids),
        )
    )


async def note(connection: AsyncConnection, case: Case, *notes: Note) -> None:
    """Leave notes on a case."""
    if notes:
        rows = [
            {"pair": case.pair, "chargeback_id": case.chargeback_id, **msgspec.structs.asdict(each)}
            for each in notes
        ]
        await connection.execute(insert(chargeback_notes).values(rows))


async def notes(connection: AsyncConnection, case: Case) -> list[JsonObject]:
    """What happened to a case, oldest first."""
    table = chargeback_notes.c
    rows = await connection.execute(
        select(table.at, table.actor, table.action, table.detail)
        .where(table.chargeback_id == case.chargeback_id)
        .order_by(table.note_id)
    )
    return documents(rows)


async def taken_minor(connection: AsyncConnection, pair: str, transaction_id: str, *, but: int = 0) -> int:
    """What chargebacks have taken of a payment, in minor units of its currency; `but` leaves out one case."""
    found = await connection.scalar(
        select(func.coalesce(func.sum(chargebacks.c.suspense_minor + chargebacks.c.loss_minor), 0)).where(
            chargebacks.c.pair == pair,
            chargebacks.c.transaction_id == transaction_id,
            chargebacks.c.chargeback_id != but,
        )
    )
    return int(found or 0)


_REFUNDED = text("""
    SELECT coalesce(sum(minor), 0) FROM (
        SELECT vendor_tx_code, amount_minor AS minor FROM payments
        WHERE pair = :pair AND related_transaction_id = :of AND related_transaction_id <> '' AND kind = 'refund'
            AND state NOT IN ('ignored', 'rejected')
        UNION ALL
        SELECT vendor_tx_code, amount_minor FROM gateway_requests r
        WHERE pair = :pair AND related_transaction_id = :of AND kind = 'refund' AND state <> 'refused'
            AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.pair = r.pair AND p.vendor_tx_code = r.vendor_tx_code)
    ) AS refunds
""")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))")


async def refunded_minor(connection: AsyncConnection, pair: str, transaction_id: str) -> int:
    """What refunds have taken of a payment or may have, behind the lock that refund requests wait for too."""
    await connection.execute(_ONE_AT_A_TIME, {"key": f"{pair}/{transaction_id}"})
    return int(await connection.scalar(_REFUNDED, {"pair": pair, "of": transaction_id}) or 0)


async def awaiting_answer(connection: AsyncConnection, pair: str, until: date) -> list[Case]:
    """Open cases that want an answer by a day, the most urgent first, locked."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(chargebacks.c.pair == pair, chargebacks.c.state == "open", chargebacks.c.respond_by <= until)
        .order_by(chargebacks.c.respond_by, chargebacks.c.chargeback_id)
        .with_for_update()
    )
    return [msgspec.convert(row, Case) for row in documents(rows)]


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int, limit: int
) -> list[JsonObject]:
    """Cases as the API lists them, newest first.

    Args:
        filters: column to exact value; `respond_before` is the day until which answers are wanted.
    """
    statement = select(*COLUMNS, chargebacks.c.created_at).where(chargebacks.c.pair == pair)
    for name, value in filters.items():
        if name == "respond_before":
            statement = statement.where(chargebacks.c.respond_by <= cast(value, Date))
        else:
            statement = statement.where(chargebacks.c[name] == value)
    if before:
        statement = statement.where(chargebacks.c.chargeback_id < before)
    return documents(
        await connection.execute(statement.order_by(chargebacks.c.chargeback_id.desc()).limit(limit))
    )


async def cases_of(connection: AsyncConnection, pair: str, customers: Sequence[str]) -> list[JsonObject]:
    """The chargebacks of customers, newest first."""
    rows = await connection.execute(
        select(*COLUMNS)
        .where(chargebacks.c.pair == pair, chargebacks.c.customer.in_([each for each in customers if each]))
        .order_by(chargebacks.c.chargeback_id.desc())
        .limit(100)
    )
    return documents(rows)


async def on_the_road(
    connection: AsyncConnection, pair: str, transaction_ids: Sequence[str]
) -> list[JsonObject]:
    """The payments on the road that stages became."""
    names = ("payment_id", "transaction_id", "vendor_tx_code", "state", "amount_minor", "currency")
    rows = await connection.execute(
        select(*(payments.c[name] for name in names))
        .where(payments.c.pair == pair, payments.c.transaction_id.in_(list(transaction_ids)))
        .order_by(payments.c.payment_id)
    )
    return documents(rows)
