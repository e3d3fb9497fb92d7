"""What a person decides of repairs: accept, refuse, undo; and keep a correction as a rule for the next ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from integration.errors import NotFound, Rejected
from service.core.expressions import BadCondition, compile_condition
from service.core.lifecycle import PaymentState, move
from service.core.lifecycle import replay as sent_back
from service.core.repairs import Change, NotRepairable, is_repairable, undone
from service.core.source_document import Json
from service.flow.aggregate import insist_ungathered
from service.flow.amend import amend, release_fields
from service.flow.desk import Desk
from service.flow.repair import beginning, set_back
from service.flow.repair_finding import RULE_VARIABLES
from service.flow.replay import set_out
from service.store import audit, dead_letters, fix_rules, payments, repairs
from service.store.audit import Line
from service.store.dead_letters import DeadLetter
from service.store.fix_rules import FixRule
from service.store.payments import Payment
from service.store.rows import JsonObject


async def accept(desk: Desk, repair_id: int) -> Payment:
    """Make a proposed repair, and send the payment round again; what it says of stock codes is learnt.

    Raises:
        NotFound: there is no such repair.
        Rejected: it was decided before, or does not fit the payment any more.
    """
    row = await _row(desk, repair_id, "proposed")
    payment = await desk.payment(cast(int, row["payment_id"]))
    changes = _changes(row)
    if PaymentState(payment.state) not in (PaymentState.DEAD_LETTER, PaymentState.EXCEPTION):
        raise _stale(row, f"the payment is {payment.state}")
    insist_ungathered(payment, "validate", "")
    try:
        amend(payment, changes)
    except NotRepairable as error:
        raise _stale(row, str(error)) from error
    flow = await desk.library.flow(desk.connection, payment.pair, payment.flow, payment.flow_version)
    set_back(payment, flow, from_start=bool(row["from_start"]))
    await set_out(desk, payment, flow.node(payment.node))
    await repairs.become(desk.connection, repair_id, "applied", desk.actor)
    if row["repair"] == "stock-code":
        for change in changes:
            await repairs.learn(
                desk.connection, payment.pair, str(change.before), str(change.after), desk.actor
            )
    why = f"repair {repair_id} accepted"
    await dead_letters.close(desk.connection, payment.pair, payment.payment_id, desk.actor, why)
    await desk.line("payment.repaired", payment, **_told(row), error=row["error"])
    return payment


async def refuse(desk: Desk, repair_id: int) -> None:
    """Leave the payment as it is; this class is not proposed for it again.

    Raises:
        NotFound: there is no such repair.
        Rejected: it was decided before.
    """
    row = await _row(desk, repair_id, "proposed")
    payment = await desk.payment(cast(int, row["payment_id"]))
    await repairs.become(desk.connection, repair_id, "refused", desk.actor)
    await desk.line("payment.repair_refused", payment, **_told(row))


async def undo(desk: Desk, repair_id: int) -> Payment:
    """Take a repair back: the payment is what it was, and waits in dead letters with the error it had.

    Raises:
        NotFound: there is no such repair.
        Rejected: it was not made, what it changed is or may be in the ledger, or was changed since.
    """
    row = await _row(desk, repair_id, "applied")
    payment = await desk.payment(cast(int, row["payment_id"]))
    changes = _changes(row)
    try:
        amend(payment, undone(changes))
    except NotRepairable as error:
        raise Rejected(
            f"Repair {repair_id} of {payment.vendor_tx_code} cannot be taken back: {error}",
            code="repair.not-undoable",
            hint="What is in the ledger is put right in SYSPRO, or by a refund.",
        ) from error
    release_fields(payment, changes)
    before = payment.state
    await _bury_again(desk, payment, row)
    if payment.state != before:
        await desk.line(f"payment.{payment.state}", payment, step=row["step"], error=row["error"])
    await repairs.become(desk.connection, repair_id, "undone", desk.actor)
    if row["repair"] == "stock-code":
        for change in changes:
            await repairs.forget(desk.connection, payment.pair, str(change.before))
    await desk.line("payment.repair_undone", payment, **_told(row))
    return payment


async def _bury_again(desk: Desk, payment: Payment, row: JsonObject) -> None:
    state = PaymentState(payment.state)
    if any(posting.state == "confirmed" for posting in payment.postings):
        payment.state = str(state if state == PaymentState.EXCEPTION else move(state, PaymentState.EXCEPTION))
    elif state != PaymentState.DEAD_LETTER:
        if state == PaymentState.HELD:
            state = sent_back(state, PaymentState.RECEIVED)
        payment.state = str(move(state, PaymentState.DEAD_LETTER))
    if row["from_start"]:
        flow = await desk.library.flow(desk.connection, payment.pair, payment.flow, payment.flow_version)
        payment.node = beginning(flow, payment.node)
    error = cast(JsonObject, row["error"])
    payment.error, payment.lane, payment.due_at, payment.final_at = error, None, None, desk.now
    await payments.save(desk.connection, [payment])
    letter = DeadLetter(
        pair=payment.pair,
        payment_id=payment.payment_id,
        step=str(row["step"]),
        code=str(row["code"]),
        error=error,
    )
    await dead_letters.open_all(desk.connection, [letter])


async def _row(desk: Desk, repair_id: int, state: str) -> JsonObject:
    # The payment first, as everywhere: two who lock both in different orders would wait for each other.
    seen = await repairs.one(desk.connection, desk.pair.pair, repair_id)
    if seen is None:
        raise NotFound(
            f"Pair `{desk.pair.pair}` has no repair {repair_id}",
            code="repair.unknown",
            hint="List the pair's repairs.",
        )
    await desk.payment(cast(int, seen["payment_id"]))
    row = await repairs.one(desk.connection, desk.pair.pair, repair_id, lock=True)
    assert row is not None, "repairs are never deleted"
    if row["state"] != state:
        raise Rejected(
            f"Repair {repair_id} is {row['state']}, not {state}",
            code="repair.decided",
            hint="List the payment's repairs.",
        )
    return row


def _changes(row: JsonObject) -> tuple[Change, ...]:
    changes = cast(list[dict[str, Json]], row["changes"])
    return tuple(
        Change(path=str(each["path"]), before=each["before"], after=each["after"]) for each in changes
    )


def _told(row: JsonObject) -> JsonObject:
    return {name: row[name] for name in ("repair_id", "repair", "changes", "reason", "rule")}


def _stale(row: JsonObject, why: str) -> Rejected:
    return Rejected(
        f"Repair {row['repair_id']} does not fit payment {row['vendor_tx_code']} any more: {why}",
        code="repair.stale",
        hint="Correct the payment by hand, or replay it for a fresh proposal.",
    )


# --- rules ----------------------------------------------------------------------------------------


async def keep_as_rule(desk: Desk, rule: FixRule) -> tuple[str, int]:
    """Keep a correction for the next payment with the same error; returns the rule's name and version.

    Raises:
        Rejected: there is no note, the field says how much money it is, or the condition cannot be used.
    """
    path = rule.field.replace("[]", "[0]")
    if not desk.note.strip():
        raise Rejected("A rule needs a note: why it is right", code="rule.note", hint="Say why in `note`.")
    if not is_repairable(path) or path.endswith(".Currency"):
        raise Rejected(
            f"`{rule.field}` cannot be put right by a rule",
            code="rule.field",
            hint="Rules are for customers, addresses, references, texts and codes; never for money.",
        )
    if rule.condition:
        try:
            compile_condition(rule.condition, RULE_VARIABLES)
        except BadCondition as error:
            raise Rejected(str(error), code="rule.condition", hint="Correct the condition.") from error
    name, version = await fix_rules.keep(desk.connection, desk.pair.pair, rule, desk.actor, desk.note)
    detail = {"rule": name, "version": version, "note": desk.note, **msgspec.to_builtins(rule)}
    await _pair_line(desk, "rule.kept", detail)
    return name, version


async def retire_rule(desk: Desk, name: str) -> None:
    """Take a rule out of use.

    Raises:
        NotFound: there is no such rule in use.
    """
    if not await fix_rules.retire(desk.connection, desk.pair.pair, name, desk.actor):
        raise NotFound(f"No rule `{name}` is in use", code="rule.unknown", hint="List the pair's rules.")
    await _pair_line(desk, "rule.retired", {"rule": name, "note": desk.note})


async def teach(desk: Desk, alias: str, stock_code: str) -> None:
    """Say which stock code a spelling means; an empty one forgets it.

    Raises:
        NotFound: it is to be forgotten, and nobody knows it.
    """
    if stock_code:
        await repairs.learn(desk.connection, desk.pair.pair, alias, stock_code, desk.actor)
    elif not await repairs.forget(desk.connection, desk.pair.pair, alias):
        raise NotFound(f"Nobody taught `{alias}`", code="alias.unknown", hint="List the pair's spellings.")
    detail: JsonObject = {"alias": alias, "stock_code": stock_code, "note": desk.note}
    await _pair_line(desk, "stock_alias.learnt" if stock_code else "stock_alias.forgotten", detail)


async def _pair_line(desk: Desk, action: str, detail: JsonObject) -> None:
    line = Line(pair=desk.pair.pair, actor=desk.actor, action=action, detail=detail)
    await audit.write(desk.connection, [line])


def generalised(path: str) -> str:
    """The field of a rule from the path of a correction: what was wrong on one line is wrong on any."""
    head, mark, tail = path.partition("lines[")
    return f"{head}lines[]{tail.partition(']')[2]}" if mark and path.startswith("order.lines[") else path


def rules_of(code: str, corrected: Sequence[tuple[str, Json, Json]], condition: str) -> list[FixRule]:
    """The rules that corrections make: each applies to the exact value it found, or by the condition."""
    return [
        FixRule(
            code=code,
            field=generalised(path),
            before=None if condition else before,
            condition=condition,
            after=after,
        )
        for path, before, after in corrected
    ]
