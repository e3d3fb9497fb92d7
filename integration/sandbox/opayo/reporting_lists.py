"""Reporting's lists of transactions, in pages of at most fifty rows."""

from __future__ import annotations

from integration.sandbox.opayo.clock import UK, reporting
from integration.sandbox.opayo.money import major
from integration.sandbox.opayo.reporting_detail import fraud_score
from integration.sandbox.opayo.reporting_query import Query, ReportingError, element, elements, yes
from integration.sandbox.opayo.store import Transaction

_SUCCESS = frozenset({14, 15, 16, 18, 19, 21, 22, 23, 26, 27, 29})


def succeeded(row: Transaction) -> bool:
    """Whether a list calls the row SUCCESS: it was accepted once, whatever became of it later."""
    return row.txstate in _SUCCESS


def transaction_list(query: Query) -> str:
    """``getTransactionList``: rows by their start, or those of one ``vendortxcode``."""
    code = query.fields.get("vendortxcode", "")
    rows = query.store.of_vendor(query.vendor)
    if code:
        rows = [row for row in rows if row.code == code]
    if not code or "startdate" in query.fields:
        rows = _started_within(query, rows)
    if not query.engine.config.quirks.list_failures:
        rows = [row for row in rows if succeeded(row)]
    return _listed(query, rows)


def _started_within(query: Query, rows: list[Transaction]) -> list[Transaction]:
    start, end = query.period()
    if not query.engine.config.quirks.naive_list_times:
        return [row for row in rows if start <= row.created.replace(microsecond=0) <= end]
    first, last = (moment.astimezone(UK).replace(tzinfo=None) for moment in (start, end))
    return [
        row for row in rows if first <= row.created.astimezone(UK).replace(tzinfo=None, microsecond=0) <= last
    ]


def related_transactions(query: Query) -> str:
    """``getRelatedTransactions``: refunds, repeats and authorises of one transaction."""
    return _listed(query, query.store.related(query.by_id()))


def summary(query: Query) -> str:
    """``getTransactionSummary``: number and value by currency of what succeeded."""
    start, end = query.period()
    totals: dict[str, tuple[int, int]] = {}
    for row in query.store.of_vendor(query.vendor):
        if start <= row.created <= end and succeeded(row):
            count, value = totals.get(row.currency, (0, 0))
            totals[row.currency] = (count + 1, value + row.amount)
    if not totals:
        raise ReportingError("2212", "There was no successful transaction in this period.")
    groups = "".join(
        f"<summary>{elements({'currency': currency, 'number': count, 'value': major(value, currency)})}</summary>"
        for currency, (count, value) in sorted(totals.items())
    )
    return f"<summaries>{groups}</summaries>"


def _listed(query: Query, rows: list[Transaction]) -> str:
    first, page = query.page(rows)
    body = "".join(f"<transaction>{row_elements(number, row)}</transaction>" for number, row in page)
    last = page[-1][0] if page else first
    head = elements({"totalrows": len(rows), "startrow": first, "endrow": last})
    return f"<transactions>{head}{body}</transactions>"


def row_elements(number: int, row: Transaction, started: str = "") -> str:
    """One row of a list; batches write ``started`` their own way."""
    return (
        element("rownumber", number)
        + elements(
            {
                "vpstxid": row.id,
                "vendortxcode": row.code,
                "transactiontype": row.type,
                "result": "SUCCESS" if succeeded(row) else "FAILURE",
                "amount": major(row.amount, row.currency),
                "currency": row.currency,
                "started": started or reporting(row.created),
                "authprocessor": row.acquirer,
            }
        )
        + elements({"refunded": yes(row.refunded > 0), "t3maction": fraud_score(row)[1]})
    )
