"""Reporting's settlement batches: the list by completion, and the rows of one."""

from __future__ import annotations

from integration.sandbox.opayo.clock import reporting_ms
from integration.sandbox.opayo.money import major
from integration.sandbox.opayo.reporting_lists import row_elements
from integration.sandbox.opayo.reporting_query import Query, ReportingError, elements
from integration.sandbox.opayo.store import Batch, Transaction


def batch_list(query: Query) -> str:
    """``getBatchList``: batches completed in the period, their totals by currency."""
    start, end = query.period()
    mine = [b for b in query.store.batches if b.vendor == query.vendor and start <= b.completed <= end]
    return f"<batches>{''.join(_batch(batch) for batch in mine)}</batches>"


def _batch(batch: Batch) -> str:
    head = elements(
        {
            "batchid": batch.id,
            "authprocessorname": batch.acquirer,
            "completed": reporting_ms(batch.completed),
        }
    )
    groups = "".join(_group(batch, currency) for currency in sorted({row.currency for row in batch.rows}))
    return f"<batch>{head}<transactiongroups>{groups}</transactiongroups></batch>"


def _group(batch: Batch, currency: str) -> str:
    rows = [row for row in batch.rows if row.currency == currency]
    refunds = [row for row in rows if row.type == "Refund"]
    payments = [row for row in rows if row.type != "Refund"]
    values = elements(
        {
            "currency": currency,
            "paymentnumber": len(payments),
            "paymentvalue": major(_captured(payments), currency),
            "refundnumber": len(refunds),
            "refundvalue": major(_captured(refunds), currency),
        }
    )
    return f"<transactiongroup>{values}</transactiongroup>"


def _captured(rows: list[Transaction]) -> int:
    return sum(row.captured for row in rows)


def batch_detail(query: Query) -> str:
    """``getBatchDetail``: rows of the batch named by ``batchid`` and ``authprocessor``.

    The amount of a row is what was settled: a Deferred released in part shows that part.
    """
    identifier, acquirer = query.required("batchid"), query.required("authprocessor")
    found = next(
        (
            b
            for b in query.store.batches
            if (b.vendor, b.id, b.acquirer) == (query.vendor, identifier, acquirer)
        ),
        None,
    )
    if found is None:
        raise ReportingError("3002", "The batchid and authprocessor have an invalid value.")
    first, page = query.page(found.rows)
    body = "".join(f"<transaction>{_settled(number, row)}</transaction>" for number, row in page)
    last = page[-1][0] if page else first
    head = elements({"totalrows": len(found.rows), "startrow": first, "endrow": last})
    return f"<transactions>{head}{body}</transactions>"


def _settled(number: int, row: Transaction) -> str:
    text = row_elements(number, row, reporting_ms(row.created))
    whole, part = (f"<amount>{major(value, row.currency)}</amount>" for value in (row.amount, row.captured))
    return text.replace(whole, part, 1)
