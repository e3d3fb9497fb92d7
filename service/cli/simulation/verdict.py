"""What a simulation is judged by: the books at its end, from the stand-ins' own ledgers and from our rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integration.sandbox.opayo.store import Transaction
from integration.sandbox.syspro.invariants import broken_invariants as broken_books
from integration.sandbox.syspro.ledger import ledger
from service.cli.simulation.database import SimulatedDatabase
from service.cli.simulation.street import Street
from service.core.invariants import (
    Books,
    Broken,
    Effect,
    LedgerJournal,
    LedgerOrder,
    PaymentFacts,
    PostingFacts,
    Receipt,
    Text,
    TrailLine,
    broken_invariants,
)
from service.core.references import hex_reference

_PAYMENTS = """
SELECT payment_id, transaction_id, vendor_tx_code, state, amount_minor, currency, lane IS NOT NULL AS on_lane,
       coalesce(error->>'title', findings->>'screen', '') AS reason
FROM payments ORDER BY payment_id
"""
# Voids of what was posted that a person can read of: an alert, or the beginning of the reversal.
_TOLD = """
SELECT vendor_tx_code FROM payments p
WHERE EXISTS (SELECT 1 FROM alerts WHERE code = 'opayo.money-went-back' AND subject = 'payment ' || vendor_tx_code)
   OR EXISTS (SELECT 1 FROM audit a WHERE a.payment_id = p.payment_id AND action = 'payment.reversal_begun')
"""
_TEXTS = """
SELECT 'inbox ' || inbox_id AS place, convert_from(body, 'UTF8') AS text FROM inbox
UNION ALL SELECT 'payment ' || payment_id, gateway::text || mapped::text FROM payments
"""


def verdict(street: Street, database: SimulatedDatabase) -> list[Broken]:
    """Every promise that was broken."""
    broken = broken_invariants(books(street, database))
    broken += [
        Broken(name="I9", claim="SYSPRO's books agree with themselves", evidence=each)
        for each in broken_books(street.syspro.store)
    ]
    broken += [
        Broken(name="forged", claim="a forged message is not taken", evidence=f"{each} was")
        for each in street.wrongly_taken
    ]
    return broken


def books(street: Street, database: SimulatedDatabase) -> Books:
    """Everything that is compared, as it is now."""
    erp: dict[str, Any] = dict(ledger(street.syspro.store))
    receipts = [
        Receipt(reference=r["Reference"], currency=r["Currency"], minor=r["minor"])
        for r in erp["ar_payments"]
    ]
    [inbox] = database.rows(
        "SELECT count(*) FILTER (WHERE state = 'received') AS open,"
        " coalesce(array_agg(transaction_id) FILTER (WHERE state = 'dead_letter'), '{}') AS named FROM inbox"
    )
    return Books(
        effects=_effects(street, database, {each.reference for each in receipts}),
        receipts=receipts,
        orders=[
            LedgerOrder(number=row["SalesOrder"], po_number=row["CustomerPoNumber"])
            for row in erp["sales_orders"]
            if row["CancelledFlag"] != "Y"
        ],
        journals=[
            LedgerJournal(
                number=row["GlJournal"],
                debit_minor=_minor(row["DebitAmount"]),
                credit_minor=_minor(row["CreditAmount"]),
            )
            for row in erp["journals"]
        ],
        payments=[PaymentFacts(**row) for row in database.rows(_PAYMENTS)],
        postings=[
            PostingFacts(**row)
            for row in database.rows(
                "SELECT payment_id, kind, reference, state, erp_key FROM postings ORDER BY posting_id"
            )
        ],
        trail=[
            TrailLine(**row)
            for row in database.rows(
                "SELECT audit_id, coalesce(payment_id, 0) AS payment_id, actor, action, detail FROM audit"
                " ORDER BY audit_id"
            )
        ],
        texts=[Text(**row) for row in database.rows(_TEXTS)],
        open_messages=inbox["open"],
        named_messages=frozenset(inbox["named"]),
    )


def _effects(street: Street, database: SimulatedDatabase, posted: set[str]) -> list[Effect]:
    told = {row["vendor_tx_code"] for row in database.rows(_TOLD)}
    return [
        _effect(row, told, street.unseen, posted) for row in street.opayo.parts.store.transactions.values()
    ]


def _effect(row: Transaction, told: set[str], unseen: set[str], posted: set[str]) -> Effect:
    captured, in_ledger = row.captured, hex_reference(row.id) in posted
    if in_ledger and not captured and row.txstate == 18 and (row.code in told or row.id in unseen):
        # Voided after it was posted: a break that an alert or a reversal names, or that no message ever told us of.
        captured = row.amount
    if row.id in unseen and not in_ledger:
        captured = 0
    return Effect(
        transaction_id=row.id,
        vendor_tx_code=row.code,
        currency=row.currency,
        captured_minor=captured,
        refunded_minor=row.refunded,
        refund=row.type == "Refund",
    )


def _minor(value: object) -> int:
    return int(Decimal(str(value)).scaleb(2))
