"""Correct what a dead payment was read with: fields of its order, its customer, or a field of a mapped document.

The amount is Opayo's to say, and money in a mapped document is the mapping's; the order's lines must still sum to it, which `validate` checks: a corrected payment
goes back to where it begins, so a replay cannot pass a correction by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from integration.canonical.order import Order
from integration.errors import NotFound, Rejected
from service.core.flows import FlowDocument
from service.core.lifecycle import PaymentState
from service.core.overrides import may_be_set, steps_of, value_at
from service.core.source_document import is_path
from service.flow.amend import places_of, set_field
from service.flow.desk import Desk
from service.flow.field_help import dictionary_of
from service.store import payments
from service.store.payments import Payment

JsonObject = dict[str, object]
Value = str | int | bool | None


class Correction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field and its right value.

    Attributes:
        path: `customer`, a path into the order (`order.lines[0].stock_code`), or a field of a mapped document
            (`mapped.sales_order.ShipAddress1`), which then stays for this payment whatever the mapping makes of it.
        value: text, whole number, truth value or nothing; decimals are text.
    """

    path: str
    value: Value


class Corrected(Struct, frozen=True, kw_only=True):
    """A field that was corrected."""

    path: str
    before: object
    after: Value


async def correct(desk: Desk, payment_id: int, corrections: Sequence[Correction]) -> list[Corrected]:
    """Correct fields of a payment in dead letters.

    Raises:
        NotFound: the pair has no such payment.
        Rejected: it is not in dead letters, part of it may be in the ledger, or a field cannot be so.
    """
    payment = await desk.payment(payment_id)
    _insist(payment)
    told = [_apply(payment, each) for each in corrections]
    if payment.order is not None:
        try:
            order = msgspec.convert(payment.order, Order)
        except msgspec.ValidationError as error:
            raise Rejected(
                f"The corrected order is none: {error}", code="correction.invalid", hint="Correct the value."
            ) from error
        payment.order = msgspec.to_builtins(order)
        if any(each.path == "order.customer.reference" for each in corrections):
            payment.customer = order.customer.reference
        payment.order_reference = order.reference
    if payment.flow:
        flow = await desk.library.flow(desk.connection, payment.pair, payment.flow, payment.flow_version)
        payment.node = _beginning(flow, payment.node)
    await payments.save(desk.connection, [payment])
    await desk.line("payment.corrected", payment, corrections=msgspec.to_builtins(told))
    return told


def _insist(payment: Payment) -> None:
    if payment.state != PaymentState.DEAD_LETTER:
        raise Rejected(
            f"Payment {payment.vendor_tx_code} is {payment.state}; only dead letters are corrected",
            code="correction.not-dead",
        )
    if any(posting.state in ("sent", "ambiguous", "confirmed") for posting in payment.postings):
        raise Rejected(
            f"A document of {payment.vendor_tx_code} is or may be in the ledger as it was",
            code="correction.posted",
            hint="Replay the payment from `post` first, so that its document is looked up.",
        )


def _beginning(flow: FlowDocument, otherwise: str) -> str:
    return next((node.id for node in flow.nodes if node.step == "validate"), otherwise)


def _apply(payment: Payment, correction: Correction) -> Corrected:
    path = correction.path
    if path == "customer":
        before, payment.customer = payment.customer, str(correction.value or "")
        return Corrected(path=path, before=before, after=correction.value)
    if path.startswith("mapped."):
        return _set(payment, correction)
    if not path.startswith("order.") or not is_path(path) or "[]" in path:
        raise Rejected(
            f"`{path}` cannot be corrected",
            code="correction.path",
            hint="Name `customer`, a field of the order (`order.lines[0].stock_code`) or of a mapped document.",
        )
    if payment.order is None:
        raise Rejected(f"Payment {payment.vendor_tx_code} has no order", code="correction.no-order")
    before_value = _put(payment.order, re.split(r"\.|(?=\[)", path)[1:], correction)
    return Corrected(path=path, before=before_value, after=correction.value)


def _set(payment: Payment, correction: Correction) -> Corrected:
    """Set a field of a mapped document to what SYSPRO's dictionary allows there."""
    places = places_of(payment)
    _, kind, target = (*correction.path.split(".", 2), "", "")[:3]
    mapped = places["mapped"]
    if not isinstance(mapped, dict) or kind not in mapped:
        raise Rejected(
            f"Payment {payment.vendor_tx_code} was not mapped to a `{kind}`",
            code="correction.path",
            hint="List the fields of the dead letter.",
        )
    field = dictionary_of(kind).field(target)
    if field is None or not may_be_set(target, field):
        raise Rejected(
            f"`{target}` of a {kind} cannot be set",
            code="correction.path",
            hint="Texts, dates and whole numbers can; money, prices, quantities and currencies never.",
        )
    if correction.value is not None and (fault := field.fault(correction.value)):
        raise Rejected(f"`{target}` {fault}", code="correction.invalid", hint=field.description)
    before = value_at(places, steps_of(correction.path))
    set_field(payment, kind, target, correction.value)
    return Corrected(path=correction.path, before=before, after=correction.value)


def _put(place: object, steps: Sequence[str], correction: Correction) -> object:
    """Set a value where the path leads; returns what was there."""
    step, rest = steps[0], steps[1:]
    members: dict[object, object] = {}
    if isinstance(place, list) and step.startswith("["):
        key: object = int(step[1:-1])
        members = dict(enumerate(place))
    else:
        key = step
        members = dict(place) if isinstance(place, dict) else {}
    if key not in members:
        raise NotFound(
            f"The order has nothing at `{correction.path}`",
            code="correction.path",
            hint="Read the payment and name a field that its order has.",
        )
    before = members[key]
    if rest:
        return _put(before, rest, correction)
    if isinstance(place, list):
        place[int(str(key))] = correction.value
    elif isinstance(place, dict):
        place[key] = correction.value
    return before
