"""What the summary of a chargeback's evidence says, section by section, in the order in which a clerk asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.erp_records import ArDocument, OrderState
from integration.canonical.money import Money
from integration.canonical.order import Order
from integration.canonical.party import PostalAddress
from integration.canonical.payment import GatewayTransaction
from service.flow.evidence_pdf import Section
from service.store.chargeback_evidence import Evidence
from service.store.chargebacks import Case

JsonObject = dict[str, object]
_MOST_ROWS = 120


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a disputed payment.

    Attributes:
        notices: in the acquirer's order.
        documents: the ERP's key by kind of document.
        erp: as SYSPRO had it when it was last read: `sales_order` and `invoices`.
        history: the customer's payments and refunds, newest first.
        others: how many other chargebacks the customer has.
    """

    case: Case
    notices: tuple[ChargebackNotice, ...]
    transaction: GatewayTransaction | None
    order: Order | None
    documents: dict[str, str]
    erp: JsonObject
    history: list[JsonObject]
    others: int
    notes: list[JsonObject]


def sections(known: Known, evidence: Sequence[Evidence]) -> list[Section]:
    """The sections of the summary."""
    return [
        _dispute(known.case, known.notices),
        _payment(known.transaction),
        _checks(known.transaction),
        _order(known.order),
        *_erp(known),
        _history(known),
        _notes(known.notes),
        _files(evidence),
    ]


def _dispute(case: Case, notices: Sequence[ChargebackNotice]) -> Section:
    newest = notices[-1]
    return Section(
        title="The dispute",
        facts=(
            ("Reference", case.chargeback_ref),
            ("Stage", f"{case.stage.replace('_', ' ')} ({case.state})"),
            ("Disputed", str(Money(case.amount_minor, case.currency))),
            ("Reason", f"{case.reason_code} {case.reason_text}".strip()),
            ("Answer by", f"{case.respond_by:%d %B %Y}" if case.respond_by else "no answer is awaited"),
            ("Acquirer, merchant number", f"{newest.acquirer} {newest.merchant_number}".strip()),
            ("Payment disputed", case.vendor_tx_code),
        ),
        header=("Stage", "Received", "Amount", "Fee"),
        widths=(60, 40, 45, 45),
        rows=tuple(
            (
                each.stage.replace("_", " "),
                each.received_on.isoformat(),
                str(each.amount),
                str(each.fee or ""),
            )
            for each in notices
        ),
    )


def _payment(transaction: GatewayTransaction | None) -> Section:
    if transaction is None:
        return Section(title="The payment", note="We know no such payment.")
    return Section(
        title="The payment",
        facts=(
            ("Our code for it", transaction.vendor_tx_code),
            ("Opayo transaction", transaction.transaction_id),
            ("Taken at", _moment(transaction.created_at)),
            ("Amount", str(transaction.amount)),
            ("Card", f"{transaction.card.scheme} ending {transaction.card.last_four}".strip()),
            ("Result", f"{transaction.status} {transaction.status_code} {transaction.status_detail}".strip()),
            ("Bank authorisation code", transaction.bank_authorisation_code),
            ("Settlement batch", transaction.settlement_batch),
            ("Billing address", _address(transaction.billing)),
            ("E-mail address", transaction.customer_email),
        ),
    )


def _checks(transaction: GatewayTransaction | None) -> Section:
    if transaction is None:
        return Section(title="Checks at the time of payment", note="Not known.")
    checks = transaction.checks
    score = f"score {checks.fraud_score}" if checks.fraud_score is not None else ""
    return Section(
        title="Checks at the time of payment",
        facts=(
            ("3-D Secure", checks.three_d_secure),
            ("AVS and CV2 together", checks.avs_cv2),
            ("AVS: address", checks.address),
            ("AVS: postcode", checks.postcode),
            ("Security code (CV2)", checks.security_code),
            ("Fraud screen", f"{checks.fraud_action} {score}".strip()),
        ),
    )


def _order(order: Order | None) -> Section:
    if order is None:
        return Section(title="The order in the shop", note="The shop has no order for it.")
    return Section(
        title="The order in the shop",
        facts=(
            ("Order", order.number or order.reference),
            ("Placed at", _moment(order.placed_at)),
            ("Customer", order.customer.display_name),
            ("E-mail, telephone", f"{order.customer.email} {order.customer.phone}".strip()),
            ("Billed to", _address(order.billing)),
            ("Delivered to", _address(order.shipping)),
            ("Total", str(order.total)),
        ),
        header=("Quantity", "Stock code", "Description", "Net"),
        widths=(25, 40, 90, 35),
        rows=tuple(
            (f"{line.quantity:f}", line.stock_code, line.description, str(line.net))
            for line in order.lines[:_MOST_ROWS]
        ),
    )


