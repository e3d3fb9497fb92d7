"""Arrival: what becomes of a message once Opayo and the shop were read: a payment, a change, or a dead letter."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.payment import GatewayTransaction
from integration.errors import IntegrationError, Rejected, Transient
from service.core.lifecycle import PaymentState, move
from service.core.retries import Failure, GiveUp, next_attempt
from service.core.sweeping import RECORDED
from service.flow.chargeback_arrival import take_all
from service.flow.found import Changes, Found
from service.flow.known_payment import changed, read_into
from service.flow.recorded import record_only
from service.flow.recovery import as_document
from service.flow.stage import Stage
from service.flow.subscription_facts import subscription_facts
from service.store import alerts, audit, dead_letters, inbox, lanes, payments
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.dead_letters import DeadLetter
from service.store.inbox import InboxEvent
from service.store.payments import Payment

JsonObject = dict[str, object]
log = structlog.get_logger()


async def write(stage: Stage, found: Sequence[Found]) -> None:
    """Write what a batch of messages led to, in one transaction."""
    ids = sorted({each.transaction.transaction_id for each in found if each.transaction})
    async with stage.engine.begin() as connection:
        await lanes.fence(connection, stage.lane)
        known = await payments.of_transactions(connection, stage.lane.pair, ids) if ids else {}
        await _read_plans(connection, stage, found)
        changes = Changes()
        found = await take_all(connection, stage, found, changes)
        wanted = {stage.pair.flow_for(each.kind) for each in found if each.transaction}
        starts = {
            name: await stage.library.start(connection, stage.lane.pair, name)
            for name in sorted(name for name in wanted if name)
        }
        for each in found:
            _decide(each, known, starts, stage, changes)
        await payments.add(connection, changes.new)
        await payments.save(connection, changes.changed)
        await inbox.save(connection, [each.event for each in found])
        by_id = {payment.transaction_id: payment.payment_id for payment in changes.new}
        lines = [_with_id(line, by_id) for line in changes.lines]
        await audit.write(connection, lines)
        letters = [
            DeadLetter(
                pair=payment.pair,
                payment_id=payment.payment_id,
                step="ingest",
                code=str(error["code"]),
                error=error,
            )
            for payment, error in changes.dead
        ]
        await dead_letters.open_all(connection, [*changes.letters, *letters])
        if moved := [payment.transaction_id for payment in changes.changed]:
            await dead_letters.close_superseded(connection, stage.lane.pair, moved)
        await alerts.raise_all(connection, changes.alerts)
        if changes.messages:
            await inbox.store(connection, changes.messages)


async def _read_plans(connection: AsyncConnection, stage: Stage, found: Sequence[Found]) -> None:
    for each in found:
        if each.transaction is not None and each.transaction.kind == "repeat":
            code = each.transaction.vendor_tx_code
            plan = await subscription_facts(connection, stage.lane.pair, code)
            if plan is not None:
                each.arrived["subscription"] = msgspec.to_builtins(plan)


def _with_id(line: Line, by_id: dict[str, int]) -> Line:
    transaction_id = str(line.detail.get("transaction_id", ""))
    if line.payment_id is not None or transaction_id not in by_id:
        return line
    return msgspec.structs.replace(line, payment_id=by_id[transaction_id])


def _decide(
    each: Found,
    known: dict[str, Payment],
    starts: dict[str, tuple[int, str] | None],
    stage: Stage,
    changes: Changes,
) -> None:
    event = each.event
    refused = each.transaction is not None and isinstance(each.error, Rejected)
    if each.error is not None and not refused:
        _failed(event, each.error, stage, changes)
        return
    event.state, event.done_at, event.error = "done", stage.clock(), None
    if each.transaction is None:
        return
    payment = known.get(each.transaction.transaction_id)
    if payment is not None:
        changed(payment, each, stage, changes)
        return
    flow = stage.pair.flow_for(each.kind)
    start = starts.get(flow) if flow else None
    if flow is None or start is None:
        each.error = _no_flow(each.transaction, flow)
    payment = _new(each, flow or "", start or (0, ""), stage)
    if event.kind == RECORDED:
        record_only(payment, each, stage)
    if each.error is not None and payment.state == PaymentState.RECEIVED:
        _bury(payment, each.error, stage, changes)
    known[payment.transaction_id] = payment
    changes.new.append(payment)
    changes.lines.append(
        Line(
            pair=payment.pair,
            action="payment.received",
            detail={
                "transaction_id": payment.transaction_id,
                "event": event.event_id,
                "source": event.source,
                "gateway_state": each.transaction.state,
            },
        )
    )


def _bury(payment: Payment, error: Exception, stage: Stage, changes: Changes) -> None:
    """A transaction that we know and cannot take further: its money has a row, and a person a cause."""
    payment.state = str(move(PaymentState(payment.state), PaymentState.DEAD_LETTER))
    payment.lane, payment.due_at, payment.final_at = None, None, stage.clock()
    payment.error = as_document(error)
    changes.dead.append((payment, payment.error))


def _no_flow(transaction: GatewayTransaction, flow: str | None) -> Rejected:
    what = f"flow `{flow}` has no live version" if flow else f"no flow takes a {transaction.kind}"
    return Rejected(
        f"{transaction.kind.capitalize()} {transaction.vendor_tx_code} is not posted: {what}",
        code="road.no-flow",
        hint="Publish a flow for it and name it in the pair's settings, then replay the message.",
    )


def _new(each: Found, flow: str, start: tuple[int, str], stage: Stage) -> Payment:
    transaction, now = each.transaction, stage.clock()
    assert transaction is not None
    payment = Payment(
        payment_id=0,
        pair=stage.lane.pair,
        transaction_id=transaction.transaction_id,
        vendor_tx_code=transaction.vendor_tx_code,
        kind=transaction.kind,
        amount_minor=transaction.amount.minor,
        currency=transaction.amount.currency,
        state=PaymentState.RECEIVED.value,
        flow=flow,
        flow_version=start[0],
        node=start[1],
        lane=None,
        due_at=None,
        revision=0,
        attempts=0,
        failing_since=None,
        related_transaction_id=transaction.related_transaction_id or "",
        customer="",
        order_reference="",
        gateway={},
        order=None,
        mapped={},
        trace={},
        findings={"arrived": each.arrived} if each.arrived else {},
        error=None,
        created_at=now,
        changed_at=now,
        final_at=None,
    )
    read_into(payment, each, stage)
    return payment


def _failed(event: InboxEvent, error: Exception, stage: Stage, changes: Changes) -> None:
    document = as_document(error)
    event.attempts += 1
    event.error = document
    if isinstance(error, Transient) or (
        isinstance(error, IntegrationError) and not isinstance(error, Rejected)
    ):
        decision = next_attempt(
            Failure(
                attempts=event.attempts,
                first_failed_at=event.received_at,
                now=stage.clock(),
                pace=stage.pace,
                jitter=stage.chance(),
                retry_after=error.retry_after if isinstance(error, Transient) else None,
            )
        )
        if not isinstance(decision, GiveUp):
            event.due_at = decision.due_at
            if not isinstance(error, Transient):
                changes.alerts.append(
                    Alert(
                        pair=event.pair,
                        code=str(document["code"]),
                        subject="ingest",
                        title=str(document["title"]),
                        severity="critical",
                        error=document,
                    )
                )
            return
    elif not isinstance(error, IntegrationError):
        log.error("ingest.failed", event_id=event.event_id, exc_info=error)
    event.state, event.done_at = "dead_letter", stage.clock()
    changes.letters.append(
        DeadLetter(
            pair=event.pair,
            inbox_id=event.inbox_id,
            step="ingest",
            code=str(document["code"]),
            error=document,
        )
    )
