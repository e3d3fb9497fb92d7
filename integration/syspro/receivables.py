"""The receivables ledger as SYSPRO stored it, whichever transport read it: AR payments and AR documents.

A payment is a set of movements (ArInvoicePay) under one reference in one AR cash journal. Unapplied cash is also
a document of its own (ArInvoice), `_CRD…`, which carries the order number but not our reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    InvoiceToPay,
    Receipt,
    Stored,
    UnappliedPayment,
)
from integration.canonical.money import total
from integration.errors import Rejected
from integration.syspro.keys import as_sent, bare, same_key
from integration.syspro.ledger_rows import Document, Movement, Site, ar_type, unsigned

# --- payments -------------------------------------------------------------------------------------


def movements_of(payment: ArPayment, movements: Iterable[Movement]) -> list[Movement]:
    """The movements that a payment made."""
    return [each for each in movements if each.reference == payment.reference and each.trn_type in ("P", "")]


def could_hold(document: Document, payment: ArPayment, site: Site) -> bool:
    """Whether a document could be the unapplied part of a payment: customer, prefix, order number and value."""
    # Every payment of a batch is held against every document, so the cheapest question comes first.
    parts = [each for each in payment.unapplied if each.customer_purchase_order == document.order_number]
    if not parts or not site.holds_cash(document.invoice):
        return False
    value = site.money(document.value, document.currency)
    same_value = any(-each.gross_payment_value == value for each in parts)
    return same_value and same_key(document.customer, payment.customer)


def stored_payments(
    movements: Sequence[Movement], documents: Sequence[Document], payment: ArPayment, site: Site
) -> tuple[Stored, ...]:
    """A payment found: by our reference once per AR cash journal, so that a second posting shows; else inferred."""
    groups: dict[tuple[str, str], list[Movement]] = {}
    for movement in movements_of(payment, movements):
        groups.setdefault((bare(movement.customer), movement.journal), []).append(movement)
    possible = [each for each in documents if could_hold(each, payment, site) and not _others(each, payment)]
    if not groups:
        return tuple(_inferred(each, payment, site) for each in possible)
    return tuple(_certain(group, possible, payment, site) for group in groups.values())


def _others(document: Document, payment: ArPayment) -> bool:
    """Whether a document's movements name other payments: then it is theirs."""
    named = {each.reference for each in document.movements if each.trn_type == "P"} - {""}
    return bool(named) and payment.reference not in named


def _certain(
    movements: Sequence[Movement], possible: Sequence[Document], payment: ArPayment, site: Site
) -> Stored:
    head = movements[0]
    currency = site.codes.iso(head.currency)
    paid = tuple(_paid(each, payment, site) for each in movements if not site.holds_cash(each.invoice))
    kept = _kept(movements, possible, site)
    parts = [part.gross_payment_value - part.discount_value for part in paid]
    parts += [part.gross_payment_value for _, part in kept]
    document = ArPayment(
        reference=head.reference,
        customer=as_sent(head.customer, payment.customer),
        payment_value=total(parts, currency),
        payment_date=head.made_on,
        journal_notation=None,
        payment_narration=head.notation,
        bank=None,
        payment_type=None,
        invoices=paid,
        unapplied=tuple(part for _, part in kept),
    )
    return _found(document, head.journal, ",".join(number for number, _ in kept))


