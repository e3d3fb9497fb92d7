"""The transaction objects: one table of what each knows, what posts it and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from integration.sandbox.syspro import shapes
from integration.sandbox.syspro.cash_book import post_cash
from integration.sandbox.syspro.config import Quirks
from integration.sandbox.syspro.credit_notes import post_credit_notes
from integration.sandbox.syspro.enet import order_actions
from integration.sandbox.syspro.enet.call import Call
from integration.sandbox.syspro.enet.rendering import error_elements, status_of_items, warning_elements
from integration.sandbox.syspro.enet.xml_out import Answer, Elements, elements, number, subset
from integration.sandbox.syspro.invoices import post_invoices
from integration.sandbox.syspro.journals import post_journals
from integration.sandbox.syspro.payments import post_payments
from integration.sandbox.syspro.posting import REJECTED, ItemResult, Outcome, Posting
from integration.sandbox.syspro.shapes import Shape
from integration.sandbox.syspro.values import Document

Poster = Callable[[Posting, list[Document]], Outcome]


class Transaction(msgspec.Struct, frozen=True):
    """A business object that posts ``Item`` by ``Item``.

    Attributes:
        root: of its documents; answers take it in lower case when ``lower_case`` is set.
        parameters: the parameters it knows, ``defaults`` those that differ from the common ones.
        shown: what an item that posted returns.
        numbered: whether every item returns its ItemNumber; a rejected one always does.
    """

    root: str
    parameters: Shape
    item: Shape
    poster: Poster
    shown: Callable[[Document, Quirks], Elements]
    lower_case: bool = True
    numbered: bool = False
    defaults: Mapping[str, str] = {}


def _payment(result: Document, quirks: Quirks) -> Elements:
    kind = str(result.get("Kind", "Payment"))
    return [(kind, subset(result, "Key Customer"))]


def _invoice(result: Document, quirks: Quirks) -> Elements:
    return subset(result, "Customer Invoice DocumentType TransactionType")


def _journal(result: Document, quirks: Quirks) -> Elements:
    shown: Document = {
        **{name: result[name] for name in ("Key",)},
        "JournalDate": str(result["JournalDate"]).replace("-", ""),
        "NumOfEntries": result["NumOfEntries"],
        **{name: number(Decimal(str(result[name])), quirks) for name in ("DebitAmount", "CreditAmount")},
        "JnlPostingType": result["JnlPostingType"], "Jnlstatus": result["JnlStatus"], "Currency": "",
        "Authorised": result["Authorised"],
    }  # fmt: skip
    return [("Transaction", elements(shown))]


def _cash(result: Document, quirks: Quirks) -> Elements:
    return [("AddTransaction", elements(result))]


def _status(result: Document, quirks: Quirks) -> Elements:
    return [("Order", subset(result, "SalesOrder OrderStatus NewOrderStatus"))]


def _cancel(result: Document, quirks: Quirks) -> Elements:
    names = "SalesOrder OriginalOrderStatus SalesOrderLine SalesOrderInitialLine LineType Cancelled Completed"
    return subset(result, names)


def _order_invoice(result: Document, quirks: Quirks) -> Elements:
    names = "SalesOrder InvoiceNumber TrnYear TrnMonth Register WarningNumber WarningDescription Processed GlJournal"
    return [("Key", subset({**result, "Processed": "Y"}, names))]


def _credit_note(result: Document, quirks: Quirks) -> Elements:
    names = "CreditNoteCreated InvoiceNumber SalesOrder Customer DispatchNote"
    return [("Key", subset(result, names))]


_CREDIT_NOTE_PARAMETERS = shapes.shape(
    "DocumentDate:date IgnoreWarnings ApplyIfEntireDocumentValid ValidateOnly AddAttachedLines"
    " AddZeroRemainingLines"
)
_PARTIAL = {"ApplyIfEntireDocumentValid": "N"}

TRANSACTIONS: dict[str, Transaction] = {
    "ARSTPY": Transaction(
        "PostArPayment", shapes.PAYMENT_PARAMETERS, shapes.PAYMENT_ITEM, post_payments, _payment
    ),
    "ARSTIN": Transaction(
        "PostArInvoices", shapes.INVOICE_PARAMETERS, shapes.INVOICE_ITEM, post_invoices, _invoice, numbered=True
    ),
    "GENTJL": Transaction(
        "PostGlJournal", shapes.JOURNAL_PARAMETERS, shapes.JOURNAL_ITEM, post_journals, _journal
    ),
    "CSHTWD": Transaction(
        "PostCbDepositsWithdrawals", shapes.CASH_PARAMETERS, shapes.CASH_ITEM, post_cash, _cash
    ),
    "SORTOS": Transaction(
        "PostSorOrderStatus", order_actions.STATUS_PARAMETERS, order_actions.STATUS_ITEM,
        order_actions.set_statuses, _status, lower_case=False, numbered=True, defaults={"ValidateOnly": "Y"},
    ),
    "SORTOX": Transaction(
        "PostSalesOrderCancel", order_actions.STATUS_PARAMETERS, order_actions.CANCEL_ITEM,
        order_actions.cancel_orders, _cancel, numbered=True,
    ),
    "SORTIC": Transaction(
        "PostSalesOrderInvoice", order_actions.INVOICE_PARAMETERS, order_actions.INVOICE_ITEM,
        order_actions.invoice_orders, _order_invoice, lower_case=False, defaults=_PARTIAL,
    ),
    "SORTCI": Transaction(
        "PostCreditFromInvoice", _CREDIT_NOTE_PARAMETERS, shapes.CREDIT_NOTE_ITEM, post_credit_notes,
        _credit_note, lower_case=False, defaults=_PARTIAL,
    ),
}  # fmt: skip


def given_parameters(call: Call, known: Shape, defaults: Mapping[str, str]) -> Document:
    """The parameters of a call: those sent and not blank over the object's own defaults."""
    given: Document = {}
    sent = call.parameters
    if sent is not None:
        holder = sent if sent.name == "Parameters" else sent.find("Parameters")
        strict = call.quirks.unknown_elements_refused
        given = holder.document(known, strict=strict) if holder is not None else {}
    filled = {name: value for name, value in given.items() if not isinstance(value, str) or value.strip()}
    return {**defaults, **filled}


