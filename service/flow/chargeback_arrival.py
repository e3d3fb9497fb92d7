"""A chargeback's notice arrives: it joins its case, and what it moves is decided once, behind the case's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.payment import GatewayTransaction
from integration.errors import IntegrationError
from service import resources
from service.core.chargeback_position import in_order
from service.core.chargeback_rules import ChargebackRules, load_rules, respond_by
from service.core.chargebacks import Decision, Part, contradicts, decide
from service.flow.disputed_payment import describe, find, waits
from service.flow.found import Changes, Found
from service.flow.stage import Stage
from service.store import chargebacks
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.chargebacks import Case, Note, Told
from service.store.pairs import PairSettings
from service.store.payments import Payment

JsonObject = dict[str, object]

_SUFFIX = {"fee": "CBF", "note": "CBN"}


class Arrived(Struct, frozen=True):
    """A notice with the transaction it was read as, where it came from, and when."""

    transaction: GatewayTransaction
    notice: ChargebackNotice
    source: str
    received_at: datetime


@dataclass(kw_only=True)
class Taken:
    """What a notice leads to: the payments on the road, with the notice of each, and what is told to whom."""

    parts: list[tuple[GatewayTransaction, ChargebackNotice]]
    original: Payment | None = None
    alerts: list[Alert] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def rules_of(pair: PairSettings) -> ChargebackRules:
    """The chargeback rules of a pair: the shipped ones with its changes.

    Raises:
        Misconfigured: the changes make no rules.
    """
    return load_rules(resources.text("templates/chargeback_rules.yaml"), pair.chargebacks.rules)


async def take_all(
    connection: AsyncConnection, stage: Stage, found: Sequence[Found], changes: Changes
) -> list[Found]:
    """What a batch led to, with each chargeback's notice replaced by the payments that it becomes."""
    every: list[Found] = []
    for each in found:
        told = each.arrived.get("chargeback")
        if each.error is not None or each.transaction is None or not told:
            every.append(each)
            continue
        notice = msgspec.convert(told, ChargebackNotice)
        try:
            arrived = Arrived(each.transaction, notice, each.event.source, each.event.received_at)
            taken = await take(connection, stage, arrived)
        except IntegrationError as error:
            every.append(replace(each, error=error))
            continue
        changes.alerts += taken.alerts
        changes.lines += taken.lines
        for transaction, decided in taken.parts:
            arrived_with: JsonObject = {**each.arrived, "chargeback": msgspec.to_builtins(decided)}
            every.append(replace(each, transaction=transaction, arrived=arrived_with))
    return every


async def take(connection: AsyncConnection, stage: Stage, arrived: Arrived) -> Taken:
    """Take a notice, in the caller's transaction: a second one of the same stage changes nothing.

    Raises:
        Unreachable: its payment is still on its way into the ledger.
        Misconfigured: the pair's rules are none.
    """
    pair, rules, notice = stage.lane.pair, rules_of(stage.pair), arrived.notice
    case = await chargebacks.lock(connection, pair, notice.chargeback_ref)
    told = await chargebacks.stages(connection, case) if case is not None else []
    again = next((each for each in told if each.notice.stage == notice.stage), None)
    if case is not None and again is not None:
        return await _again(connection, case, again.notice, arrived)
    original = await find(connection, case, notice, pair)
    if original is None and _is_young(arrived, stage):
        raise waits(notice, "has not arrived yet")
    disputed = await describe(connection, case, original, notice)
    before = [each.notice for each in told]
    decision = decide(before, notice, disputed, rules)
    case = case or _new(notice, pair)
    _bring_up_to_date(case, [*before, notice], decision, original, rules)
    if case.state != "open":
        case.closed_at = stage.clock()
    await chargebacks.save(connection, case)
    parts = [_on_the_road(arrived, part, original) for part in decision.parts]
    kept = Told(
        notice=parts[0][1],
        source=arrived.source,
        transaction_ids=tuple(transaction.transaction_id for transaction, _ in parts),
    )
    await chargebacks.add_stage(connection, case, kept)
    detail: dict[str, object] = {
        "stage": notice.stage,
        "amount": str(notice.amount),
        "source": arrived.source,
    }
    await chargebacks.note(connection, case, Note(action="stage_told", detail=detail))
    return Taken(
        parts=parts,
        original=original,
        alerts=_alerts(case, notice, decision),
        lines=_lines(case, notice, original),
    )


