"""Map: what does SYSPRO call each of these things? The answer is a document, and a trace of every field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import msgspec

from integration.canonical.payment import GatewayTransaction, TransactionKind
from service import resources
from service.core.gl_accounts import PURPOSES, AccountChoice, AccountFacts, AccountRules, load_rules
from service.core.lifecycle import PaymentState
from service.core.mapping import Mapping, apply
from service.core.overrides import overridden
from service.core.source_document import payment_document
from service.flow.amend import overrides_of
from service.flow.facts import circumstances_of, order_of, transaction_of
from service.flow.library import shared_tables
from service.flow.recovery import failed
from service.flow.stage import Stage
from service.flow.trip import Trip

JsonObject = dict[str, object]


async def map_documents(trips: Sequence[Trip], stage: Stage) -> None:
    """Map each payment to the documents that the node names, with the live versions of their mappings."""
    names = sorted({name for trip in trips for name in _names(trip)})
    async with stage.reads.connect() as connection:
        mappings = {name: await stage.library.mapping(connection, stage.lane.pair, name) for name in names}

    for trip in trips:
        try:
            _map(trip, {name: mappings[name] for name in _names(trip)}, stage)
        except Exception as error:  # noqa: BLE001 - a mapping that fails concerns its payment alone
            failed(trip, error, stage)


@cache
def _accounts() -> AccountRules:
    return load_rules(resources.text("templates/gl_rules.yaml"))


def _names(trip: Trip) -> list[str]:
    return msgspec.convert(trip.node.settings.get("mappings", []), list[str])


def _map(trip: Trip, mappings: dict[str, tuple[int, Mapping]], stage: Stage) -> None:
    payment = trip.payment
    transaction, order = transaction_of(payment), order_of(payment)
    chosen = _chosen(transaction, stage.pair.defaults)
    circumstances = circumstances_of(payment, {purpose: each.account for purpose, each in chosen.items()})
    source = payment_document(transaction, order, stage.pair.defaults, payment.customer, circumstances)
    mapped: JsonObject = {}
    trace: JsonObject = {}
    for name, (version, mapping) in mappings.items():
        document = overridden(apply(mapping, source), overrides_of(payment).get(mapping.document.target, {}))
        # On the payment before anything is insisted on: a dead letter shows how each field came about.
        trace[document.kind] = {
            "mapping": name,
            "version": version,
            "fields": msgspec.to_builtins(document.trace),
        }
        payment.trace = trace
        mapped[document.kind] = document.insist(payment.vendor_tx_code)
    trace["receipt_account"] = msgspec.to_builtins(chosen["receipt"])
    trace["payment_status"] = shared_tables()["payment_status_state"].get(transaction.state, "Unknown")
    trace["ship_to"] = source.get("ship_to")
    payment.mapped = mapped
    trip.passed(PaymentState.MAPPED, mappings={name: version for name, (version, _) in mappings.items()})


@lru_cache(maxsize=256)
def _ruled(kind: TransactionKind, card_type: str, currency: str) -> dict[str, AccountChoice]:
    facts = AccountFacts(purpose="receipt", transaction_kind=kind, card_type=card_type, currency=currency)
    return {
        purpose: _accounts().account_for(msgspec.structs.replace(facts, purpose=purpose))
        for purpose in PURPOSES
    }


def _chosen(transaction: GatewayTransaction, defaults: dict[str, str]) -> dict[str, AccountChoice]:
    """The ledger code of each purpose: the pair's own default `account_…`, or what the account rules say."""
    ruled = _ruled(transaction.kind, transaction.card.scheme, transaction.amount.currency)
    own = {purpose: defaults.get(f"account_{purpose}", "") for purpose in ruled}
    return ruled | {
        purpose: AccountChoice(account=code, reason=f"{code} is the pair's default account_{purpose}")
        for purpose, code in own.items()
        if code
    }
