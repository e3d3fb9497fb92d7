"""What the stages of a chargeback mean, as rules that are data; and its deadlines, in business days."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage
from integration.errors import Misconfigured

STAGES: tuple[ChargebackStage, ...] = get_args(ChargebackStage)
RANK: Mapping[str, int] = {stage: place for place, stage in enumerate(STAGES)}
"""The tidy order of the stages; it decides between notices of the same day."""

_SATURDAY = 5


class StageRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one stage means.

    Attributes:
        money: whether the acquirer has taken the disputed amount by then, gave it back, or nothing moves.
        respond_days: business days to answer, counted from the day of receipt; `None` where nobody waits for us.
        fee: minor units by currency, when the notice tells none.
    """

    money: Literal["taken", "returned", "unchanged"]
    ends: Literal["won", "lost"] | None = None
    respond_days: int | None = None
    fee: dict[str, int] = {}


class ChargebackRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a pair.

    Attributes:
        pattern: `cash_book` moves money by cash-book transactions, `journal` by journals alone.
        lost: whether a lost case is written off, or the customer is billed again as well.
        holidays: weekdays on which no business is done.
    """

    pattern: Literal["cash_book", "journal"]
    lost: Literal["write_off", "debit_note"]
    stages: dict[ChargebackStage, StageRule]
    holidays: tuple[date, ...] = ()

    def rule(self, notice: ChargebackNotice) -> StageRule:
        """The rule of a notice's stage."""
        return self.stages[notice.stage]


class ChargebackSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a pair does its own way.

    Attributes:
        alert_days: business days before the last day of an answer on which a person is told again.
        rules: what differs from the shipped `chargeback_rules.yaml`, in its form.
    """

    alert_days: list[int] = msgspec.field(default_factory=lambda: [5, 2, 0])
    rules: dict[str, object] = {}


def load_rules(shipped: str | bytes, changes: Mapping[str, object] | None = None) -> ChargebackRules:
    """The rules from YAML, with a pair's changes laid over them: objects member by member, all else whole.

    Raises:
        Misconfigured: they are no such rules, or a stage has none.
    """
    try:
        document: object = msgspec.yaml.decode(shipped)
        if changes:
            document = _over(document, dict(changes))
        rules = msgspec.convert(document, ChargebackRules, strict=False)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _refused(str(error)) from error
    if missing := [stage for stage in STAGES if stage not in rules.stages]:
        raise _refused(f"the stage {missing[0]} has no rule")
    return rules


def _over(below: object, above: object) -> object:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {name: _over(below.get(name), value) for name, value in above.items()}


def _refused(reason: str) -> Misconfigured:
    return Misconfigured(
        f"The chargeback rules cannot be used: {reason}",
        code="chargeback.rules-refused",
        hint="Correct `chargebacks.rules` of the pair.",
    )


# --- deadlines ------------------------------------------------------------------------------------


def respond_by(notice: ChargebackNotice, rules: ChargebackRules) -> date | None:
    """The last day on which an answer counts: as told, else by the rule; `None` where nobody waits for us."""
    days = rules.rule(notice).respond_days
    if notice.respond_by is not None or days is None:
        return notice.respond_by
    return add_business_days(notice.received_on, days, rules.holidays)


def add_business_days(start: date, days: int, holidays: Collection[date]) -> date:
    """The day that many business days after `start`; with 0, the next business day that is not before it."""
    day = start
    while not _is_business(day, holidays):
        day += timedelta(days=1)
    for _ in range(days):
        day += timedelta(days=1)
        while not _is_business(day, holidays):
            day += timedelta(days=1)
    return day


def business_days_left(today: date, until: date, holidays: Collection[date]) -> int:
    """Business days after `today` up to and including `until`; negative once it is past, 0 on the last of them."""
    if until < today:
        return -1
    span = (until - today).days
    return sum(_is_business(today + timedelta(days=n), holidays) for n in range(1, span + 1))


def _is_business(day: date, holidays: Collection[date]) -> bool:
    return day.weekday() < _SATURDAY and day not in holidays


def threshold_reached(left: int, days: Collection[int]) -> int | None:
    """Which alert is due with so many business days left: the smallest of `days` not below it, −1 when overdue."""
    if left < 0:
        return -1
    return min((each for each in days if each >= left), default=None)