def _erp(known: Known) -> Iterator[Section]:
    keys = tuple((kind.replace("_", " "), key) for kind, key in sorted(known.documents.items()) if key)
    yield Section(title="In SYSPRO", facts=keys, note="" if keys else "Nothing was posted for it.")
    found = known.erp.get("sales_order")
    if isinstance(found, dict):
        yield _delivery(msgspec.convert(found, OrderState))
    invoices = msgspec.convert(known.erp.get("invoices", []), tuple[ArDocument, ...])
    if invoices:
        yield Section(
            title="Invoices",
            header=("Invoice", "Type", "Date", "Value", "Balance"),
            widths=(45, 20, 35, 45, 45),
            rows=tuple(
                (
                    each.invoice,
                    each.document_type,
                    each.invoice_date.isoformat() if each.invoice_date else "",
                    str(each.currency_value),
                    str(each.invoice_balance),
                )
                for each in invoices
            ),
        )


def _delivery(order: OrderState) -> Section:
    complete = order.order_status == "9" and not order.cancelled
    state = "cancelled" if order.cancelled else "complete" if complete else f"status {order.order_status}"
    return Section(
        title="Delivery",
        facts=(
            ("Sales order", order.sales_order),
            ("State", state),
            ("Invoiced as", f"{order.last_invoice} {order.last_invoice_date or ''}".strip()),
        ),
        header=("Stock code", "Description", "Ordered", "To ship", "Invoiced"),
        widths=(40, 75, 25, 25, 25),
        rows=tuple(
            (
                line.stock_code,
                line.description,
                f"{line.order_qty:f}",
                f"{line.ship_qty:f}",
                "" if line.invoiced_qty is None else f"{line.invoiced_qty:f}",
            )
            for line in order.lines[:_MOST_ROWS]
        ),
    )


def _history(known: Known) -> Section:
    rows = known.history
    kept = [row for row in rows if row["state"] not in ("ignored", "rejected")]
    refunds = sum(row["kind"] == "refund" for row in kept)
    left_out = (
        f"The newest {_MOST_ROWS} are shown; all are in everything.json." if len(rows) > _MOST_ROWS else ""
    )
    return Section(
        title="History of the customer",
        facts=(
            ("Customer in SYSPRO", known.case.customer),
            ("Payments", str(len(kept) - refunds)),
            ("Refunds", str(refunds)),
            ("Other chargebacks", str(known.others)),
        ),
        header=("When", "What", "Code", "Amount", "State"),
        widths=(35, 25, 65, 35, 30),
        rows=tuple(_past(row) for row in rows[:_MOST_ROWS]),
        note=left_out or ("" if rows else "No other payments of this customer are known."),
    )


def _past(row: JsonObject) -> tuple[str, ...]:
    at = row["created_at"]
    when = f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else ""
    amount = Money(int(str(row["amount_minor"])), str(row["currency"]))
    return when, str(row["kind"]), str(row["vendor_tx_code"]), str(amount), str(row["state"])


def _notes(notes: Sequence[JsonObject]) -> Section:
    return Section(
        title="What happened to the case",
        header=("When", "Who", "What", "Details"),
        widths=(35, 35, 30, 90),
        rows=tuple(
            (
                f"{each['at']:%Y-%m-%d %H:%M}",
                str(each["actor"]),
                str(each["action"]).replace("_", " "),
                _details(each["detail"]),
            )
            for each in notes[:_MOST_ROWS]
        ),
    )


def _details(detail: object) -> str:
    told = detail if isinstance(detail, dict) else {}
    return ", ".join(f"{name} {value}" for name, value in told.items() if name != "sha256")


def _files(evidence: Sequence[Evidence]) -> Section:
    return Section(
        title="Files in this archive",
        header=("File", "Bytes", "SHA-256"),
        widths=(65, 15, 110),
        rows=tuple((file.name, str(len(file.body)), file.sha256) for file in evidence),
        note="manifest.json has the checksums of all of them." if evidence else "No files were added.",
    )


def _moment(moment: datetime | None) -> str:
    return f"{moment:%d %B %Y %H:%M} UTC" if moment is not None else ""


def _address(address: PostalAddress) -> str:
    parts = (address.name, address.company, *address.lines, address.city, address.postcode, address.country)
    return ", ".join(part for part in parts if part)