def _found(document: ArPayment, key: str, cash: str) -> Stored:
    receipt = Receipt(
        kind="ar_payment",
        reference=document.reference,
        key=key,
        details={"UnappliedInvoice": cash} if cash else {},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _paid(movement: Movement, payment: ArPayment, site: Site) -> InvoiceToPay:
    named = (part.invoice for part in payment.invoices if same_key(part.invoice, movement.invoice))
    return InvoiceToPay(
        invoice=next(named, "") or bare(movement.invoice),
        gross_payment_value=unsigned(site.money(movement.value, movement.currency)),
        discount_value=unsigned(site.money(movement.discount, movement.currency)),
        transaction_type=ar_type(movement.document_type),
    )


def _kept(
    movements: Sequence[Movement], possible: Sequence[Document], site: Site
) -> list[tuple[str, UnappliedPayment]]:
    """The unapplied parts with their document numbers; sites that leave no movement show the documents only."""
    orders = {each.invoice: each.order_number for each in possible}
    moved = [each for each in movements if site.holds_cash(each.invoice)]
    if not moved:
        return [(each.invoice, _unapplied(each, site)) for each in possible]
    return [
        (
            each.invoice,
            UnappliedPayment(
                gross_payment_value=unsigned(site.money(each.value, each.currency)),
                customer_purchase_order=orders.get(each.invoice, ""),
            ),
        )
        for each in moved
    ]


def _unapplied(document: Document, site: Site) -> UnappliedPayment:
    return UnappliedPayment(
        gross_payment_value=unsigned(site.money(document.value, document.currency)),
        customer_purchase_order=document.order_number,
    )


def _inferred(found: Document, payment: ArPayment, site: Site) -> Stored:
    """An unapplied payment seen only as the document SYSPRO made of it: probable, not certain."""
    part = _unapplied(found, site)
    document = ArPayment(
        reference=payment.reference,
        customer=as_sent(found.customer, payment.customer),
        payment_value=part.gross_payment_value,
        payment_date=found.dated,
        journal_notation=None,
        payment_narration=None,
        bank=None,
        payment_type=None,
        unapplied=(part,),
    )
    return structs.replace(_found(document, found.invoice, found.invoice), certain=False)


def refuse_overpayment(payment: ArPayment, documents: Sequence[Document], site: Site) -> None:
    """Refuse to pay more on an invoice than is open: what SYSPRO makes of the rest is not documented.

    Raises:
        Rejected: a part is greater than its document's balance.
    """
    for part in payment.invoices:
        for document in documents:
            same = same_key(document.invoice, part.invoice) and same_key(document.customer, payment.customer)
            if not same or document.balance is None or document.document_type != part.transaction_type:
                continue
            balance = site.money(document.balance, document.currency)
            if part.gross_payment_value > balance:
                raise Rejected(
                    f"AR payment {payment.reference} pays {part.gross_payment_value} on invoice {part.invoice},"
                    f" of which {balance} is open",
                    code="syspro.overpaid",
                    hint="Let the mapping keep the rest as unapplied cash, then replay the payment.",
                    evidence={"invoice": part.invoice, "open": str(balance)},
                )


# --- invoices, debit notes, credit memos ----------------------------------------------------------


def stored_invoice(found: Document, invoice: ArInvoice, site: Site) -> Stored | None:
    """The AR document, if one of its customer is it: by our reference, by its number, or by inference.

    An invoice that SYSPRO numbered keeps no reference of ours in AR; one of equal date and value without a sales
    order may be it, which only a person can tell.
    """
    if not same_key(found.customer, invoice.customer):
        return None
    note = next((each for each in found.movements if _notes(each, invoice)), None)
    if note is not None:
        return _stored(found, note, invoice, site)
    if invoice.transaction_type != "I" or found.document_type != "I" or site.holds_cash(found.invoice):
        return None
    stored = _stored(found, None, invoice, site)
    if invoice.invoice:
        return stored if same_key(found.invoice, invoice.invoice) else None
    same_value = site.money(found.value, found.currency) == invoice.invoice_value
    same_day = invoice.invoice_date is None or found.dated == invoice.invoice_date
    if not (same_value and same_day) or found.sales_order.strip():
        return None
    return structs.replace(stored, certain=False)


def _notes(movement: Movement, invoice: ArInvoice) -> bool:
    return movement.reference == invoice.reference and movement.trn_type in (invoice.transaction_type, "")


def _stored(found: Document, movement: Movement | None, invoice: ArInvoice, site: Site) -> Stored:
    """An AR document; a note against an invoice is read from its movement."""
    note = movement if invoice.post_to_existing else None
    value = site.money(note.value if note else found.value, found.currency)
    document = ArInvoice(
        reference=invoice.reference,
        transaction_type=ar_type(note.trn_type if note else found.document_type),
        customer=as_sent(found.customer, invoice.customer),
        invoice_value=unsigned(value),
        invoice=as_sent(found.invoice, invoice.invoice) if invoice.invoice else bare(found.invoice),
        post_to_existing=None,
        invoice_date=note.made_on if note else found.dated,
        tax_code=None,
        product_class=None,
        invoice_terms=found.terms,
        salesperson=None,
        branch=found.branch,
    )
    receipt = Receipt(
        kind="ar_invoice",
        reference=invoice.reference,
        key=bare(found.invoice),
        details={"Customer": found.customer, "DocumentType": found.document_type},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def surest(hits: Sequence[Stored]) -> tuple[Stored, ...]:
    """The certain ones, or the inferred ones if there are no others."""
    return tuple(hit for hit in hits if hit.certain) or tuple(hits)
