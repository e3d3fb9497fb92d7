"""Map: what does SYSPRO call each of these things? The answer is a document, and a trace of every field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from service import resources
from service.core.gl_accounts import AccountFacts, AccountRules, load_rules
from service.core.lifecycle import PaymentState
from service.core.mapping import Mapping, apply
from service.core.source_document import payment_document
from service.flow.facts import order_of, transaction_of
from service.flow.library import shared_tables
from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip

JsonObject = dict[str, object]


async def map_documents(trips: Sequence[Trip], stage: Stage) -> None:
    """Map each payment to the documents that the node names, with the live versions of their mappings."""
    names = sorted({name for trip in trips for name in _names(trip)})
    async with stage.engine.connect() as connection:
        mappings = {name: await stage.library.mapping(connection, stage.lane.pair, name) for name in names}
    accounts = _accounts()

    async def one(trip: Trip, at: Stage) -> None:
        _map(trip, {name: mappings[name] for name in _names(trip)}, accounts, at)

    await each(trips, stage, one)


@cache
def _accounts() -> AccountRules:
    return load_rules(resources.text("templates/gl_rules.yaml"))


def _names(trip: Trip) -> list[str]:
    return msgspec.convert(trip.node.settings.get("mappings", []), list[str])


def _map(trip: Trip, mappings: dict[str, tuple[int, Mapping]], accounts: AccountRules, stage: Stage) -> None:
    payment = trip.payment
    transaction, order = transaction_of(payment), order_of(payment)
    source = payment_document(transaction, order, stage.pair.defaults, payment.customer)
    mapped: JsonObject = {}
    trace: JsonObject = {}
    for name, (version, mapping) in mappings.items():
        document = apply(mapping, source)
        # On the payment before anything is insisted on: a dead letter shows how each field came about.
        trace[document.kind] = {
            "mapping": name,
            "version": version,
            "fields": msgspec.to_builtins(document.trace),
        }
        payment.trace = trace
        mapped[document.kind] = document.insist(payment.vendor_tx_code)
    receipt = accounts.account_for(
        AccountFacts(
            purpose="receipt",
            transaction_kind=transaction.kind,
            card_type=transaction.card.scheme,
            currency=payment.currency,
        )
    )
    trace["receipt_account"] = msgspec.to_builtins(receipt)
    trace["payment_status"] = shared_tables()["payment_status_state"].get(transaction.state, "Unknown")
    trace["ship_to"] = source.get("ship_to")
    payment.mapped = mapped
    trip.passed(PaymentState.MAPPED, mappings={name: version for name, (version, _) in mappings.items()})
