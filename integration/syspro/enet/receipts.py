"""From SYSPRO's answer to a posting to its receipt, or to the error that says why there is none.

In this order: an error anywhere refuses the item; then the counters; then the key that must have come back.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from integration.canonical.documents import ArInvoice, ArPayment, ErpDocument, Receipt, SalesOrder, kind_of
from integration.canonical.journal import GlJournal
from integration.errors import OutcomeUnknown
from integration.syspro.classify import Finding
from integration.syspro.enet.money_out_receipts import details_of, key_of
from integration.syspro.enet.parsing import count, every, first, text_of
from integration.syspro.enet.values import journal_key
from integration.syspro.enet.wire import Context, Reply, findings_of, warnings_of, xml_of
from integration.syspro.keys import bare
from integration.syspro.refusals import refused

_REFUSED = (
    "ItemsInvalid",
    "InvalidItems",
    "RecordsInvalid",
    "JournalsInvalid",
    "PostingsInvalid",
    "ItemsRejectedWithWarnings",
)


def receipt_of(reply: Reply, document: ErpDocument, context: Context) -> Receipt | None:
    """The receipt of a posting; `None` when SYSPRO took a sales order and did not say its number.

    Raises:
        IntegrationError: SYSPRO refused it, or the answer leaves open whether it did.
    """
    root = xml_of(reply, context)
    findings = findings_of(root)
    if not findings and _counted_out(root):
        findings = [Finding(text=text) for text in warnings_of(root)] or [Finding(text="")]
    if findings:
        raise refused(findings, context.about, context.business_object, context.rules)
    key = _key(document, root)
    if key is None and isinstance(document, SalesOrder):
        _must_be_taken(root, context)
        return None
    if key is None:
        raise _open(context, "it told no key")
    return Receipt(
        kind=kind_of(document),
        reference=document.reference,
        key=key,
        details={**_details(document, root), **_ledger_details(root)},
        warnings=(*warnings_of(root), *_ledger_warnings(root)),
    )


def _counted_out(root: etree._Element) -> bool:
    status = first(root, "StatusOfItems")
    return status is not None and any(count(text_of(status, name)) for name in _REFUSED)


def _must_be_taken(root: etree._Element, context: Context) -> None:
    """An import without a number: refused if SYSPRO names the order and gives it none, taken if it says nothing."""
    failed = text_of(first(root, "ValidationStatus"), "Status").lower() == "failed"
    if failed or any(True for _ in every(root, "Order")):
        raise refused([Finding(text="")], context.about, context.business_object, context.rules)


def _open(context: Context, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"SYSPRO answered that it took {context.about.what}, but {why}", code="syspro.outcome-unknown"
    )


def _key(document: ErpDocument, root: etree._Element) -> str | None:
    match document:
        case SalesOrder():
            number = text_of(first(root, "Order"), "SalesOrder")
            return bare(number) if number else None
        case ArPayment():
            return _journal(root, "TrnYear", "TrnMonth", "Journal")
        case ArInvoice():
            number = text_of(first(root, "Item"), "Invoice")
            return bare(number) if number else None
        case GlJournal():
            return _journal(root, "GlYear", "GlPeriod", "GlJournal")
        case _:
            return key_of(document, root)


def _journal(root: etree._Element, year: str, month: str, journal: str) -> str | None:
    key = first(root, "Key")
    number = text_of(key, journal)
    return journal_key(text_of(key, year), text_of(key, month), number) if number else None


def _details(document: ErpDocument, root: etree._Element) -> Mapping[str, str]:
    told: dict[str, str] = {}
    match document:
        case SalesOrder():
            told["SalesOrder"] = text_of(first(root, "Order"), "SalesOrder")
        case ArInvoice():
            told = {name: text_of(first(root, "Item"), name) for name in ("Customer", "DocumentType")}
        case GlJournal():
            told["JnlStatus"] = text_of(root, "Jnlstatus")
        case ArPayment():
            pass
        case _:
            return details_of(document, root)
    return {name: value for name, value in told.items() if value}


def _ledger(root: etree._Element) -> etree._Element | None:
    """The state of the GL journal that an AR posting made."""
    inner = first(root, "GlJournalError")
    return inner.getparent() if inner is not None else None


def _ledger_details(root: etree._Element) -> Mapping[str, str]:
    ledger = _ledger(root)
    if ledger is None:
        return {}
    number = text_of(ledger, "GlJournal")
    told = {
        "GlJournal": journal_key(text_of(ledger, "GlYear"), text_of(ledger, "GlPeriod"), number)
        if number
        else "",
        "GlJournalError": text_of(ledger, "GlJournalError"),
        "GlJournalMessage": text_of(ledger, "GlJournalMessage"),
    }
    return {name: value for name, value in told.items() if value}


def _ledger_warnings(root: etree._Element) -> tuple[str, ...]:
    """AR is posted and the general ledger is not: the receipt stands, and somebody must finish the journal."""
    ledger = _ledger(root)
    said = text_of(ledger, "GlJournalMessage") or text_of(ledger, "GlJournalError")
    if not said:
        return ()
    return (f"The AR posting stands, but its GL journal failed: {said}. Post it in SYSPRO with ARSTGP.",)
