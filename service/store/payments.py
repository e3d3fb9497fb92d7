"""Payments and their postings: the rows that the road moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.recordset import change, insertion, quoted, run
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
    parsed: dict[str, tuple[object, object]] = {}  # the document, and what was read out of it


class Payment(Struct, kw_only=True):
    """A payment on the road: a working copy of its row, written back at the end of each step.

    Attributes:
        amount_minor: minor units of `currency`.
        gateway: the transaction as last read from Opayo.
        related_transaction_id: the payment that a refund, repeat, authorise or chargeback is about.
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
    related_transaction_id: str = ""
    postings: list[Posting] = []
    stored: tuple[object, ...] = ()  # its documents as the database has them
    parsed: dict[str, tuple[object, object]] = {}  # by member: the document, and what was read out of it


_PAYMENT_FIELDS = [name for name in Payment.__struct_fields__ if name not in ("postings", "stored", "parsed")]
_POSTING_FIELDS = [name for name in Posting.__struct_fields__ if name not in ("stored", "parsed")]
_KEPT = ("payment_id", "pair", "transaction_id", "created_at", "changed_at", "revision")
_WRITTEN = [name for name in _PAYMENT_FIELDS if name not in _KEPT]
# Documents are large, and most steps leave them alone: only those that are new objects are written again.
_DOCUMENTS = ("gateway", "order", "mapped", "trace", "findings", "error")
_LIGHT = tuple(name for name in _WRITTEN if name not in _DOCUMENTS)
_POSTING_WRITTEN = (
    "reference", "idempotency_key", "state", "erp_key", "receipt", "look_ups", "sent_at", "confirmed_at", "error", "document",
)  # fmt: skip


def _select(left_out: str = "") -> str:
    # A payment comes as one JSON object, its postings inside: decoded once, straight into the working copy.
    names = [name for name in _PAYMENT_FIELDS if name != left_out]
    empty = f""", '{{}}'::json AS "{left_out}" """ if left_out else ""
    return f"""
        SELECT (SELECT row_to_json(r)::text FROM (SELECT {quoted(names, "p.")}{empty}, (
            SELECT coalesce(json_agg(o), '[]'::json) FROM (
                SELECT {quoted(_POSTING_FIELDS)} FROM postings WHERE payment_id = p.payment_id ORDER BY sequence
            ) AS o) AS postings) AS r)
        FROM payments AS p"""  # noqa: S608 - the names are those of our own columns


_SELECT = _select()
# The largest document is for people alone: no step reads it, and `map` writes a new one.
_DUE = (
    f"{_select('trace')} WHERE p.pair = %s AND p.lane = %s AND p.due_at <= %s"
    " ORDER BY p.due_at, p.payment_id LIMIT %s"
)
_OF_TRANSACTIONS = (
    f"{_SELECT} WHERE p.pair = %s AND p.transaction_id = ANY(%s) ORDER BY p.payment_id FOR UPDATE OF p"
)
_OF_TRANSACTION = f"{_SELECT} WHERE p.pair = %s AND p.transaction_id = %s"
_ONE = f"{_SELECT} WHERE p.pair = %s AND p.payment_id = %s"
_DECODER = msgspec.json.Decoder(Payment)


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


async def _read(connection: AsyncConnection, statement: str, *values: object) -> list[Payment]:
    rows = await connection.exec_driver_sql(statement, values)
    found = [_DECODER.decode(row[0]) for row in rows]
    for each in found:
        each.stored = _documents(each)
        for posting in each.postings:
            posting.stored = _state_of(posting)
    return found


async def due(connection: AsyncConnection, pair: str, lane: str, now: datetime, limit: int) -> list[Payment]:
    """Payments that a lane may move now, longest due first, with their postings and without their traces."""
    return await _read(connection, _DUE, pair, lane, now, limit)


async def of_transactions(
    connection: AsyncConnection, pair: str, transaction_ids: Sequence[str]
) -> dict[str, Payment]:
    """Payments by transaction id, locked against other writers until the transaction ends."""
    found = await _read(connection, _OF_TRANSACTIONS, pair, list(transaction_ids))
    return {each.transaction_id: each for each in found}


async def of_transaction(connection: AsyncConnection, pair: str, transaction_id: str) -> Payment | None:
    """The payment of a transaction, to be read and not changed; or `None`."""
    found = await _read(connection, _OF_TRANSACTION, pair, transaction_id)
    return found[0] if found else None


async def one(
    connection: AsyncConnection, pair: str, payment_id: int, *, lock: bool = False
) -> Payment | None:
    """One payment with its postings, or `None`; locked when it is going to be changed."""
    found = await _read(connection, f"{_ONE} FOR UPDATE OF p" if lock else _ONE, pair, payment_id)
    return found[0] if found else None


async def add(connection: AsyncConnection, new: Sequence[Payment]) -> None:
    """Insert payments; each gets its id. A transaction that we have already raises a unique violation."""
    if not new:
        return
    names = ("pair", "transaction_id", *_WRITTEN)
    statement = insertion(payments, names, "transaction_id, payment_id")
    rows = await run(connection, statement, [{name: getattr(each, name) for name in names} for each in new])
    ids = {row[0]: row[1] for row in rows}
    for each in new:
        each.payment_id = ids[each.transaction_id]
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
        await _write(connection, _LIGHT + documents, members)
    every = [posting for each in changed for posting in each.postings]
    await _add_postings(connection, [each for each in every if not each.posting_id])
    stored = [each for each in every if each.stored and each.stored != _state_of(each)]
    if stored:
        names = ("posting_id", *_POSTING_WRITTEN)
        await run(
            connection,
            change(postings, ("posting_id",), _POSTING_WRITTEN),
            [{name: getattr(each, name) for name in names} for each in stored],
        )
    for posting in every:
        posting.stored = _state_of(posting)


async def _write(connection: AsyncConnection, names: tuple[str, ...], members: Sequence[Payment]) -> None:
    keys = ("payment_id", "revision")
    statement = change(payments, keys, names, ", changed_at = now(), revision = t.revision + 1")
    rows = [{name: getattr(each, name) for name in (*keys, *names)} for each in members]
    result = await run(connection, statement, rows)
    if result.rowcount != len(members):
        raise PaymentChanged(", ".join(str(each.payment_id) for each in members))
    for each in members:
        each.revision += 1
        each.stored = _documents(each)


async def _add_postings(connection: AsyncConnection, new: Sequence[Posting]) -> None:
    if not new:
        return
    names = tuple(name for name in _POSTING_FIELDS if name not in ("posting_id", "prepared_at"))
    statement = insertion(postings, names, "payment_id, sequence, posting_id")
    rows = await run(connection, statement, [{name: getattr(each, name) for name in names} for each in new])
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
