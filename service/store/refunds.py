"""Refunds of a payment as our rows know them, and refund proposals."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.payments import Payment
from service.store.tables import payments
from service.store.tables_refunds import refund_proposals


class CreditNote(Struct, frozen=True):
    """An AR credit that a person raised in the ERP, and that a refund of ours pays out."""

    invoice: str
    document_type: str


async def refunded_before(connection: AsyncConnection, refund: Payment) -> int:
    """Minor units that earlier refunds of the same payment gave back; `refund` itself is not counted."""
    total = await connection.scalar(
        select(func.coalesce(func.sum(payments.c.amount_minor), 0)).where(
            payments.c.pair == refund.pair,
            payments.c.related_transaction_id == refund.related_transaction_id,
            payments.c.related_transaction_id != "",
            payments.c.kind == "refund",
            payments.c.payment_id < refund.payment_id,
            payments.c.state.not_in(("ignored", "rejected")),
        )
    )
    return int(total or 0)


async def credit_note_of(connection: AsyncConnection, refund: Payment) -> CreditNote | None:
    """The credit note that a refund was proposed for; `None` when it was not, and the credit is ours to post."""
    row = (
        await connection.execute(
            select(refund_proposals.c.invoice, refund_proposals.c.document_type).where(
                refund_proposals.c.pair == refund.pair,
                refund_proposals.c.vendor_tx_code == refund.vendor_tx_code,
                refund_proposals.c.invoice != "",
            )
        )
    ).first()
    return CreditNote(row[0], row[1]) if row is not None else None