def items_of(call: Call, name: str, known: Shape) -> list[Document]:
    """The repeated items of a document."""
    nodes = call.document.all(name) if call.document is not None else []
    return [node.document(known, strict=call.quirks.unknown_elements_refused) for node in nodes]


def root_of(transaction: Transaction, quirks: Quirks) -> str:
    """The root an answer has."""
    lowered = transaction.lower_case and quirks.lower_case_roots
    return transaction.root.lower() if lowered else transaction.root


def transact(call: Call) -> Answer:
    """Post a document of a transaction object and answer it."""
    known = TRANSACTIONS[call.code]
    posts = {"ValidateOnly": "N"} if call.quirks.import_by_default else {}
    parameters = given_parameters(call, known.parameters, {**known.defaults, **posts})
    outcome = known.poster(call.posting(parameters), items_of(call, "Item", known.item))
    content: Elements = [("Item", _item(known, item, call.quirks)) for item in outcome.items]
    content.append(("StatusOfItems", [*elements(outcome.totals), *status_of_items(outcome)]))
    return Answer(root_of(known, call.quirks), content)


def _item(known: Transaction, item: ItemResult, quirks: Quirks) -> Elements:
    refused = item.status == REJECTED
    content = error_elements(item.findings.errors) if refused else []
    if item.result:
        content = known.shown(item.result, quirks)
    content += warning_elements(item.findings.warnings)
    return [*content, ("ItemNumber", item.number)] if known.numbered or refused else content
