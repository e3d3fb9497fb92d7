"""Reads the books of a street at rest: Opayo's and SYSPRO's own ledgers, our rows, and every text that was kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

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
from tests.soak.street import Street

_DRAWN = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|evt_[0-9a-f]{20}|[0-9A-F]{30,32}")
_PAYMENTS = """
    SELECT p.payment_id, p.transaction_id, p.vendor_tx_code, p.state, p.amount_minor, p.currency, p.lane IS NOT NULL,
           coalesce(d.error->>'title', p.error->>'title', p.findings->'screen'->'reasons'->>0, '')
    FROM payments p LEFT JOIN dead_letters d ON d.payment_id = p.payment_id AND d.closed_at IS NULL
"""
_TEXT_COLUMNS = """
    SELECT table_name, array_agg(column_name::text) FILTER (WHERE data_type = 'bytea')
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY table_name ORDER BY table_name
"""


def books(street: Street) -> Books:
    """Everything there is to compare."""
    opayo, syspro = street.ledger("opayo"), street.ledger("syspro")
    return Books(
        effects=tuple(_effect(row) for row in opayo["transactions"]),
        receipts=tuple(
            Receipt(reference=row["Reference"], currency=row["Currency"], minor=row["minor"])
            for row in syspro["ar_payments"]
        ),
        orders=tuple(
            LedgerOrder(number=row["SalesOrder"], po_number=row["CustomerPoNumber"])
            for row in syspro["sales_orders"]
            if row["CancelledFlag"] != "Y" and row["OrderStatus"] != "\\"
        ),
        journals=tuple(_journal(row) for row in syspro["journals"]),
        payments=tuple(_payment(row) for row in street.rows(_PAYMENTS)),
        postings=tuple(
            PostingFacts(payment_id=row[0], kind=row[1], reference=row[2], state=row[3], erp_key=row[4])
            for row in street.rows("SELECT payment_id, kind, reference, state, erp_key FROM postings")
        ),
        trail=tuple(
            TrailLine(audit_id=row[0], payment_id=row[1], actor=row[2], action=row[3], detail=row[4])
            for row in street.rows(
                "SELECT audit_id, coalesce(payment_id, 0), actor, action, detail FROM audit"
            )
        ),
        texts=tuple(_texts(street)),
        open_messages=street.rows("SELECT count(*) FROM inbox WHERE state = 'received'")[0][0],
        named_messages=frozenset(
            row[0] for row in street.rows("SELECT transaction_id FROM inbox WHERE state = 'dead_letter'")
        ),
    )


def assert_kept(street: Street) -> tuple[Books, dict[str, object]]:
    """Check every invariant; gives the books and the figures that a report shows.

    Raises:
        AssertionError: a promise was broken; the text names each with its evidence.
    """
    found = books(street)
    broken = broken_invariants(found)
    assert not broken, "\n".join([*map(_sentence, broken[:40]), *_messages(street, broken[:5])])
    return found, figures(found, broken)


def _sentence(each: Broken) -> str:
    return f"{each.name} ({each.claim}): {each.evidence}"


def _messages(street: Street, broken: list[Broken]) -> Iterator[str]:
    """What the inbox knows of the payments that broken promises are about."""
    for code in sorted({each.evidence.partition(":")[0] for each in broken if each.name == "I2"}):
        rows = street.rows(
            "SELECT inbox_id, event_id, transaction_id, state, deliveries, received_at, done_at, error FROM inbox"
            f" WHERE vendor_tx_code = '{code}'"
        )
        yield f"inbox of {code}: {rows}; Opayo's sender: {street.ledger('opayo')['events']}"


def figures(found: Books, broken: list[Broken]) -> dict[str, object]:
    """What became of the money, in counts."""
    posted = {each.reference for each in found.receipts}
    captured = [each for each in found.effects if each.captured_minor and not each.refund]
    states = [each.state for each in found.payments]
    return {
        "payments": len(captured),
        "posted": len(posted),
        "held": states.count("held"),
        "dead_letters": states.count("dead_letter") + states.count("exception"),
        "doubled": len(found.receipts) - len(posted),
        "lost": len([each for each in broken if each.name == "I2"]),
        "ambiguous": len([each for each in found.postings if each.state == "ambiguous"]),
        "broken": len(broken),
    }


def _effect(row: dict[str, Any]) -> Effect:
    return Effect(
        transaction_id=row["transactionId"],
        vendor_tx_code=row["vendorTxCode"],
        currency=row["currency"],
        captured_minor=row["captured"],
        refunded_minor=row["refunded"],
        refund=row["transactionType"] == "Refund",
    )


def _journal(row: dict[str, Any]) -> LedgerJournal:
    return LedgerJournal(
        number=row["GlJournal"],
        debit_minor=int(Decimal(row["DebitAmount"]).scaleb(2)),
        credit_minor=int(Decimal(row["CreditAmount"]).scaleb(2)),
    )


def _payment(row: tuple[Any, ...]) -> PaymentFacts:
    return PaymentFacts(
        payment_id=row[0],
        transaction_id=row[1],
        vendor_tx_code=row[2],
        state=row[3],
        amount_minor=row[4],
        currency=row[5],
        on_lane=row[6],
        reason=row[7],
    )


def _texts(street: Street) -> Iterator[Text]:
    """Everything kept, but for ids that others drew at random: one in some thousands happens to look like a card."""
    for each in _kept(street):
        yield Text(place=each.place, text=_DRAWN.sub("", each.text))


def _kept(street: Street) -> Iterator[Text]:
    """Every row of every table as text, and every log; sealed bytes are left out, and messages read as text."""
    for table, sealed in street.rows(_TEXT_COLUMNS):
        minus = "".join(f" - '{column}'" for column in sealed or ())
        for (row,) in street.rows(f'SELECT (to_jsonb(t){minus})::text FROM "{table}" t'):
            yield Text(place=f"table {table}", text=row)
    for (body,) in street.rows("SELECT convert_from(body, 'UTF8') FROM inbox"):
        yield Text(place="table inbox, body", text=body)
    for log in sorted([*street.folder.glob("*.log"), street.folder / "service/postgresql.log"]):
        if not log.name.startswith("sandbox"):
            # The same line of a traceback, thousands of times, is looked at once.
            for line in set(log.read_text(errors="replace").splitlines()):
                yield Text(place=f"log {log.name}", text=line)
