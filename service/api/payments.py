"""Payments: list them, read one with all that happened to it, release or reject one that is held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import desk
from service.api.parameters import PAGE, Filter, JsonObject, Note, Page, PairName, chosen, read
from service.flow import replay
from service.store import audit, payment_views, payments
from service.store.users import Caller


class PaymentRow(Struct, frozen=True, kw_only=True):
    """A payment in a list; `amount_minor` counts minor units of `currency`."""

    payment_id: int
    transaction_id: str
    vendor_tx_code: str
    kind: str
    amount_minor: int
    currency: str
    state: str
    flow: str
    flow_version: int
    node: str
    lane: str | None
    customer: str
    order_reference: str
    attempts: int
    due_at: datetime | None
    error: JsonObject | None
    created_at: datetime
    changed_at: datetime
    final_at: datetime | None


class PaymentPage(Struct, frozen=True, kw_only=True):
    """A page of payments, newest first; `next_cursor` is empty on the last."""

    items: list[PaymentRow]
    next_cursor: int | None


class PostingShown(Struct, frozen=True, kw_only=True):
    """One ERP document of a payment and how far it has got."""

    posting_id: int
    sequence: int
    kind: str
    reference: str
    state: str
    erp_key: str
    document: JsonObject
    receipt: JsonObject
    look_ups: int
    prepared_at: datetime | None
    sent_at: datetime | None
    confirmed_at: datetime | None
    error: JsonObject | None


class TimelineLine(Struct, frozen=True, kw_only=True):
    """Something that happened to a payment."""

    audit_id: int
    at: datetime
    actor: str
    action: str
    detail: JsonObject


class PaymentShown(PaymentRow, frozen=True, kw_only=True):
    """Everything about one payment.

    Attributes:
        gateway: the transaction as last read from Opayo; `order` is the shop's.
        mapped: target documents with SYSPRO's element names; `trace` says where each field came from.
        findings: what is worth a person's look, by step.
    """

    gateway: JsonObject
    order: JsonObject | None
    mapped: JsonObject
    trace: JsonObject
    findings: JsonObject
    postings: list[PostingShown]
    timeline: list[TimelineLine]


class PaymentState(Struct, frozen=True, kw_only=True):
    """Where a payment is after a decision."""

    payment_id: int
    state: str
    node: str
    lane: str | None


def state_of(payment: payments.Payment) -> PaymentState:
    """A payment's place, as decisions answer it."""
    return PaymentState(
        payment_id=payment.payment_id, state=payment.state, node=payment.node, lane=payment.lane
    )


def provide_sort(status: Filter = "", kind: Filter = "", flow: Filter = "") -> dict[str, str]:
    """The filters by what a payment is."""
    return chosen(state=status, kind=kind, flow=flow)


def provide_names(
    vendor_tx_code: Filter = "", transaction_id: Filter = "", customer: Filter = ""
) -> dict[str, str]:
    """The filters by what a payment is called."""
    return chosen(
        vendor_tx_code=vendor_tx_code, transaction_id=transaction_id.strip("{}").upper(), customer=customer
    )


@get(
    "/payments",
    guards=[needs("viewer")],
    dependencies={
        **PAGE,
        "sort": Provide(provide_sort, sync_to_thread=False),
        "names": Provide(provide_names, sync_to_thread=False),
    },
    summary="List payments",
)
async def list_payments(
    pair: PairName,
    context: AppContext,
    page: NamedDependency[Page],
    sort: NamedDependency[dict[str, str]],
    names: NamedDependency[dict[str, str]],
) -> PaymentPage:
    """Payments of a pair, newest first."""
    async with context.engine.connect() as connection:
        rows = await payment_views.listed(
            connection, pair, sort | names, before=page.cursor, limit=page.limit
        )
    items = [read(row, PaymentRow) for row in rows]
    return PaymentPage(items=items, next_cursor=page.next_cursor([each.payment_id for each in items]))


@get("/payments/{payment_id:int}", guards=[needs("viewer")], summary="Show a payment with its timeline")
async def show_payment(pair: PairName, payment_id: FromPath[int], context: AppContext) -> PaymentShown:
    """A payment with its source documents, mapping trace, postings and everything that happened to it."""
    async with context.engine.connect() as connection:
        payment = await payments.one(connection, pair, payment_id)
        if payment is None:
            raise NotFoundException(f"Pair `{pair}` has no payment {payment_id}.")
        timeline = await audit.timeline(connection, pair, payment_id)
    row: dict[str, Any] = msgspec.structs.asdict(payment)
    row["postings"] = [msgspec.structs.asdict(each) for each in payment.postings]
    row["timeline"] = [read(line, TimelineLine) for line in timeline]
    return read(row, PaymentShown)


@post(
    "/payments/{payment_id:int}/release",
    status_code=200,
    guards=[needs("operator")],
    summary="Release a held payment",
)
async def release_payment(
    pair: PairName,
    payment_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> PaymentState:
    """A held payment goes on after the step that held it."""
    async with desk(context, pair, caller, data.note) as at:
        return state_of(await replay.release(at, payment_id))


@post(
    "/payments/{payment_id:int}/reject",
    status_code=200,
    guards=[needs("operator")],
    summary="Reject a held payment",
)
async def reject_payment(
    pair: PairName,
    payment_id: FromPath[int],
    data: JSONBody[Note],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> PaymentState:
    """A held payment is refused for good; it will not be posted."""
    async with desk(context, pair, caller, data.note) as at:
        return state_of(await replay.reject(at, payment_id))


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_payments, show_payment, release_payment, reject_payment],
    tags=["Payments"],
)
