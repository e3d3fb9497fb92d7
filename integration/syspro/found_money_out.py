"""Documents of money out as SYSPRO's books show them, whichever transport read the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from integration.canonical.documents import Receipt, Stored
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditedLine,
    CreditNoteOrder,
    InvoiceToAdjust,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.erp_records import ArDocument, CashBookEntry, OrderState
from integration.canonical.money import Money, total
from integration.syspro.keys import as_sent, bare, same_key
from integration.syspro.ledger_rows import Movement, Site, ar_type, unsigned

COMPLETE = "9"
READY = "8"
_COMMENT = "6"


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """A line of a GL journal that another module made.

    Attributes:
        amount: in the company's currency; positive debits.
        journal: that module's own journal, `2025/06/0000000001`.
    """

    reference: str
    ledger_code: str
    amount: Money
    journal: str
    entered_on: date | None = None


# --- credit notes of orders -----------------------------------------------------------------------


def stored_credit_notes(
    wanted: CreditNoteOrder, orders: Sequence[OrderState], sold: OrderState | None
) -> tuple[Stored, ...]:
    """The credit-note orders that are the wanted one: by a number of our own, else by what they credit.

    `sold` is the order that is credited, for a note that credits all of it.
    """
    number = wanted.credit_note_number
    if number:
        hits = [order for order in orders if same_key(order.sales_order, number)]
    else:
        lines = frozenset(line.line_number for line in wanted.lines or ()) or _goods(sold)
        hits = [order for order in orders if _credits(order, wanted, lines)]
    live = [order for order in hits if order.document_type == "C" and not order.cancelled]
    return tuple(_credit_note(order, wanted) for order in live if same_key(order.customer, wanted.customer))


def _goods(sold: OrderState | None) -> frozenset[int]:
    lines = sold.lines if sold is not None else ()
    return frozenset(line.sales_order_line for line in lines if line.line_type != _COMMENT)


def _credits(order: OrderState, wanted: CreditNoteOrder, lines: frozenset[int]) -> bool:
    """Whether an order credits exactly these lines of the wanted sales order. Comments are copied or not."""
    credited = [line for line in order.lines if line.line_type != _COMMENT and line.credited_line is not None]
    of_order = all(same_key(line.credited_order, wanted.sales_order or "") for line in credited)
    return of_order and bool(credited) and {line.credited_line for line in credited} == lines


def _credit_note(order: OrderState, wanted: CreditNoteOrder) -> Stored:
    credited = [line.credited_line for line in order.lines if line.credited_line is not None]
    lines = {line.line_number: line for line in wanted.lines or ()}
    document = CreditNoteOrder(
        reference=wanted.reference,
        customer=as_sent(order.customer, wanted.customer),
        invoice_number=wanted.invoice_number,
        sales_order=wanted.sales_order,
        credit_reason=None,
        lines=tuple(lines.get(n, CreditedLine(line_number=n)) for n in credited) if lines else None,
        credit_note_number=wanted.credit_note_number or None,
        document_date=None,
    )
    receipt = Receipt(
        kind="credit_note",
        reference=wanted.reference,
        key=bare(order.sales_order),
        details={"CreditNoteCreated": order.sales_order, "OrderStatus": order.order_status},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document, certain=bool(wanted.credit_note_number))


# --- orders completed -----------------------------------------------------------------------------


def stored_order_invoice(
    wanted: OrderInvoice, order: OrderState, documents: Sequence[ArDocument]
) -> tuple[Stored, ...]:
    """The AR document that completed an order; an order that is ready has not been completed."""
    if order.order_status == READY or not order.last_invoice:
        return ()
    document = next(
        (
            each
            for each in documents
            if same_key(each.sales_order, order.sales_order)
            and same_key(each.invoice, order.last_invoice)
            and each.document_type == wanted.order_type
        ),
        None,
    )
    if document is None:
        return ()
    stored = OrderInvoice(
        reference=wanted.reference,
        sales_order=as_sent(order.sales_order, wanted.sales_order),
        order_type=ar_type(document.document_type),
        invoice_date=document.invoice_date,
    )
    receipt = Receipt(
        kind="order_invoice",
        reference=wanted.reference,
        key=bare(document.invoice),
        details={
            "InvoiceNumber": document.invoice,
            "SalesOrder": order.sales_order,
            "DocumentType": document.document_type,
            "Customer": document.customer,
        },
        adopted=True,
    )
    return (Stored(receipt=receipt, document=stored, certain=order.order_status == COMPLETE),)


# --- adjustments ----------------------------------------------------------------------------------


def stored_adjustments(wanted: ArAdjustment, movements: Sequence[Movement], site: Site) -> tuple[Stored, ...]:
    """Adjustments under our reference, once per AR cash journal, so that a second posting shows."""
    groups: dict[tuple[str, str], list[Movement]] = {}
    for movement in movements:
        if movement.reference == wanted.reference and movement.trn_type == "A":
            groups.setdefault((bare(movement.customer), movement.journal), []).append(movement)
    return tuple(_adjustment(rows, wanted, site) for rows in groups.values())


def _adjustment(rows: Sequence[Movement], wanted: ArAdjustment, site: Site) -> Stored:
    sent = {_adjusted(part.invoice, part.transaction_type): n for n, part in enumerate(wanted.invoices)}
    rows = sorted(rows, key=lambda row: sent.get(_adjusted(row.invoice, row.document_type), len(sent)))
    document = ArAdjustment(
        reference=wanted.reference,
        customer=as_sent(rows[0].customer, wanted.customer),
        invoices=tuple(_part(row, wanted, site) for row in rows),
        bank=None,
        payment_type=None,
    )
    receipt = Receipt(
        kind="ar_adjustment", reference=wanted.reference, key=rows[0].journal, details={}, adopted=True
    )
    return Stored(receipt=receipt, document=document)


def _adjusted(invoice: str, document_type: str) -> tuple[str, str]:
    return bare(invoice), document_type


def _part(row: Movement, wanted: ArAdjustment, site: Site) -> InvoiceToAdjust:
    place = _adjusted(row.invoice, row.document_type)
    sent = next(
        (each for each in wanted.invoices if _adjusted(each.invoice, each.transaction_type) == place), None
    )
    value = site.money(row.value, row.currency)
    if sent is not None:
        # Whether a movement shows the sign of an adjustment is not settled; its size is.
        value = unsigned(value) if sent.adjustment_value.minor >= 0 else -unsigned(value)
    return InvoiceToAdjust(
        invoice=sent.invoice if sent is not None else bare(row.invoice),
        adjustment_value=value,
        transaction_type=ar_type(row.document_type),
        adjustment_ledger_code=None,
        journal_notation=row.notation,
    )


# --- money with no customer -----------------------------------------------------------------------


def stored_receipts(
    wanted: MiscellaneousReceipt, entries: Sequence[LedgerEntry], cash: Sequence[CashBookEntry]
) -> tuple[Stored, ...]:
    """Receipts under our reference: by the entries on the credited account, or by rows of the cash book."""
    journals: dict[str, list[LedgerEntry]] = {}
    for entry in entries:
        if entry.reference == wanted.reference and same_key(entry.ledger_code, wanted.credit_ledger_code):
            journals.setdefault(entry.journal, []).append(entry)
    found = [_ledger_receipt(journal, each, wanted) for journal, each in journals.items()]
    found += [_cash_receipt(row, wanted) for row in cash if row.reference == wanted.reference]
    return tuple(found)


def _ledger_receipt(journal: str, entries: Sequence[LedgerEntry], wanted: MiscellaneousReceipt) -> Stored:
    credited = -total([entry.amount for entry in entries], entries[0].amount.currency)
    return _receipt(wanted, credited, journal, entries[0].entered_on)


def _cash_receipt(row: CashBookEntry, wanted: MiscellaneousReceipt) -> Stored:
    value = row.value if row.deposit_or_withdrawal == "D" else -row.value
    return _receipt(wanted, value, row.key.partition("/")[2], row.trn_date)


def _receipt(wanted: MiscellaneousReceipt, value: Money, journal: str, made_on: date | None) -> Stored:
    document = MiscellaneousReceipt(
        reference=wanted.reference,
        bank=wanted.bank,
        miscellaneous_receipt_value=value,
        credit_ledger_code=wanted.credit_ledger_code,
        debit_ledger_code=None,
        miscellaneous_receipt_date=made_on,
        journal_notation=None,
        branch=None,
        payment_type=None,
    )
    receipt = Receipt(kind="misc_receipt", reference=wanted.reference, key=journal, adopted=True)
    return Stored(receipt=receipt, document=document)


# --- cash book ------------------------------------------------------------------------------------


def stored_cash_transactions(wanted: CashTransaction, rows: Sequence[CashBookEntry]) -> tuple[Stored, ...]:
    """Rows of the bank under our reference, whatever their value: that it is another one must show."""
    return tuple(_cash(row, wanted) for row in rows if row.reference == wanted.reference)


def _cash(row: CashBookEntry, wanted: CashTransaction) -> Stored:
    document = CashTransaction(
        reference=wanted.reference,
        bank=row.bank,
        deposit_or_withdrawal=row.deposit_or_withdrawal,
        transaction_value=row.value,
        ledger_distribution=None,
        transaction_date=row.trn_date,
        narration=row.narration or None,
        withdrawal_type=None,
    )
    details = {"CbTrnDate": row.cb_trn_date, "CbTrnTime": row.cb_trn_time}
    receipt = Receipt(
        kind="cash_transaction",
        reference=wanted.reference,
        key=row.key,
        details={name: value for name, value in details.items() if value},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)
