"""Credit notes that people raise in SYSPRO against invoices paid through Opayo: each becomes a refund proposal.

The poll of changes sees every credit; here each is looked at once. Our own are recognised by their number and
reference, and while a refund of the same payment is being posted nobody can tell, so it is looked at again.
"""

from __future__ import annotations

from integration.canonical.erp_records import ArDocument, ReceivablesQuery
from integration.canonical.money import Money
from service.core.lifecycle import IN_LEDGER, PaymentState
from service.flow.facts import transaction_of
from service.flow.refund_proposals import code_for, propose
from service.flow.stage import Stage
from service.store import payments, refund_proposals, registrations
from service.store.payments import Payment
from service.store.refund_proposals import Proposal

JsonObject = dict[str, object]

_AT_ONCE = 50


async def find(stage: Stage) -> JsonObject:
    """One turn: look at the credits that nobody looked at yet; says what they were."""
    outcome = {"proposed": 0, "ours": 0, "others": 0, "later": 0}
    if not stage.pair.refunds.proposals:
        return dict(outcome)
    async with stage.reads.connect() as connection:
        rows = await refund_proposals.fresh_credit_notes(connection, stage.lane.pair, _AT_ONCE)
    for row in rows:
        outcome[await _look_at(row, stage)] += 1
    return dict(outcome)


async def _look_at(row: JsonObject, stage: Stage) -> str:
    values, key = row["values"], str(row["key"])
    assert isinstance(values, dict)
    pair = stage.lane.pair
    credit = await _document(stage, values)
    numbers = [values.get("Invoice", ""), values.get("SalesOrder", "")] if row["kind"] == "ar_invoice" else []
    references = [str(values.get("Reference", ""))]
    async with stage.engine.begin() as connection:
        if await refund_proposals.is_ours(connection, pair, numbers, references):
            await refund_proposals.looked_at(connection, pair, key, "ours")
            return "ours"
    paid = await _paid(credit, stage) if credit is not None else None
    if credit is None or paid is None:
        async with stage.engine.begin() as connection:
            await refund_proposals.looked_at(connection, pair, key, "no payment of ours")
        return "others"
    async with stage.reads.connect() as connection:
        if await refund_proposals.refund_under_way(connection, pair, paid.transaction_id):
            return "later"
    return await _propose(row, paid, credit, stage)


async def _document(stage: Stage, values: dict[str, str]) -> ArDocument | None:
    """The AR document of a row; for a movement, the invoice that it lies on."""
    return await _read(
        stage, values.get("Customer", ""), values.get("Invoice", ""), values.get("DocumentType", "")
    )


async def _read(stage: Stage, customer: str, invoice: str, kind: str) -> ArDocument | None:
    if not invoice:
        return None
    query = ReceivablesQuery(customer=customer, invoice=invoice, open_only=False)
    found = [each for each in await stage.session.receivables(query) if each.document_type == kind]
    return found[0] if len(found) == 1 else None


async def _paid(credit: ArDocument, stage: Stage) -> Payment | None:
    """The payment of the invoice that is credited, if it is one of ours, is posted, and is the only one."""
    invoice: ArDocument | None = credit
    if credit.document_type == "C":
        invoice = await _read(stage, credit.customer, credit.credited_invoice, "I")
    if invoice is None:
        return None
    pair, order = stage.lane.pair, invoice.sales_order.strip()
    async with stage.reads.connect() as connection:
        found = await refund_proposals.payments_of(connection, pair, "sales_order", order) if order else []
        found = found or await refund_proposals.payments_of(connection, pair, "ar_invoice", invoice.invoice)
        if len(found) != 1:
            return None
        paid = await payments.of_transaction(connection, pair, found[0][1])
    return paid if paid is not None and PaymentState(paid.state) in IN_LEDGER else None


async def _propose(row: JsonObject, paid: Payment, credit: ArDocument, stage: Stage) -> str:
    pair, key = stage.lane.pair, str(row["key"])
    value = _value(row, credit)
    async with stage.engine.begin() as connection:
        spent = await registrations.refunded_minor(connection, pair, paid.transaction_id)
        left = min(value.minor, paid.amount_minor - spent)
        if value.currency != paid.currency or left <= 0 or transaction_of(paid).state != "captured":
            await refund_proposals.looked_at(connection, pair, key, "nothing left to refund")
            return "others"
    source = f"credit-note/{key}"
    number = credit.invoice.lstrip("0")
    proposal = Proposal(
        pair=pair,
        source=source,
        related_transaction_id=paid.transaction_id,
        vendor_tx_code=code_for(pair, source),
        amount=Money(left, paid.currency),
        proposed_by="SYSPRO",
        reason=f"Credit note {number}" if credit.document_type == "C" else f"Credit on invoice {number}",
        customer=credit.customer,
        invoice=credit.invoice,
        document_type=credit.document_type,
    )
    await propose(stage.engine, proposal, by_itself=left <= stage.pair.refunds.send_up_to)
    async with stage.engine.begin() as connection:
        await refund_proposals.looked_at(connection, pair, key, "proposed")
    return "proposed"


def _value(row: JsonObject, credit: ArDocument) -> Money:
    """What was credited: the whole document, or one movement on an invoice; positive."""
    values = row["values"]
    assert isinstance(values, dict)
    currency = credit.currency_value.currency
    if row["kind"] == "ar_invoice":
        return Money(abs(credit.currency_value.minor), currency)
    return Money(abs(Money.parse(str(values["TrnValue"]), currency).minor), currency)
