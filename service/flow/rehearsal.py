"""Rehearse a version of a flow on stored payments: which way each would go, where it would stop, what it would post.

The very steps of the road decide, on copies; nothing is written, posted or told. What `look_up` found when the
payment went by is believed again.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from service.core.expressions import BadCondition
from service.core.flows import FlowDocument, Node, next_node, start_node
from service.core.lifecycle import PaymentState
from service.core.screening_memory import WINDOW, Memory
from service.flow.facts import facts_of, transaction_of
from service.flow.map import map_documents
from service.flow.screen import screen
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.flow.validate import validate
from service.store import features
from service.store.payments import Payment

JsonObject = dict[str, object]
_DECIDES = {"validate": validate, "map": map_documents, "screen": screen}


class Rehearsed(Struct, frozen=True, kw_only=True):
    """How one payment would fare.

    Attributes:
        path: the nodes it would come by, in order.
        ends: `end`, or the state in which it would stop.
        stops_at: the node; empty when it reaches the end.
        reasons: why it stops.
        posts: documents that would be posted, by kind.
        mapped: the documents as they would be mapped.
    """

    payment_id: int
    vendor_tx_code: str
    path: list[str]
    ends: str
    stops_at: str = ""
    reasons: list[str] = []
    posts: list[str] = []
    mapped: JsonObject = {}


async def rehearse(flow: FlowDocument, found: Sequence[Payment], stage: Stage) -> list[Rehearsed]:
    """Walk payments over a lawful flow without leaving a trace.

    Args:
        stage: of no lane; its memory is replaced.
    """
    ordered = sorted(found, key=lambda each: (_at(each), each.transaction_id))
    await _remember(stage, ordered)
    return [await _walk(flow, _as_new(each), stage) for each in ordered]


def _at(payment: Payment) -> object:
    return transaction_of(payment).created_at or payment.created_at


async def _remember(stage: Stage, found: Sequence[Payment]) -> None:
    """What screening would remember; facts look into the past of each payment only, so one memory does for all."""
    stage.memory, stage.remembered = Memory(), True
    if not found:
        return
    oldest = transaction_of(found[0]).created_at or found[0].created_at
    async with stage.engine.connect() as connection:
        for event in await features.since(connection, stage.lane.pair, oldest - WINDOW):
            stage.memory.observe(event)


def _as_new(payment: Payment) -> Payment:
    mine = copy.deepcopy(payment)
    mine.state, mine.error, mine.mapped, mine.trace, mine.postings = (
        PaymentState.RECEIVED.value,
        None,
        {},
        {},
        [],
    )
    look_up = mine.findings.get("look_up")
    mine.findings = {"look_up": look_up} if look_up else {}
    return mine


async def _walk(flow: FlowDocument, payment: Payment, stage: Stage) -> Rehearsed:
    path, posts = list[str](), list[str]()
    place: str | None = start_node(flow)
    while place is not None:
        node = flow.node(place)
        path.append(node.id)
        if stopped := await _stop(node, payment, stage):
            return _told(payment, path, posts, stopped)
        if node.step == "post":
            posts += msgspec.convert(node.settings.get("documents", []), list[str])
        if node.step == "end":
            break
        try:
            place = next_node(flow, node.id, facts_of(payment, stage.clock(), stage.pair.time_zone))
        except BadCondition as error:
            return _told(payment, path, posts, ("dead_letter", [str(error)]))
    return _told(payment, path, posts, None)


async def _stop(node: Node, payment: Payment, stage: Stage) -> tuple[str, list[str]] | None:
    """The state in which the payment would stop at a node, and why; `None` when it would pass."""
    decide = _DECIDES.get(node.step)
    if decide is None:
        return None
    trip = Trip(payment, node)
    await decide([trip], stage)
    if trip.passed_node:
        return None
    found = payment.findings.get("screen")
    if payment.state == PaymentState.HELD and isinstance(found, dict):
        return payment.state, [str(reason) for reason in found.get("reasons", [])]
    reasons = [str(payment.error["title"])] if payment.error else []
    reasons = reasons or [str(line.detail["reason"]) for line in trip.lines if "reason" in line.detail]
    return payment.state, reasons


def _told(
    payment: Payment, path: list[str], posts: list[str], stopped: tuple[str, list[str]] | None
) -> Rehearsed:
    state, reasons = stopped or ("end", [])
    return Rehearsed(
        payment_id=payment.payment_id,
        vendor_tx_code=payment.vendor_tx_code,
        path=path,
        ends=state,
        stops_at=path[-1] if stopped else "",
        reasons=reasons,
        posts=posts,
        mapped=payment.mapped,
    )