async def _again(connection: AsyncConnection, case: Case, known: ChargebackNotice, arrived: Arrived) -> Taken:
    """The same stage once more: a repetition is nothing, and a contradiction is for a person."""
    posts = known.step is not None and known.step.posts
    same = msgspec.structs.replace(arrived.transaction, state="captured" if posts else "cancelled")
    taken = Taken(parts=[(same, known)])
    if differs := contradicts(known, arrived.notice):
        title = f"Chargeback {case.chargeback_ref} was told twice, differently: {differs} ({known.stage})"
        taken.alerts.append(_alert(case, "chargeback.told-differently", title, "critical"))
        detail: dict[str, object] = {"stage": known.stage, "differs": differs, "source": arrived.source}
        await chargebacks.note(connection, case, Note(action="contradicted", detail=detail))
    return taken


def _new(notice: ChargebackNotice, pair: str) -> Case:
    return Case(
        pair=pair,
        chargeback_ref=notice.chargeback_ref,
        stage=notice.stage,
        amount_minor=notice.amount.minor,
        currency=notice.amount.currency,
        received_on=notice.received_on,
    )


def _bring_up_to_date(
    case: Case,
    told: list[ChargebackNotice],
    decision: Decision,
    original: Payment | None,
    rules: ChargebackRules,
) -> None:
    newest = in_order(told)[-1]
    case.stage, case.amount_minor, case.currency = newest.stage, newest.amount.minor, newest.amount.currency
    case.received_on, case.state = newest.received_on, decision.position.state
    case.suspense_minor, case.loss_minor = decision.position.suspense, decision.position.loss
    case.reason_code = newest.reason_code or case.reason_code
    case.reason_text = newest.reason_text or case.reason_text
    wanted = respond_by(newest, rules) if case.state == "open" else None
    if wanted != case.respond_by:
        case.respond_by, case.alerted = wanted, None
    case.closed_at = None
    case.vendor_tx_code = case.vendor_tx_code or newest.vendor_tx_code
    case.transaction_id = case.transaction_id or newest.transaction_id
    if original is not None:
        case.payment_id, case.customer = original.payment_id, original.customer
        case.transaction_id, case.vendor_tx_code = original.transaction_id, original.vendor_tx_code


def _is_young(arrived: Arrived, stage: Stage) -> bool:
    """Whether its payment may still arrive: messages overtake each other."""
    waited = (stage.clock() - arrived.received_at).total_seconds() * stage.pace / 60
    return waited < stage.pair.order_wait_minutes


# --- what it becomes --------------------------------------------------------------------------------


def _on_the_road(
    arrived: Arrived, part: Part, original: Payment | None
) -> tuple[GatewayTransaction, ChargebackNotice]:
    """A payment of the road with its notice; one that posts nothing is ignored from the start."""
    step = msgspec.structs.replace(part.step, customer=original.customer if original is not None else "")
    told = {"step": step, "transaction_id": original.transaction_id} if original else {"step": step}
    notice = msgspec.structs.replace(arrived.notice, **told)
    related = original.transaction_id if original is not None else arrived.transaction.related_transaction_id
    code = arrived.transaction.vendor_tx_code
    if step.part != "stage":
        code = f"{_SUFFIX[step.part]}-{part.transaction_id[:18]}"
    transaction = msgspec.structs.replace(
        arrived.transaction,
        transaction_id=part.transaction_id,
        vendor_tx_code=code,
        amount=part.amount,
        # `cancelled` is what the road calls a transaction of which nothing is to be posted.
        state="captured" if step.posts else "cancelled",
        status_detail=step.narration,
        related_transaction_id=related,
    )
    return transaction, notice


def _alerts(case: Case, notice: ChargebackNotice, decision: Decision) -> list[Alert]:
    alerts = [_alert(case, reason.code, reason.sentence, "critical") for reason in decision.reasons]
    about = case.vendor_tx_code or "an unknown payment"
    stage = notice.stage.replace("_", " ")
    until = f"; answer by {case.respond_by:%d %B %Y}" if case.respond_by else ""
    title = f"Chargeback {case.chargeback_ref}: {stage}, {notice.amount} of {about}{until}"
    code = "chargeback.opened" if case.state == "open" else f"chargeback.{case.state}"
    return [*alerts, _alert(case, code, title, "info" if case.state == "won" else "warning")]


def _alert(case: Case, code: str, title: str, severity: str) -> Alert:
    subject = f"chargeback {case.chargeback_ref}"
    return Alert(pair=case.pair, code=code, subject=subject, title=title, severity=severity)


def _lines(case: Case, notice: ChargebackNotice, original: Payment | None) -> list[Line]:
    if original is None:
        return []
    detail: dict[str, object] = {
        "chargeback": case.chargeback_ref,
        "chargeback_id": case.chargeback_id,
        "stage": notice.stage,
        "amount": str(notice.amount),
    }
    return [Line(pair=case.pair, payment_id=original.payment_id, action="chargeback.told", detail=detail)]
