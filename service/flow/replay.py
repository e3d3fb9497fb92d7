"""What a person decides of a waiting payment: release it, reject it, or send it round again.

The lifecycle's tables say what may be done, and no replay begins after the step at which a payment stopped:
nothing posts that was not validated, mapped and screened. Each decision leaves a line that names who took it,
and rings the lane that has work by it, in one transaction.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from integration.errors import Misconfigured, NotFound, Rejected
from service.core.flows import FlowDocument, Node, UnknownNode, next_node
from service.core.lifecycle import PaymentState, move
from service.core.lifecycle import replay as sent_back
from service.flow.aggregate import insist_ungathered, leads_to
from service.flow.desk import Desk
from service.flow.facts import facts_of
from service.flow.publishing import obstacles
from service.flow.road import posting_lane
from service.flow.trip import FINAL
from service.store import audit, bell, dead_letters, inbox, lanes, payments
from service.store.audit import Line
from service.store.inbox import Delivery
from service.store.payments import Payment

# Where each step begins; `ingest` reads the transaction and its order anew.
BEGINS: dict[str, PaymentState] = {
    "ingest": PaymentState.RECEIVED,
    "validate": PaymentState.RECEIVED,
    "map": PaymentState.VALIDATED,
    "screen": PaymentState.MAPPED,
    "look_up": PaymentState.CLEARED,
    "post": PaymentState.CLEARED,
    "confirm": PaymentState.POSTED,
}
_ORDER = tuple(BEGINS)
_ON_A_SESSION = frozenset({"look_up", "post", "confirm", "tell"})


class Way(Struct, frozen=True, kw_only=True):
    """How a payment is sent round again.

    Attributes:
        from_step: a step, or a node of the flow; `start` reads everything anew, as `ingest` does; empty for the one
            at which the payment stopped.
        flow_version: of the payment's flow; `None` for the live one.
        same_version: the version that the payment walks already, in place of the live one.
    """

    from_step: str = ""
    flow_version: int | None = None
    same_version: bool = False


async def release(desk: Desk, payment_id: int) -> Payment:
    """Let a held payment go on after the step that held it.

    Raises:
        NotFound: there is no such payment.
        IllegalMove: it is not held.
    """
    payment = await desk.payment(payment_id)
    payment.state = str(move(PaymentState(payment.state), PaymentState.CLEARED))
    flow = await desk.library.flow(desk.connection, payment.pair, payment.flow, payment.flow_version)
    following = next_node(flow, payment.node, facts_of(payment, desk.now, desk.pair.time_zone))
    if following is None or flow.node(following).step == "end":
        await _rest(desk, payment, following or payment.node)
    else:
        await set_out(desk, payment, flow.node(following))
    await desk.line("payment.released", payment)
    return payment


async def reject(desk: Desk, payment_id: int) -> Payment:
    """Refuse a held payment for good: it will not be posted.

    Raises:
        NotFound: there is no such payment.
        IllegalMove: it is not held.
    """
    payment = await desk.payment(payment_id)
    await _insist_ungathered(desk, payment, "reject")
    payment.state = str(move(PaymentState(payment.state), PaymentState.REJECTED))
    await _rest(desk, payment, payment.node)
    await desk.line("payment.rejected", payment)
    return payment


async def _insist_ungathered(desk: Desk, payment: Payment, step: str) -> None:
    lead = leads_to(payment)
    states = await payments.states(desk.connection, payment.pair, [lead]) if lead is not None else {}
    insist_ungathered(payment, step, states.get(lead or 0, ""))


async def replay(desk: Desk, payment_id: int, way: Way) -> Payment:
    """Send a waiting payment round again.

    Raises:
        NotFound: there is no such payment.
        IllegalMove: it does not wait for a person, or is in the ledger and may not go back so far.
        Rejected: the flow has no such version or step, or the payment has not come that far yet.
    """
    payment = await desk.payment(payment_id)
    stopped_at = await _stopped_at(desk, payment)
    wanted = "ingest" if way.from_step == "start" else way.from_step or stopped_at
    before = payment.state
    version = payment.flow_version if way.same_version and payment.flow else way.flow_version
    insist_proved(payment, wanted, stopped_at)
    if wanted == "ingest":
        await _insist_ungathered(desk, payment, "ingest")
        payment.state = str(sent_back(PaymentState(payment.state), BEGINS["ingest"]))
        await _ask_again(desk, payment)
    else:
        flow = await _flow(desk, payment, version)
        node = _node(flow, wanted)
        _insist(node.step, stopped_at, payment)
        await _insist_ungathered(desk, payment, node.step)
        payment.state = str(sent_back(PaymentState(payment.state), BEGINS[node.step]))
        payment.flow, payment.flow_version = flow.name, flow.version
        await set_out(desk, payment, node)
    await dead_letters.close(
        desk.connection, payment.pair, payment.payment_id, desk.actor, f"replayed from {wanted}"
    )
    await desk.line(
        "payment.replayed", payment, from_step=wanted, was=before, flow_version=payment.flow_version
    )
    return payment


def insist_proved(payment: Payment, wanted: str, stopped_at: str) -> None:
    """A document whose answer was lost may be in SYSPRO as it is: nothing of it is made anew before it was looked for.

    Raises:
        Rejected: a document is ambiguous, and the payment is not to go on from where it is looked for.
    """
    lost = [posting.reference for posting in payment.postings if posting.state in ("sent", "ambiguous")]
    if lost and wanted not in (stopped_at, "look_up", "post"):
        raise Rejected(
            f"Document {lost[0]} of {payment.vendor_tx_code} may be in SYSPRO: its answer was lost",
            code="replay.ambiguous",
            hint="Replay from `post`: it looks for our reference, and sends only what is proved absent.",
        )


async def replay_message(desk: Desk, inbox_id: int) -> None:
    """Take a message again that never became a payment.

    Raises:
        NotFound: no such message waits in dead letters.
    """
    lane = bell.screening(desk.pair.pair)
    await bell.share(desk.connection, [lane])
    if not await inbox.again(desk.connection, desk.pair.pair, inbox_id, desk.now):
        raise NotFound(f"No message {inbox_id} waits in dead letters", code="inbox.unknown")
    await dead_letters.close_message(desk.connection, desk.pair.pair, inbox_id, desk.actor, "replayed")
    line = Line(
        pair=desk.pair.pair,
        actor=desk.actor,
        action="message.replayed",
        detail={"inbox_id": inbox_id, "note": desk.note},
    )
    await audit.write(desk.connection, [line])
    await bell.ring(desk.connection, [lane])


# --- where to -------------------------------------------------------------------------------------


async def _stopped_at(desk: Desk, payment: Payment) -> str:
    """The step at which the payment stopped; nothing after it has been earned."""
    if not payment.flow:
        return "ingest"
    try:
        flow = await desk.library.flow(desk.connection, payment.pair, payment.flow, payment.flow_version)
        node = flow.node(payment.node)
    except UnknownNode:
        return "ingest"
    # Who waits for an order has posted it.
    step = "post" if "until" in node.settings else node.step
    if step in BEGINS:
        return step
    # A `tell` comes after `confirm`; for a branch or a wait nobody can say what is certain there.
    return "confirm" if step == "tell" else "validate"


async def _flow(desk: Desk, payment: Payment, version: int | None) -> FlowDocument:
    name = payment.flow or desk.pair.flow_for(payment.kind) or ""
    if version is None:
        start = await desk.library.start(desk.connection, payment.pair, name)
        version = start[0] if start else None
    if version is None or not name:
        raise Rejected(
            f"No flow takes a {payment.kind}",
            code="road.no-flow",
            hint="Publish a flow for it and name it in the pair's settings.",
        )
    try:
        flow = await desk.library.flow(desk.connection, payment.pair, name, version)
    except Misconfigured as error:
        raise Rejected(
            error.title, code=error.error_code, hint="Choose a version that the flow has."
        ) from error
    if problems := await obstacles(desk.connection, payment.pair, flow):
        raise Rejected(
            f"Flow `{name}` version {version} cannot be walked: {problems[0].sentence}",
            code="flow.unlawful",
            hint="Choose another version.",
        )
    return msgspec.structs.replace(flow, version=version)


def _node(flow: FlowDocument, wanted: str) -> Node:
    for node in flow.nodes:
        if wanted in (node.id, node.step):
            if node.step in BEGINS:
                return node
            break
    steps = ", ".join(dict.fromkeys(node.step for node in flow.nodes if node.step in BEGINS))
    raise Rejected(
        f"Flow `{flow.name}` version {flow.version} cannot be begun at `{wanted}`",
        code="replay.no-such-step",
        hint=f"Choose one of {steps}.",
    )


def _insist(step: str, stopped_at: str, payment: Payment) -> None:
    if _ORDER.index(step) > _ORDER.index(stopped_at):
        raise Rejected(
            f"Payment {payment.vendor_tx_code} stopped at `{stopped_at}` and cannot be replayed from `{step}`",
            code="replay.too-far",
            hint=f"Replay it from `{stopped_at}` or an earlier step.",
        )


# --- setting out ----------------------------------------------------------------------------------


async def set_out(desk: Desk, payment: Payment, node: Node) -> None:
    """Put the payment on the lane that takes the node, due now, write it down, and ring."""
    if node.step in _ON_A_SESSION:
        names = await lanes.names(desk.connection, "posting", payment.pair)
        lane = posting_lane(names, payment)
    else:
        lane = bell.screening(payment.pair)
    await bell.share(desk.connection, [lane])
    _fresh(payment)
    payment.node, payment.lane, payment.due_at, payment.final_at = node.id, lane, desk.now, None
    await payments.save(desk.connection, [payment])
    await bell.ring(desk.connection, [lane])


async def _rest(desk: Desk, payment: Payment, node: str) -> None:
    _fresh(payment)
    payment.node, payment.lane, payment.due_at = node, None, None
    payment.final_at = desk.now if PaymentState(payment.state) in FINAL else None
    await payments.save(desk.connection, [payment])


async def _ask_again(desk: Desk, payment: Payment) -> None:
    """Leave the payment at its start and a message in the inbox, which reads Opayo and the shop anew."""
    name = desk.pair.flow_for(payment.kind) or payment.flow
    start = await desk.library.start(desk.connection, payment.pair, name)
    if start is None:
        await _flow(desk, payment, None)
        return
    payment.flow, (payment.flow_version, payment.node) = name, start
    _fresh(payment)
    payment.lane, payment.due_at, payment.final_at = None, None, None
    # Whatever Opayo says now is news.
    payment.gateway = {**payment.gateway, "state": "unknown"}
    await payments.save(desk.connection, [payment])
    again = Delivery(
        pair=payment.pair,
        source="api",
        event_id=f"replay/{payment.payment_id}/{payment.revision}",
        kind="payment.replayed",
        transaction_id=payment.transaction_id,
        vendor_tx_code=payment.vendor_tx_code,
        body=b"{}",
    )
    await inbox.store(desk.connection, [again])


def _fresh(payment: Payment) -> None:
    payment.attempts, payment.failing_since, payment.error = 0, None, None
