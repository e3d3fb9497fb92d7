"""Chargebacks as people and regular work handle them: entering notices, answering, reminding, gathering facts."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage
from integration.canonical.erp_records import ArDocument, OrderState, ReceivablesQuery
from integration.canonical.money import Money
from integration.errors import NotFound, Rejected
from service.core.chargeback_position import in_order
from service.core.chargeback_rules import business_days_left, threshold_reached
from service.core.chargebacks import contradicts
from service.core.own_messages import CHARGEBACK, chargeback_code, chargeback_id
from service.flow.chargeback_arrival import rules_of
from service.flow.desk import Desk
from service.flow.stage import Stage
from service.flow.stages import Stages
from service.store import alerts, audit, chargeback_evidence, chargebacks, inbox, payments
from service.store.alerts import Alert
from service.store.chargeback_evidence import Evidence
from service.store.chargebacks import Case, Note, Told
from service.store.inbox import Accepted, Delivery
from service.store.pairs import PairSettings

JsonObject = dict[str, object]

_GATHERED_AGAIN = timedelta(hours=12)
_MOST_BYTES = 20 * 2**20


# --- by hand --------------------------------------------------------------------------------------


async def enter(desk: Desk, notice: ChargebackNotice) -> Accepted:
    """Put a notice that a person enters into the inbox; the same one again is only counted.

    Raises:
        Rejected: it contradicts what was told of the same stage before.
    """
    known = await chargebacks.lock(desk.connection, desk.pair.pair, notice.chargeback_ref)
    for told in await chargebacks.stages(desk.connection, known) if known is not None else ():
        if told.notice.stage == notice.stage and (differs := contradicts(told.notice, notice)):
            raise Rejected(
                f"The {notice.stage.replace('_', ' ')} of {notice.chargeback_ref} is known, and {differs}",
                code="chargeback.told-differently",
                hint="Compare both with the acquirer's letter. A stage that was posted is corrected in SYSPRO.",
            )
    body = msgspec.json.encode(msgspec.structs.replace(notice, step=None), order="sorted")
    digest = hashlib.sha256(body).hexdigest()[:16]
    delivery = Delivery(
        pair=desk.pair.pair,
        source="manual",
        # The content is part of the name: what is told differently is no repetition.
        event_id=f"{notice.chargeback_ref}/{notice.stage}/{digest}",
        kind=f"{CHARGEBACK}{notice.stage}",
        transaction_id=chargeback_id(notice),
        vendor_tx_code=chargeback_code(notice),
        body=body,
    )
    accepted = (await inbox.store(desk.connection, [delivery]))[0]
    detail: JsonObject = {"chargeback": notice.chargeback_ref, "stage": notice.stage, "note": desk.note}
    line = audit.Line(pair=desk.pair.pair, actor=desk.actor, action="chargeback.entered", detail=detail)
    if accepted.new:
        await audit.write(desk.connection, [line])
    return accepted


async def case(desk: Desk, chargeback_id: int) -> Case:
    """A case of the pair, locked.

    Raises:
        NotFound: the pair has none of that id.
    """
    found = await chargebacks.one(desk.connection, desk.pair.pair, chargeback_id, locked=True)
    if found is None:
        raise NotFound(
            f"Pair `{desk.pair.pair}` has no chargeback {chargeback_id}",
            code="chargeback.unknown",
            hint="List the pair's chargebacks.",
        )
    return found


async def answer(desk: Desk, found: Case, stage: ChargebackStage) -> tuple[ChargebackNotice, Accepted]:
    """Contest a case (`representment`) or give it up (`accepted`), as a notice of our own; gives it back.

    Raises:
        Rejected: the case is closed, or that was said of it before.
    """
    told = await chargebacks.stages(desk.connection, found)
    _insist_open(found, told, stage)
    newest = in_order([each.notice for each in told])[-1]
    today = _today(desk.pair, desk)
    notice = msgspec.structs.replace(
        newest,
        stage=stage,
        received_on=max(today, newest.received_on),
        respond_by=None,
        posted_on=None,
        fee=None,
        step=None,
    )
    await chargebacks.note(desk.connection, found, _note(desk, stage))
    return notice, await enter(desk, notice)


def _insist_open(found: Case, told: list[Told], stage: ChargebackStage) -> None:
    if found.state != "open":
        raise Rejected(
            f"Chargeback {found.chargeback_ref} is {found.state}",
            code="chargeback.closed",
            hint="Nothing can be answered any more; a new notice of the acquirer opens it again.",
        )
    if any(each.notice.stage == stage for each in told):
        raise Rejected(
            f"Chargeback {found.chargeback_ref} has its {stage.replace('_', ' ')} already",
            code="chargeback.stage-told",
            hint="Read the case again. Enter the acquirer's next notice, or accept the case.",
        )


def _note(desk: Desk, action: str, **detail: object) -> Note:
    told = {**detail, **({"note": desk.note} if desk.note else {})}
    return Note(action=action, actor=desk.actor, detail=told)


async def assign(desk: Desk, found: Case, owner: str) -> None:
    """Give a case to somebody."""
    await chargebacks.note(desk.connection, found, _note(desk, "assigned", owner=owner, before=found.owner))
    found.owner = owner
    await chargebacks.save(desk.connection, found)


async def comment(desk: Desk, found: Case, text: str) -> None:
    """Leave a comment on a case."""
    await chargebacks.note(desk.connection, found, _note(desk, "commented", text=text))


def _today(pair: PairSettings, desk: Desk) -> date:
    return desk.now.astimezone(ZoneInfo(pair.time_zone)).date()


# --- before the last day ----------------------------------------------------------------------------


async def remind(stages: Stages, pair: str) -> JsonObject:
    """Tell a person of cases whose last day comes near, once per threshold, and of those it has passed."""
    settings, _ = await stages.connections(pair)
    rules, days = rules_of(settings), settings.chargebacks.alert_days
    today = stages.shared.clock().astimezone(ZoneInfo(settings.time_zone)).date()
    # Weekends and holidays make at most four calendar weeks of ten business days.
    horizon = today + timedelta(days=3 * max(days, default=0) + 14)
    told = overdue = 0
    async with stages.shared.engine.begin() as connection:
        for found in await chargebacks.awaiting_answer(connection, pair, horizon):
            assert found.respond_by is not None
            left = business_days_left(today, found.respond_by, rules.holidays)
            overdue += left < 0
            reached = threshold_reached(left, days)
            if reached is None or (found.alerted is not None and reached >= found.alerted):
                continue
            found.alerted = reached
            await chargebacks.save(connection, found)
            await alerts.raise_all(connection, [_reminder(found, left)])
            told += 1
    return {"told": told, "overdue": overdue}


def _reminder(found: Case, left: int) -> Alert:
    last = f"{found.respond_by:%d %B %Y}"
    when = f"was to be answered by {last}" if left < 0 else f"is to be answered by {last}"
    in_days = "" if left < 0 else f", {left} business days from now"
    who = f" ({found.owner})" if found.owner else ""
    return Alert(
        pair=found.pair,
        code="chargeback.overdue" if left < 0 else "chargeback.answer-due",
        subject=f"chargeback {found.chargeback_ref}, {'overdue' if left < 0 else f'{left} days'}",
        title=f"Chargeback {found.chargeback_ref} over {_amount(found)} {when}{in_days}{who}",
        severity="critical" if left <= 0 else "warning",
    )


def _amount(found: Case) -> str:
    return str(Money(found.amount_minor, found.currency))


# --- what the ERP knows -----------------------------------------------------------------------------


async def gather(stage: Stage) -> JsonObject:
    """Read order, delivery and invoice of disputed payments, so that the evidence is there when it is asked for."""
    pair = stage.lane.pair
    before = stage.clock() - _GATHERED_AGAIN / stage.pace
    async with stage.reads.connect() as connection:
        wanted = await chargeback_evidence.to_gather(connection, pair, before)
    for found in wanted:
        facts = await _facts(stage, found)
        async with stage.engine.begin() as connection:
            await chargeback_evidence.gathered(connection, found, facts, stage.clock())
    return {"gathered": len(wanted)}


async def _facts(stage: Stage, found: Case) -> JsonObject:
    async with stage.reads.connect() as connection:
        row = await payments.of_transaction(connection, found.pair, found.transaction_id)
    keys = {posting.kind: posting.erp_key for posting in row.postings if posting.erp_key} if row else {}
    order = await _order(stage, keys.get("sales_order", ""))
    invoices: tuple[ArDocument, ...] = ()
    if row is not None and order is not None:
        query = ReceivablesQuery(customer=row.customer, sales_order=order.sales_order, open_only=False)
        invoices = await stage.session.receivables(query)
    return {
        "sales_order": msgspec.to_builtins(order) if order is not None else None,
        "invoices": [msgspec.to_builtins(each) for each in invoices],
        "documents": keys,
    }


async def _order(stage: Stage, number: str) -> OrderState | None:
    return await stage.session.sales_order(number) if number else None


async def add_file(desk: Desk, found: Case, file: Evidence) -> bool:
    """Add a file of evidence; whether it is new.

    Raises:
        Rejected: the case would have more than it may.
    """
    size = await chargeback_evidence.size_of(desk.connection, found)
    if size + len(file.body) > _MOST_BYTES:
        raise Rejected(
            f"The evidence of a chargeback may be {_MOST_BYTES // 2**20} MiB; it has {size} bytes already",
            code="chargeback.too-much-evidence",
            hint="Make the files smaller: acquirers take a few pages, and black and white is enough.",
        )
    new = await chargeback_evidence.add(desk.connection, found, file)
    if new:
        note = _note(desk, "evidence_added", name=file.name, size=len(file.body), sha256=file.sha256)
        await chargebacks.note(desk.connection, found, note)
    return new
