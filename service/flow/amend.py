"""Amend a payment: change what it was read with, or set a field of a mapped document, with before and after.

A value set in a mapped document is kept among the payment's findings, so that it stays when the payment is mapped
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from integration.canonical.order import Order
from service.core.mapped_document import MappedDocument
from service.core.overrides import overridden, rebuilt
from service.core.repairs import Change, NotRepairable, amended
from service.core.source_document import Json
from service.store.payments import Payment

JsonObject = dict[str, object]

_NOT_PROVED_ABSENT = ("sent", "ambiguous", "confirmed")


def overrides_of(payment: Payment) -> dict[str, dict[str, Json]]:
    """The values set for this payment, by document and target."""
    found = payment.findings.get("overrides")
    return cast(dict[str, dict[str, Json]], found) if isinstance(found, dict) else {}


def places_of(payment: Payment) -> dict[str, Json]:
    """The documents of a payment in which something may be changed: `customer`, `order`, `mapped`.

    A document that could not be mapped whole is taken from the trace of its fields.
    """
    mapped: dict[str, Json] = {}
    for kind, fields in traced_of(payment).items():
        mapped[kind] = rebuilt({str(each["target"]): each.get("value") for each in fields})
    order, known = _as_json((payment.order, payment.mapped))
    return {
        "customer": payment.customer,
        "order": order,
        "mapped": {**mapped, **cast(dict[str, Json], known)},
    }


def traced_of(payment: Payment) -> dict[str, list[dict[str, Json]]]:
    """How each field of each mapped document came about, by document."""
    trace = cast(dict[str, Json], _as_json(payment.trace))
    fields = {kind: traced.get("fields") for kind, traced in trace.items() if isinstance(traced, dict)}
    return {
        kind: cast(list[dict[str, Json]], each) for kind, each in fields.items() if isinstance(each, list)
    }


def _as_json(value: object) -> Any:
    """A document as the database gives it back: one that was made just now still has tuples in it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def insist_unposted(payment: Payment, changes: Sequence[Change]) -> None:
    """Refuse to change what is, or may be, in the ledger as it was.

    Raises:
        NotRepairable: a document that the changes concern was sent.
    """
    kinds = {each.path.split(".")[1] for each in changes if each.path.startswith("mapped.")}
    whole = any(not each.path.startswith("mapped.") for each in changes)
    for posting in payment.postings:
        if posting.state in _NOT_PROVED_ABSENT and (whole or posting.kind in kinds):
            raise NotRepairable(f"document {posting.reference} is or may be in the ledger as it was")


def amend(payment: Payment, changes: Sequence[Change]) -> None:
    """Make changes, all or none.

    Raises:
        NotRepairable: a path may not be repaired, a value is no longer what it was, money would change, what comes
            out is no order, or a document is or may be in the ledger.
    """
    insist_unposted(payment, changes)
    after = amended(places_of(payment), changes)
    if isinstance(after["order"], dict):
        try:
            order = msgspec.convert(after["order"], Order)
        except msgspec.ValidationError as error:
            raise NotRepairable(f"the order would be none: {error}") from error
        # Compared as it was stored: what an order leaves out is no change.
        payment.order = cast(JsonObject, msgspec.to_builtins(order))
    payment.customer = str(after["customer"])
    for change in changes:
        root, _, rest = change.path.partition(".")
        if root == "mapped":
            kind, _, target = rest.partition(".")
            set_field(payment, kind, target, change.after)


def set_field(payment: Payment, kind: str, target: str, value: Json) -> None:
    """Set a field of a mapped document, now and whenever the payment is mapped again."""
    known = overrides_of(payment)
    given = {**known.get(kind, {}), target: value}
    payment.findings = {**payment.findings, "overrides": {**known, kind: given}}
    if kind in payment.mapped:
        document = MappedDocument(kind=kind, values=cast(dict[str, Json], payment.mapped[kind]), trace=())
        payment.mapped = {**payment.mapped, kind: overridden(document, {target: value}).values}


def release_fields(payment: Payment, changes: Sequence[Change]) -> None:
    """Let the mapping decide again of fields that changes had set."""
    known = {kind: dict(given) for kind, given in overrides_of(payment).items()}
    for change in changes:
        root, _, rest = change.path.partition(".")
        kind, _, target = rest.partition(".")
        if root == "mapped" and kind in known:
            known[kind].pop(target, None)
    payment.findings = {
        **payment.findings,
        "overrides": {kind: given for kind, given in known.items() if given},
    }
