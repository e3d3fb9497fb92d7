"""A day's files, written from the Opayo stand-in's own books: what an acquirer would send, and an export of MyOpayo.

The forms are ours, since the acquirers' own are not published; fees are made up, since Opayo knows none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from integration.sandbox.opayo.clock import iso_uk, reporting, uk_day
from integration.sandbox.opayo.money import major
from integration.sandbox.opayo.store import Batch, Store, Transaction

SETTLEMENT = (
    "batch_id,acquirer,merchant_number,batch_completed_at,line_no,vendor_tx_code,vps_tx_id,transaction_type,currency,"
    "gross_amount,fee_amount,net_amount,card_scheme,last4,auth_code,settlement_reference,funding_date"
)
CHARGEBACKS = (
    "chargeback_ref,acquirer,merchant_number,stage,reason_code,reason_text,received_on,respond_by,"
    "original_vendor_tx_code,original_vps_tx_id,auth_code,card_scheme,last4,original_amount,disputed_amount,currency,"
    "posted_on"
)
TRANSACTIONS = "Transaction Code,VPSTxId,Transaction Type,Amount,Currency,Date/Time,Status"
FEE_PER_MILLE = 14
_FUNDED_AFTER = timedelta(days=2)
_ANSWER_WITHIN = timedelta(days=21)


class ChargebackOrder(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A notice to write: which payment, which stage, and of how much (minor units; the whole when absent)."""

    vendor_tx_code: str
    stage: Literal[
        "retrieval_request",
        "first_chargeback",
        "representment",
        "second_chargeback",
        "arbitration",
        "reversed",
        "accepted",
    ] = "first_chargeback"
    reason_code: str = "10.4"
    reason_text: str = "Other fraud: card absent environment"
    amount: int | None = None


class Books(msgspec.Struct, frozen=True):
    """What the files are written from: the store of the stand-in, one vendor, and its merchant number."""

    store: Store
    vendor: str
    merchant_number: str


def day_files(books: Books, day: date, chargebacks: Sequence[ChargebackOrder] = ()) -> dict[str, bytes]:
    """The files of a UK day by their names; a file that would say nothing is left out."""
    batches = [
        batch
        for batch in books.store.batches
        if batch.vendor == books.vendor and uk_day(batch.completed) == day
    ]
    rows = [row for row in books.store.of_vendor(books.vendor) if uk_day(row.created) == day]
    made = {
        f"settlement-{day}.csv": (SETTLEMENT, list(_settlement(books, batches))),
        f"chargebacks-{day}.csv": (CHARGEBACKS, [_chargeback(books, day, order) for order in chargebacks]),
        f"transactions-{day}.csv": (TRANSACTIONS, [_transaction(row) for row in rows]),
    }
    return {name: _csv(header, lines) for name, (header, lines) in made.items() if lines}


def fee_of(row: Transaction) -> int:
    """What the acquirer keeps of a settled row, in minor units; nothing of a refund."""
    return 0 if row.type == "Refund" else (row.captured * FEE_PER_MILLE + 500) // 1000


def _settlement(books: Books, batches: Iterable[Batch]) -> Iterable[list[object]]:
    for batch in batches:
        for number, row in enumerate(batch.rows, 1):
            gross = -row.captured if row.type == "Refund" else row.captured
            fee = fee_of(row)
            amounts = [major(value, row.currency) for value in (gross, fee, gross - fee)]
            yield [
                batch.id,
                batch.acquirer,
                books.merchant_number,
                iso_uk(batch.completed),
                number,
                row.code,
                row.id,
                row.type,
                row.currency,
                *amounts,
                *_card(row),
                row.bank_auth,
                row.details.settlement_text,
                uk_day(batch.completed) + _FUNDED_AFTER,
            ]


def _chargeback(books: Books, day: date, order: ChargebackOrder) -> list[object]:
    row = books.store.by_code(books.vendor, order.vendor_tx_code)
    if row is None:
        raise ValueError(f"There is no transaction {order.vendor_tx_code}.")
    disputed = row.captured if order.amount is None else order.amount
    return [
        f"CB-{row.retrieval or row.code}",
        row.acquirer,
        books.merchant_number,
        order.stage,
        order.reason_code,
        order.reason_text,
        day,
        day + _ANSWER_WITHIN,
        row.code,
        row.id,
        row.bank_auth,
        *_card(row),
        major(row.captured, row.currency),
        major(disputed, row.currency),
        row.currency,
        day,
    ]


def _transaction(row: Transaction) -> list[object]:
    amount = major(-row.amount if row.type == "Refund" else row.amount, row.currency)
    return [row.code, f"{{{row.id}}}", row.type, amount, row.currency, reporting(row.created), row.status]


def _card(row: Transaction) -> list[object]:
    return [row.card.card_type, row.card.last4] if row.card is not None else ["", ""]


def _csv(header: str, lines: Iterable[Sequence[object]]) -> bytes:
    buffer = io.StringIO(newline="")
    buffer.write(f"{header}\r\n")
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue().encode()
