"""Reporting's lists: rows by the time they started, in pages of fifty, times in the United Kingdom's own."""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from integration.canonical.listing import ListedTransaction, ListingPage, ListingWindow
from integration.canonical.money import Money
from integration.errors import InvalidPayment
from integration.opayo import schema
from integration.opayo.uk_time import uk_text, utc
from integration.opayo.vocabulary import kind_of

PAGE = 50
"""Rows asked for at once. Opayo allows a difference of fifty between first and last, so one more would do."""


def list_parameters(window: ListingWindow) -> dict[str, str]:
    """The elements that ask for a page of a window."""
    return {
        "startdate": uk_text(window.start),
        "enddate": uk_text(window.end),
        "startrow": str(window.first_row),
        "endrow": str(window.first_row + PAGE - 1),
    }


def related_parameters(transaction_id: str, since: datetime) -> dict[str, str]:
    """The elements that ask for what was made of a transaction."""
    return {"vpstxid": schema.transaction_id(transaction_id), "startdate": uk_text(since)}


def page(answer: etree._Element, first_row: int) -> ListingPage | None:
    """A page of a list, or `None` when the answer is not one: cut short, or of another shape."""
    listed = answer.find("transactions")
    total = _number(listed, "totalrows") if listed is not None else None
    if listed is None or total is None:
        return None
    found = listed.findall("transaction")
    left = max(0, total - first_row + 1)
    # Fewer rows than the count promises is an answer that somebody cut: its rest would be lost in silence.
    if len(found) < min(left, PAGE):
        return None
    rows, unreadable = _rows(found)
    beyond = first_row + len(found)
    return ListingPage(
        total=total,
        rows=rows,
        next_row=beyond if found and beyond <= total else None,
        unreadable=unreadable,
    )


def _rows(found: list[etree._Element]) -> tuple[tuple[ListedTransaction, ...], tuple[str, ...]]:
    rows, unreadable = [], []
    for element in found:
        told = {child.tag: (child.text or "").strip() for child in element.iterchildren("*")}
        try:
            rows.append(row(told))
        except (InvalidPayment, ValueError):
            number = told.get("rownumber", "")
            unreadable.append(f"row {number if number.isdigit() else '?'} has no transaction id")
    return tuple(rows), tuple(unreadable)


def row(told: dict[str, str]) -> ListedTransaction:
    """A row of a list.

    Raises:
        InvalidPayment: no transaction id.
    """
    started = told.get("started", "")
    return ListedTransaction(
        transaction_id=schema.transaction_id(told.get("vpstxid", "")),
        vendor_tx_code=told.get("vendortxcode", ""),
        kind=kind_of(told.get("transactiontype")),
        succeeded=told.get("result", "").upper() == "SUCCESS",
        amount=_amount(told),
        started_at=utc(started),
        started_text=started,
        acquirer=told.get("authprocessor", ""),
        fraud_action=told.get("t3maction", ""),
    )


def _amount(told: dict[str, str]) -> Money | None:
    try:
        return Money.parse(told.get("amount", ""), told.get("currency", "").upper())
    except ValueError:
        return None


def _number(element: etree._Element, name: str) -> int | None:
    text = (element.findtext(name) or "").strip().replace(",", "")
    return int(text) if text.isdigit() else None
