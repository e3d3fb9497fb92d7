"""Refund proposals, and which credit notes of the ERP were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.money import Money
from service.store.rows import JsonObject, document, documents
from service.store.tables import payments, postings
from service.store.tables_changes import erp_rows
from service.store.tables_refunds import credit_notes, refund_proposals


class Proposal(Struct, frozen=True, kw_only=True):
    """Money that somebody wants to give back.

    Attributes:
        source: what it is made from; one thing is one proposal.
        vendor_tx_code: of the refund, once it is sent.
        invoice, document_type: the AR credit that is there already, and where it lies: `C`, or `I` on the invoice.
        proposer_key: the API key that asked; `None` when the ERP did.
    """

    pair: str
    source: str
    related_transaction_id: str
    vendor_tx_code: str
    amount: Money
    proposed_by: str
    reason: str = ""
    customer: str = ""
    invoice: str = ""
    document_type: str = ""
    proposer_key: int | None = None


async def add(connection: AsyncConnection, proposal: Proposal) -> int | None:
    """Write a proposal down; `None` when there is one of that source already."""
    members = {name: getattr(proposal, name) for name in proposal.__struct_fields__ if name != "amount"}
    found: int | None = await connection.scalar(
        insert(refund_proposals)
        .values(members | {"amount_minor": proposal.amount.minor, "currency": proposal.amount.currency})
        .on_conflict_do_nothing()
        .returning(refund_proposals.c.proposal_id)
    )
    return found


async def one(connection: AsyncConnection, pair: str, proposal_id: int) -> JsonObject | None:
    """A proposal, locked until the transaction ends; or `None`."""
    statement = (
        select(refund_proposals)
        .where(refund_proposals.c.pair == pair, refund_proposals.c.proposal_id == proposal_id)
        .with_for_update()
    )
    return document(await connection.execute(statement))


async def of_source(connection: AsyncConnection, pair: str, source: str) -> JsonObject | None:
    """The proposal that was made from something, or `None`."""
    statement = select(refund_proposals).where(
        refund_proposals.c.pair == pair, refund_proposals.c.source == source
    )
    return document(await connection.execute(statement))


async def listed(
    connection: AsyncConnection, pair: str, *, state: str, before: int, limit: int
) -> list[JsonObject]:
    """Proposals as the API lists them, newest first."""
    statement = select(refund_proposals).where(refund_proposals.c.pair == pair)
    if state:
        statement = statement.where(refund_proposals.c.state == state)
    if before:
        statement = statement.where(refund_proposals.c.proposal_id < before)
    statement = statement.order_by(refund_proposals.c.proposal_id.desc()).limit(limit)
    return documents(await connection.execute(statement))


async def become(
    connection: AsyncConnection, pair: str, proposal_id: int, state: str, **more: object
) -> None:
    """Move a proposal on: `approved`, `sent`, `refused` or `done`."""
    await connection.execute(
        update(refund_proposals)
        .where(refund_proposals.c.pair == pair, refund_proposals.c.proposal_id == proposal_id)
        .values(state=state, changed_at=func.now(), **more)
    )


async def approved(connection: AsyncConnection, pair: str, before: datetime) -> list[JsonObject]:
    """Proposals that were approved and whose refund was not heard of since."""
    statement = select(refund_proposals).where(
        refund_proposals.c.pair == pair,
        refund_proposals.c.state == "approved",
        refund_proposals.c.changed_at <= before,
    )
    return documents(await connection.execute(statement.order_by(refund_proposals.c.proposal_id)))


async def finish_posted(connection: AsyncConnection, pair: str) -> int:
    """Those whose refund is in the ledger are done; returns how many."""
    posted = exists().where(
        payments.c.pair == refund_proposals.c.pair,
        payments.c.transaction_id == refund_proposals.c.transaction_id,
        payments.c.state.in_(("confirmed", "reconciled")),
    )
    result = await connection.execute(
        update(refund_proposals)
        .where(refund_proposals.c.pair == pair, refund_proposals.c.state == "sent", posted)
        .values(state="done", changed_at=func.now())
    )
    return int(result.rowcount)


# --- credit notes of the ERP ----------------------------------------------------------------------


async def fresh_credit_notes(connection: AsyncConnection, pair: str, limit: int) -> list[JsonObject]:
    """Credits that the poll of changes saw and nobody looked at: documents of their own, or on an invoice."""
    values = erp_rows.c["values"]
    alone = and_(erp_rows.c.kind == "ar_invoice", values["DocumentType"].astext == "C")
    onto = and_(
        erp_rows.c.kind == "ar_payment",
        values["TrnType"].astext == "C",
        values["DocumentType"].astext == "I",
    )
    seen = exists().where(credit_notes.c.pair == erp_rows.c.pair, credit_notes.c.key == erp_rows.c.key)
    statement = (
        select(erp_rows.c.kind, erp_rows.c.key, values)
        .where(erp_rows.c.pair == pair, or_(alone, onto), ~seen)
        .order_by(erp_rows.c.changed_at)
        .limit(limit)
    )
    return documents(await connection.execute(statement))


async def looked_at(connection: AsyncConnection, pair: str, key: str, outcome: str) -> None:
    """Note what a credit turned out to be, so that it is looked at once."""
    await connection.execute(
        insert(credit_notes).values(pair=pair, key=key, outcome=outcome).on_conflict_do_nothing()
    )


async def is_ours(
    connection: AsyncConnection, pair: str, numbers: Sequence[str], references: Sequence[str]
) -> bool:
    """Whether we posted a credit ourselves: by SYSPRO's number of it, or by our reference."""
    found = await connection.scalar(
        select(func.count()).where(
            postings.c.pair == pair,
            or_(
                and_(
                    postings.c.kind.in_(("ar_invoice", "order_invoice", "credit_note")),
                    func.ltrim(postings.c.erp_key, "0").in_(
                        [number.lstrip("0") for number in numbers if number]
                    ),
                ),
                postings.c.reference.in_([reference for reference in references if reference]),
            ),
        )
    )
    return bool(found)


async def payments_of(
    connection: AsyncConnection, pair: str, kind: str, number: str
) -> list[tuple[int, str]]:
    """Payments, by id and transaction id, whose posting of a kind has a number of SYSPRO's."""
    rows = await connection.execute(
        select(payments.c.payment_id, payments.c.transaction_id)
        .join(postings, postings.c.payment_id == payments.c.payment_id)
        .where(
            payments.c.pair == pair,
            payments.c.kind.not_in(("refund", "chargeback")),
            postings.c.kind == kind,
            postings.c.state == "confirmed",
            func.ltrim(postings.c.erp_key, "0") == number.lstrip("0"),
        )
    )
    return [(row[0], row[1]) for row in rows]


async def refund_under_way(connection: AsyncConnection, pair: str, transaction_id: str) -> bool:
    """Whether a refund of a payment is not at rest: a credit seen now may be the one it is posting."""
    found = await connection.scalar(
        select(func.count()).where(
            payments.c.pair == pair,
            payments.c.related_transaction_id == transaction_id,
            payments.c.kind == "refund",
            payments.c.final_at.is_(None),
        )
    )
    return bool(found)
