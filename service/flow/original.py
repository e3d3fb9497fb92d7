"""The payment that a refund or chargeback is about: our row, its postings, and what became of it in the ERP."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from integration.canonical.documents import Receipt
from integration.canonical.erp_records import ArDocument, OrderState, ReceivablesQuery
from integration.canonical.money import Money
from integration.errors import Rejected, Unreachable
from service.core.circumstances import Original
from service.core.exchange import Conversion
from service.core.lifecycle import IN_LEDGER, PaymentState, PostingState
from service.core.refunds import prepared
from service.flow.facts import looked_up, order_of, transaction_of
from service.flow.recorded import is_recorded
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import payments, refunds
from service.store.payments import Payment, Posting

# Nothing of these will ever be in the ledger, so nothing can go back out of it.
_NEVER_POSTED = frozenset({PaymentState.IGNORED, PaymentState.REJECTED})


async def original_for(trip: Trip, stage: Stage) -> Original | None:
    """The payment that a refund or chargeback is about, once it is in the ledger; `None` when it is not known.

    Raises:
        Unreachable: it is still on its way: the refund waits for it.
        Rejected: it never will be in the ledger.
    """
    payment = trip.payment
    related = payment.related_transaction_id
    async with stage.reads.connect() as connection:
        row = await payments.of_transaction(connection, payment.pair, related) if related else None
        # What was posted before go-live has no postings of ours: it is as if it were not known.
        if row is None or is_recorded(row):
            return None
        _insist_posted(payment, row)
        refunded = await refunds.refunded_before(connection, payment)
        credit = await refunds.credit_note_of(connection, payment)
    found = await _in_erp(row, stage)
    found = msgspec.structs.replace(found, refunded=Money(refunded, row.currency))
    if credit is not None:
        found = msgspec.structs.replace(
            found, credit_note=credit.invoice, credit_note_type=credit.document_type
        )
    asked = Money(payment.amount_minor, payment.currency)
    return prepared(found, asked, stage.pair.refunds.goods, order_of(row))


def _insist_posted(refund: Payment, row: Payment) -> None:
    state = PaymentState(row.state)
    if state in _NEVER_POSTED:
        raise Rejected(
            f"{refund.vendor_tx_code} is about {row.vendor_tx_code}, which is {state} and was never posted",
            code="refund.payment-not-posted",
            hint="Nothing is to be taken out of the ledger. Reject it, or post it by hand in SYSPRO.",
            evidence={"payment_id": row.payment_id, "state": state.value},
        )
    settled = all(posting.state in (PostingState.CONFIRMED, PostingState.PARKED) for posting in row.postings)
    if state not in IN_LEDGER or not settled:
        raise Unreachable(
            f"{refund.vendor_tx_code} waits for {row.vendor_tx_code}, which is {state}",
            code="refund.waits-for-payment",
            evidence={"payment_id": row.payment_id, "state": state.value},
        )


async def _in_erp(row: Payment, stage: Stage) -> Original:
    """What the ERP tells of the documents of a payment."""
    by_kind = {posting.kind: posting for posting in row.postings if posting.state == PostingState.CONFIRMED}
    order = await _order(by_kind.get("sales_order"), stage)
    transaction = transaction_of(row)
    amount = Money(row.amount_minor, row.currency)
    conversion = looked_up(row).get("conversion")
    posted = msgspec.convert(conversion, Conversion).converted if conversion else amount
    own_invoice = by_kind.get("ar_invoice")
    invoice = order.last_invoice if order is not None else own_invoice.erp_key if own_invoice else ""
    receipt = by_kind.get("ar_payment")
    unapplied = await _unapplied(row, receipt, stage)
    billed = await _document(row.customer, invoice, "I", stage) if invoice else None
    return Original(
        payment_id=row.payment_id,
        transaction_id=row.transaction_id,
        vendor_tx_code=row.vendor_tx_code,
        kind=transaction.kind,
        amount=amount,
        posted=posted,
        customer=row.customer,
        order_reference=row.order_reference,
        sales_order=_key(by_kind.get("sales_order")),
        ar_payment=_key(receipt),
        ar_payment_reference=receipt.reference if receipt else "",
        unapplied_invoice=unapplied.invoice if unapplied else "",
        unapplied=-unapplied.invoice_balance if unapplied else None,
        invoice=billed.invoice if billed else "",
        invoice_date=billed.invoice_date if billed else None,
        invoice_value=billed.currency_value if billed else None,
        invoice_balance=billed.invoice_balance if billed else None,
        refunded=Money(0, row.currency),
        branch=billed.branch if billed else "",
    )


def _key(posting: Posting | None) -> str:
    return posting.erp_key if posting is not None else ""


async def _order(posting: Posting | None, stage: Stage) -> OrderState | None:
    return await stage.session.sales_order(posting.erp_key) if posting is not None else None


async def _unapplied(row: Payment, posting: Posting | None, stage: Stage) -> ArDocument | None:
    """The unapplied cash that the payment became, with its balance now; `None` where there is none."""
    if posting is None:
        return None
    told = (
        msgspec.convert(posting.receipt, Receipt).details.get("UnappliedInvoice", "")
        if posting.receipt
        else ""
    )
    number = told.split(",")[0].strip()
    if number:
        return await _document(row.customer, number, "I", stage)
    code = _purchase_order(posting)
    query = ReceivablesQuery(customer=row.customer, customer_po_number=code, open_only=False)
    found = await stage.session.receivables(query) if code else ()
    return _only(document for document in found if document.is_unapplied_cash)


def _purchase_order(posting: Posting) -> str:
    parts = posting.document.get("Unapplied")
    first = parts[0] if isinstance(parts, list) and parts else {}
    return str(first.get("CustomerPurchaseOrder", "")) if isinstance(first, dict) else ""


async def _document(customer: str, invoice: str, kind: str, stage: Stage) -> ArDocument | None:
    query = ReceivablesQuery(customer=customer, invoice=invoice, open_only=False)
    return _only(each for each in await stage.session.receivables(query) if each.document_type == kind)


def _only(found: Iterable[ArDocument]) -> ArDocument | None:
    documents = list(found)
    return documents[0] if len(documents) == 1 else None
