"""Chargebacks: what a set of notices comes to, and what the newest of them has to move in the ledger.

Notices come late, twice and in the wrong order. So a stage has no posting of its own: the notices known so far, put
into the acquirer's order, say where the money *should* lie (clearing, suspense, loss), and a new notice posts the
difference to where the notices before it had put it. The differences add up to the same ledger in whatever order the
notices came: nothing when a case is won, the disputed amount when it is lost, and the fees besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from integration.canonical.chargeback import ChargebackEntry, ChargebackNotice, ChargebackStep
from integration.canonical.money import Money
from service.core.chargeback_position import Position, position
from service.core.chargeback_rules import ChargebackRules
from service.core.own_messages import chargeback_id, own_id

_REFERENCE = 28


class DisputedPayment(Struct, frozen=True, kw_only=True):
    """The payment that a chargeback is about.

    Attributes:
        captured: what was taken, in the payment's currency; `posted` is the same as it is in the ERP.
        refunded: what refunds gave back of it, sent ones included.
        taken_elsewhere: what other chargebacks of it have taken; minor units of the payment's currency.
        customer: the ERP's code that it was posted under.
        in_ledger: whether it was posted at all.
    """

    captured: Money
    posted: Money
    refunded: Money
    taken_elsewhere: int = 0
    customer: str = ""
    in_ledger: bool = True


class Reason(Struct, frozen=True):
    """Why a person has to see a stage before it is posted; `code` is in the handbook."""

    code: str
    sentence: str


class Part(Struct, frozen=True, kw_only=True):
    """One payment on the road that a notice becomes.

    Attributes:
        transaction_id: the same for the same notice for ever.
        amount: what is to be posted; what is disputed where nothing is.
    """

    transaction_id: str
    amount: Money
    step: ChargebackStep


class Decision(Struct, frozen=True, kw_only=True):
    """What a notice leads to; `position` is the whole case's, in the notice's currency."""

    parts: tuple[Part, ...]
    position: Position
    reasons: tuple[Reason, ...] = ()


def decide(
    before: Sequence[ChargebackNotice],
    notice: ChargebackNotice,
    payment: DisputedPayment | None,
    rules: ChargebackRules,
) -> Decision:
    """What a new notice of a case has to move, given the notices known before it.

    Args:
        before: notices of the same case, in any order, without one of the same stage.
        payment: what it is about; `None` when we know no such payment.
    """
    old, new = position(before, rules), position([*before, notice], rules)
    reasons = tuple(_reasons(notice, payment, new))
    rate, currency = _rate(notice, payment)
    parts = [
        _stage_part(notice, (old.at(rate), new.at(rate)), currency, rules),
        *_fee_part(notice, rate, currency, rules),
        *_note_part(notice, (old.at(rate), new.at(rate)), currency, payment, rules),
    ]
    told = tuple(reason.sentence for reason in reasons)
    held = [replace(part, step=replace(part.step, hold=told)) if part.step.posts else part for part in parts]
    return Decision(parts=tuple(held), position=new, reasons=reasons)


def _rate(notice: ChargebackNotice, payment: DisputedPayment | None) -> tuple[Fraction, str]:
    """At which rate the money goes through the ledger: that of the payment, so that suspense comes to nothing."""
    own = notice.amount.currency
    if payment is None or payment.captured.currency != own or not payment.captured.minor:
        return Fraction(1), own
    return Fraction(payment.posted.minor, payment.captured.minor), payment.posted.currency


def _reasons(notice: ChargebackNotice, payment: DisputedPayment | None, new: Position) -> list[Reason]:
    ref = notice.chargeback_ref
    if payment is None:
        named = notice.vendor_tx_code or notice.transaction_id or "nothing"
        return [
            Reason(
                "chargeback.payment-unknown", f"Chargeback {ref} names {named}, and we know no such payment."
            )
        ]
    captured, refunded = payment.captured, payment.refunded.minor
    if notice.amount.currency != captured.currency:
        sentence = f"Chargeback {ref} is in {notice.amount.currency}, its payment in {captured.currency}."
        return [Reason("chargeback.currency-differs", sentence)]
    if not payment.in_ledger:
        sentence = f"Chargeback {ref} is about a payment that is not in the ledger."
        return [Reason("chargeback.payment-not-posted", sentence)]
    taken = Money(new.taken + payment.taken_elsewhere, captured.currency)
    if taken.minor + refunded <= captured.minor:
        return []
    if taken.minor > captured.minor:
        return [
            Reason(
                "chargeback.exceeds-payment", f"Chargeback {ref} makes it {taken} taken back of {captured}."
            )
        ]
    sentence = f"Paid back twice: {payment.refunded} of {captured} was refunded, and chargeback {ref} takes back {taken}."
    return [Reason("chargeback.paid-back-twice", sentence)] if new.taken else []


# --- what is posted -------------------------------------------------------------------------------


def _stage_part(
    notice: ChargebackNotice, moved: tuple[Position, Position], currency: str, rules: ChargebackRules
) -> Part:
    old, new = moved
    changes: dict[str, int] = {
        "clearing": new.clearing - old.clearing,
        "suspense": new.suspense - old.suspense,
        "loss": new.loss - old.loss,
    }
    cash = rules.pattern == "cash_book"
    entries = _entries({"suspense": -changes["loss"], "loss": changes["loss"]} if cash else changes, currency)
    money = changes["clearing"] if cash else 0
    amount = abs(changes["clearing"]) or abs(changes["loss"])
    posts: Literal["", "cash", "journal", "both"] = "journal" if entries else ""
    if money:
        posts = "both" if entries else "cash"
    return Part(
        transaction_id=chargeback_id(notice),
        amount=Money(amount, currency) if amount else notice.amount,
        step=_step(notice, chargeback_id(notice), "stage", posts, entries)
        if not money
        else replace(
            _step(notice, chargeback_id(notice), "stage", posts, entries),
            direction="W" if money < 0 else "D",
            money=Money(abs(money), currency),
        ),
    )


def _entries(changes: dict[str, int], currency: str) -> tuple[ChargebackEntry, ...]:
    purposes: tuple[Literal["clearing", "suspense", "loss", "fee"], ...] = (
        "clearing",
        "suspense",
        "loss",
        "fee",
    )
    return tuple(
        ChargebackEntry(purpose=purpose, amount=Money(changes[purpose], currency))
        for purpose in purposes
        if changes.get(purpose)
    )


def _step(
    notice: ChargebackNotice,
    transaction_id: str,
    part: Literal["stage", "fee", "note"],
    posts: Literal["", "cash", "journal", "both", "note"],
    entries: tuple[ChargebackEntry, ...] = (),
) -> ChargebackStep:
    digits = transaction_id.replace("-", "")[:_REFERENCE]
    what = notice.stage.replace("_", " ") if part == "stage" else f"{notice.stage.replace('_', ' ')} {part}"
    return ChargebackStep(
        part=part,
        posts=posts,
        reference=f"{digits}-a",
        journal_reference=f"{digits}-b",
        narration=f"Chargeback {notice.chargeback_ref} {what}",
        entries=entries,
    )


def _fee_part(notice: ChargebackNotice, rate: Fraction, currency: str, rules: ChargebackRules) -> list[Part]:
    ruled = rules.rule(notice).fee.get(notice.amount.currency, 0)
    told = notice.fee
    if told is not None and told.currency != notice.amount.currency:
        minor, currency = told.minor, told.currency
    else:
        minor = round((told.minor if told is not None else ruled) * rate)
    if minor <= 0:
        return []
    fee = Money(minor, currency)
    part_id = own_id("chargeback", notice.chargeback_ref, notice.stage, "fee")
    if rules.pattern == "cash_book":
        step = replace(_step(notice, part_id, "fee", "cash"), direction="W", money=fee)
    else:
        step = _step(
            notice, part_id, "fee", "journal", _entries({"clearing": -minor, "fee": minor}, currency)
        )
    return [Part(transaction_id=part_id, amount=fee, step=step)]


def _note_part(
    notice: ChargebackNotice,
    moved: tuple[Position, Position],
    currency: str,
    payment: DisputedPayment | None,
    rules: ChargebackRules,
) -> list[Part]:
    """The debit note that bills a lost amount again, or the credit note that takes it back."""
    change = moved[1].loss - moved[0].loss
    if rules.lost != "debit_note" or not change or payment is None:
        return []
    part_id = own_id("chargeback", notice.chargeback_ref, notice.stage, "note")
    step = replace(
        _step(notice, part_id, "note", "note"),
        note_type="D" if change > 0 else "C",
        customer=payment.customer,
    )
    return [Part(transaction_id=part_id, amount=Money(abs(change), currency), step=step)]


# --- what was told before -------------------------------------------------------------------------


def contradicts(known: ChargebackNotice, again: ChargebackNotice) -> str:
    """What a second notice of the same stage says otherwise, as half a sentence; empty when it only repeats.

    A member that one of them does not tell is no contradiction.
    """
    if known.amount != again.amount:
        return f"the amount is {again.amount}, and was {known.amount}"
    for name in ("vendor_tx_code", "transaction_id"):
        before, now = getattr(known, name), getattr(again, name)
        if before and now and before != now:
            return f"the {name.replace('_', ' ')} is {now}, and was {before}"
    return ""
