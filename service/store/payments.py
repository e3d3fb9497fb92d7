"""Payments and their postings: the rows that the road moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Table, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject
from service.store.tables import payments, postings


class PaymentChanged(Exception):
    """Somebody else wrote a payment since it was read; nothing of this batch is written."""


class Posting(Struct, kw_only=True):
    """One ERP document of a payment, and how far it has got. `posting_id` is 0 until it is stored."""

    pair: str
    payment_id: int
    sequence: int
    kind: str
    reference: str
    idempotency_key: str
    document: JsonObject
    posting_id: int = 0
    state: str = "prepared"
    erp_key: str = ""
    receipt: JsonObject = msgspec.field(default_factory=dict)
    look_ups: int = 0
    prepared_at: datetime | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    error: JsonObject | None = None
    stored: tuple[object, ...] = ()  # its written members as the database has them


class Payment(Struct, kw_only=True):
    """A payment on the road: a working copy of its row, written back at the end of each step.

    Attributes:
        amount_minor: minor units of `currency`.
        gateway: the transaction as last read from Opayo.
        order: the order as read from the shop, if there is one.
        mapped: target documents with SYSPRO's element names, by document.
        findings: what is worth a person's look, by step.
        postings: in the order in which they are posted.
    """

    payment_id: int
    pair: str
    transaction_id: str
    vendor_tx_code: str
    kind: str
    amount_minor: int
    currency: str
    state: str
    flow: str
    flow_version: int
    node: str
    lane: str | None
    due_at: datetime | None
    revision: int
    attempts: int
    failing_since: datetime | None
    customer: str
    order_reference: str
    gateway: JsonObject
    order: JsonObject | None
    mapped: JsonObject
    trace: JsonObject
    findings: JsonObject
    error: JsonObject | None
    created_at: datetime
    changed_at: datetime
    final_at: datetime | None
    postings: list[Posting] = []
    stored: tuple[object, ...] = ()  # its documents as the database has them


_PAYMENT_FIELDS = [name for name in Payment.__struct_fields__ if name not in ("postings", "stored")]
_PAYMENT_COLUMNS = [payments.c[name] for name in _PAYMENT_FIELDS]
_POSTING_FIELDS = [name for name in Posting.__struct_fields__ if name != "stored"]
_POSTING_COLUMNS = [postings.c[name] for name in _POSTING_FIELDS]
_KEPT = ("payment_id", "pair", "transaction_id", "created_at", "changed_at", "revision")
_WRITTEN = [name for name in _PAYMENT_FIELDS if name not in _KEPT]
# Documents are large, and most steps leave them alone: only those that are new objects are written again.
_DOCUMENTS = ("gateway", "order", "mapped", "trace", "findings", "error")
_LIGHT = [name for name in _WRITTEN if name not in _DOCUMENTS]
_POSTING_WRITTEN = (
    "reference", "idempotency_key", "state", "erp_key", "receipt", "look_ups", "sent_at", "confirmed_at", "error", "document",
)  # fmt: skip


def _documents(payment: Payment) -> tuple[object, ...]:
    return tuple(getattr(payment, name) for name in _DOCUMENTS)


def _state_of(posting: Posting) -> tuple[object, ...]:
    return tuple(getattr(posting, name) for name in _POSTING_WRITTEN)


def _changed(payment: Payment) -> tuple[str, ...]:
    """The documents of a payment that are not the objects which were last stored."""
    if not payment.stored:
        return _DOCUMENTS
    now = zip(_DOCUMENTS, _documents(payment), payment.stored, strict=True)
    return tuple(name for name, document, before in now if document is not before)


def _writes(table: Table, names: Sequence[str]) -> dict[str, object]:
    return {name: bindparam(f"to_{name}", type_=table.c[name].type) for name in names}


async def due(connection: AsyncConnection, pair: str, lane: str, now: datetime, limit: int) -> list[Payment]:
    """Payments that a lane may move now, longest due first, with their postings."""
    rows = await connection.execute(
        select(*_PAYMENT_COLUMNS)
        .where(payments.c.pair == pair, payments.c.lane == lane, payments.c.due_at <= now)
        .order_by(payments.c.due_at, payments.c.payment_id)
        .limit(limit)
    )
    return await _with_postings(connection, [Payment(**row) for row in rows.mappings()])


async def _with_postings(connection: AsyncConnection, found: list[Payment]) -> list[Payment]:
    if not found:
        return found
    by_id = {each.payment_id: each for each in found}
    for each in found:
        each.postings, each.stored = [], _documents(each)
    rows = await connection.execute(
        select(*_POSTING_COLUMNS)
        .where(postings.c.payment_id.in_(list(by_id)))
        .order_by(postings.c.payment_id, postings.c.sequence)
    )
    for row in rows.mappings():
        posting = Posting(**row)
        posting.stored = _state_of(posting)
        by_id[row["payment_id"]].postings.append(posting)
    return found


async def of_transactions(
    connection: AsyncConnection, pair: str, transaction_ids: Sequence[str]
) -> dict[str, Payment]:
    """Payments by transaction id, locked against other writers until the transaction ends."""
    rows = await connection.execute(
        select(*_PAYMENT_COLUMNS)
        .where(payments.c.pair == pair, payments.c.transaction_id.in_(list(transaction_ids)))
        .order_by(payments.c.payment_id)
        .with_for_update()
    )
    found = await _with_postings(connection, [Payment(**row) for row in rows.mappings()])
    return {each.transaction_id: each for each in found}


async def one(
    connection: AsyncConnection, pair: str, payment_id: int, *, lock: bool = False
) -> Payment | None:
    """One payment with its postings, or `None`; locked when it is going to be changed."""
    statement = select(*_PAYMENT_COLUMNS).where(payments.c.pair == pair, payments.c.payment_id == payment_id)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().first()
    if row is None:
        return None
    return (await _with_postings(connection, [Payment(**row)]))[0]


async def add(connection: AsyncConnection, new: Sequence[Payment]) -> None:
    """Insert payments; each gets its id. A transaction that we have already raises a unique violation."""
    for each in new:
        values = {name: getattr(each, name) for name in ("pair", "transaction_id", *_WRITTEN)}
        each.payment_id = await connection.scalar(
            insert(payments).values(values).returning(payments.c.payment_id)
        )
        each.stored = _documents(each)


async def save(connection: AsyncConnection, changed: Sequence[Payment]) -> None:
    """Write payments and their postings back, new postings included.

    Raises:
        PaymentChanged: one of them was written by somebody else since it was read.
    """
    groups: dict[tuple[str, ...], list[Payment]] = {}
    for each in changed:
        groups.setdefault(_changed(each), []).append(each)
    for documents, members in groups.items():
        await _write(connection, [*_LIGHT, *documents], members)
    every = [posting for each in changed for posting in each.postings]
    await _add_postings(connection, [each for each in every if not each.posting_id])
    stored = [each for each in every if each.stored and each.stored != _state_of(each)]
    if stored:
        await connection.execute(
            update(postings)
            .where(postings.c.posting_id == bindparam("at_posting_id"))
            .values(_writes(postings, _POSTING_WRITTEN)),
            [
                {f"to_{name}": getattr(each, name) for name in _POSTING_WRITTEN}
                | {"at_posting_id": each.posting_id}
                for each in stored
            ],
        )
    for posting in every:
        posting.stored = _state_of(posting)


async def _write(connection: AsyncConnection, names: Sequence[str], members: Sequence[Payment]) -> None:
    result = await connection.execute(
        update(payments)
        .where(
            payments.c.payment_id == bindparam("at_payment_id"),
            payments.c.revision == bindparam("at_revision"),
        )
        .values(_writes(payments, names) | {"changed_at": func.now(), "revision": payments.c.revision + 1}),
        [
            {f"to_{name}": getattr(each, name) for name in names}
            | {"at_payment_id": each.payment_id, "at_revision": each.revision}
            for each in members
        ],
    )
    if result.rowcount != len(members):
        raise PaymentChanged(", ".join(str(each.payment_id) for each in members))
    for each in members:
        each.revision += 1
        each.stored = _documents(each)


async def _add_postings(connection: AsyncConnection, new: Sequence[Posting]) -> None:
    if not new:
        return
    names = [name for name in _POSTING_FIELDS if name not in ("posting_id", "prepared_at")]
    rows = await connection.execute(
        insert(postings)
        .values([{name: getattr(each, name) for name in names} for each in new])
        .returning(postings.c.payment_id, postings.c.sequence, postings.c.posting_id)
    )
    ids = {(row[0], row[1]): row[2] for row in rows}
    for each in new:
        each.posting_id = ids[each.payment_id, each.sequence]


async def states(connection: AsyncConnection, pair: str, payment_ids: Sequence[int]) -> dict[int, str]:
    """The states of payments, by their ids."""
    rows = await connection.execute(
        select(payments.c.payment_id, payments.c.state).where(
            payments.c.pair == pair, payments.c.payment_id.in_(list(payment_ids))
        )
    )
    return {row[0]: row[1] for row in rows}


def _resting(payment: Payment, key: str) -> ColumnElement[bool]:
    mark = payments.c.findings["aggregate"]["key"].as_string()
    return and_(payments.c.pair == payment.pair, payments.c.node == payment.node, mark == key)


async def wake_group(connection: AsyncConnection, payment: Payment, key: str, enough: int) -> bool:
    """Make the payments that wait on the node of `payment` for a group of that key due, if they are enough.

    Only the lane's holder may: it changes rows that nobody else writes.
    """
    resting = await connection.scalar(
        select(func.count()).where(_resting(payment, key), payments.c.lane == payment.lane)
    )
    if int(resting or 0) < enough:
        return False
    await connection.execute(update(payments).where(_resting(payment, key)).values(due_at=func.now()))
    return True
