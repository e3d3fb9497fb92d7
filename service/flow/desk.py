"""The desk at which a person decides of a payment: one transaction, one pair, one name for the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from integration.errors import NotFound
from service.flow.library import Library
from service.store import audit, payments
from service.store.audit import Line
from service.store.pairs import PairSettings
from service.store.payments import Payment


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where a person decides.

    Attributes:
        connection: in a transaction; the decision and its line are kept or lost together.
        actor: who decides, as the audit trail names them.
    """

    connection: AsyncConnection
    pair: PairSettings
    library: Library
    now: datetime
    actor: str
    note: str = ""

    async def payment(self, payment_id: int) -> Payment:
        """A payment of the pair, locked.

        Raises:
            NotFound: the pair has none of that id.
        """
        found = await payments.one(self.connection, self.pair.pair, payment_id, lock=True)
        if found is None:
            raise NotFound(
                f"Pair `{self.pair.pair}` has no payment {payment_id}",
                code="payment.unknown",
                hint="List the pair's payments.",
            )
        return found

    async def line(self, action: str, payment: Payment, **detail: object) -> None:
        """Leave a line in the audit trail."""
        told = {**detail, **({"note": self.note} if self.note else {})}
        await audit.write(
            self.connection,
            [
                Line(
                    pair=payment.pair,
                    payment_id=payment.payment_id,
                    actor=self.actor,
                    action=action,
                    detail=told,
                )
            ],
        )
