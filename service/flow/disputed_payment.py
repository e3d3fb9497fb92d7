"""The payment that a chargeback is about: which one it is, and what is known of its money."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from integration.errors import Unreachable
from service.core.chargebacks import DisputedPayment
from service.core.exchange import Conversion
from service.core.lifecycle import IN_LEDGER, PaymentState
from service.flow.facts import looked_up, notice_of, transaction_of
from service.flow.stage import Stage
from service.store import chargebacks, payments
from service.store.chargebacks import Case
from service.store.payments import Payment
from service.store.tables import payments as payment_table

# On its way into the ledger: a chargeback of it waits until it is there.
_MOVING = frozenset(
    {PaymentState.RECEIVED, PaymentState.VALIDATED, PaymentState.MAPPED, PaymentState.CLEARED}
)
_NOT_ORIGINALS = ("refund", "chargeback")


async def find(
    connection: AsyncConnection, case: Case | None, notice: ChargebackNotice, pair: str
) -> Payment | None:
    """The payment that is disputed; `None` when we know none, or the notice names two different ones."""
    wanted = notice.transaction_id or (case.transaction_id if case is not None else "")
    if not wanted and notice.vendor_tx_code:
        found = await connection.scalars(
            select(payment_table.c.transaction_id).where(
                payment_table.c.pair == pair,
                payment_table.c.vendor_tx_code == notice.vendor_tx_code,
                payment_table.c.kind.not_in(_NOT_ORIGINALS),
            )
        )
        named = list(found)
        wanted = named[0] if len(named) == 1 else ""
    row = await payments.of_transaction(connection, pair, wanted) if wanted else None
    if row is None or row.kind in _NOT_ORIGINALS:
        return None
    code = notice.vendor_tx_code
    return None if code and row.vendor_tx_code and code != row.vendor_tx_code else row


async def describe(
    connection: AsyncConnection, case: Case | None, original: Payment | None, notice: ChargebackNotice
) -> DisputedPayment | None:
    """What is known of the disputed payment; `None` without one.

    Raises:
        Unreachable: it is still on its way into the ledger.
    """
    if original is None:
        return None
    state = PaymentState(original.state)
    if state in _MOVING:
        raise waits(notice, f"is {state}")
    captured = transaction_of(original).captured
    conversion = looked_up(original).get("conversion")
    posted = msgspec.convert(conversion, Conversion).converted if conversion else captured
    pair, of = original.pair, original.transaction_id
    refunded = await chargebacks.refunded_minor(connection, pair, of)
    elsewhere = await chargebacks.taken_minor(connection, pair, of, but=case.chargeback_id if case else 0)
    return DisputedPayment(
        captured=captured,
        posted=posted,
        refunded=Money(refunded, captured.currency),
        taken_elsewhere=elsewhere,
        customer=original.customer,
        in_ledger=state in IN_LEDGER,
    )


async def paid_back_twice(payment: Payment, stage: Stage) -> list[str]:
    """Why money that goes back is held for a person; nothing where it goes back once.

    Of a chargeback that was decided when it came; a refund is held when chargebacks took what it gives back.
    """
    notice = notice_of(payment)
    if notice is not None:
        return list(notice.step.hold) if notice.step is not None else []
    of = payment.related_transaction_id
    if not of:
        return []
    async with stage.reads.connect() as connection:
        taken = await chargebacks.taken_minor(connection, payment.pair, of)
        original = await payments.of_transaction(connection, payment.pair, of) if taken else None
    if original is None:
        return []
    async with stage.engine.begin() as connection:
        refunded = await chargebacks.refunded_minor(connection, payment.pair, of)
    captured = transaction_of(original).captured
    if refunded + taken <= captured.minor:
        return []
    back, gone = Money(refunded, captured.currency), Money(taken, captured.currency)
    return [
        f"Paid back twice: refunds of {back} and chargebacks of {gone} are more than the {captured} taken."
    ]


def waits(notice: ChargebackNotice, why: str) -> Unreachable:
    """The error of a notice that has come before its payment; the message is taken again later."""
    named = notice.vendor_tx_code or notice.transaction_id or "of unknown name"
    return Unreachable(
        f"Chargeback {notice.chargeback_ref} waits for the payment {named}, which {why}",
        code="chargeback.waits-for-payment",
    )
