"""Would a careful clerk let this payment through? Rules over facts; a payment is cleared, or held with reasons.

Rules are data: a name, a condition in CEL over `Facts`, and the sentence a person reads. A rule that cannot be
decided holds the payment: doubt never lets money through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct, structs

from integration.canonical.money import Money
from integration.errors import Misconfigured
from service.core.expressions import BadCondition, Condition, compile_condition


class Facts(Struct, frozen=True, kw_only=True):
    """What is known when a payment is screened; whole numbers, text and booleans only.

    Attributes:
        amount_minor: minor units of `currency`.
        hour: of the payment, UK time, 0 to 23.
        avs_result, cv2_result: of `Matched`, `NotMatched`, `NotProvided`, `NotChecked`, empty when not told.
        three_d_secure: Opayo's `3DSecure.status`.
        fraud_action: advice of the fraud screen (`OK`, `HOLD`, `REJECT`, `NORESULT`), empty when not told.
        customer_age_days: since the customer's first payment, or since the ERP has known it when that is longer.
        payments_last_hour, payments_last_day: before this one.
        amount_last_day_minor: in this currency, before this payment.
        distinct_cards_last_day: this payment's card included.
        first_payment: none is known before this one.
        shipping_differs: goods go elsewhere than the card's address.
        times_usual_amount_percent: 300 is three times the customer's mean in this currency; 0 without history.
    """

    amount_minor: int
    currency: str
    hour: int = 12
    avs_result: str = ""
    cv2_result: str = ""
    three_d_secure: str = ""
    fraud_action: str = ""
    customer_age_days: int = 0
    payments_last_hour: int = 0
    payments_last_day: int = 0
    amount_last_day_minor: int = 0
    distinct_cards_last_day: int = 0
    first_payment: bool = True
    shipping_differs: bool = False
    times_usual_amount_percent: int = 0

    def named(self) -> dict[str, int | str | bool]:
        """The facts by name, as conditions read them."""
        return structs.asdict(self)


FACT_NAMES = frozenset(field.name for field in structs.fields(Facts))

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_IN_SENTENCES = FACT_NAMES | {"amount"}


class ScreeningRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as it is written.

    Attributes:
        name: stable, as in `many-payments`.
        condition: CEL over the facts' names.
        reason: a sentence with facts in braces; `{amount}` is the amount with its currency.
    """

    name: str
    condition: str
    reason: str
    action: Literal["hold"] = "hold"


class Reason(Struct, frozen=True):
    """Why a payment is held: the rule and its sentence with the facts in it."""

    rule: str
    sentence: str


class Cleared(Struct, frozen=True):
    """No rule objects."""


class Held(Struct, frozen=True):
    """At least one rule objects; a person decides."""

    reasons: tuple[Reason, ...]


class Rules:
    """Rules that were checked and compiled, in the order in which their reasons are told."""

    def __init__(self, rules: Iterable[ScreeningRule]) -> None:
        """Compile the rules.

        Raises:
            Misconfigured: a condition is unlawful, a sentence names an unknown fact, or a name is used twice.
        """
        self._rules: list[tuple[ScreeningRule, Condition]] = []
        names: set[str] = set()
        for rule in rules:
            unknown = sorted(set(_PLACEHOLDER.findall(rule.reason)) - _IN_SENTENCES)
            if not rule.name or rule.name in names or unknown:
                problem = (
                    f"its reason names unknown facts: {', '.join(unknown)}"
                    if unknown
                    else "its name is not unique"
                )
                raise _misconfigured(f"rule {rule.name!r}: {problem}")
            names.add(rule.name)
            try:
                self._rules.append((rule, compile_condition(rule.condition, FACT_NAMES)))
            except BadCondition as error:
                raise _misconfigured(f"rule {rule.name!r}: {error}") from error

    def __iter__(self) -> Iterator[tuple[ScreeningRule, Condition]]:
        """The rules with their conditions."""
        return iter(self._rules)


def _misconfigured(problem: str) -> Misconfigured:
    return Misconfigured(
        f"The screening rules cannot be used: {problem}",
        code="screening.rules-refused",
        hint="Correct the screening rules and load them again.",
    )


class _RulesFile(Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[ScreeningRule, ...]


def load_rules(text: str | bytes) -> Rules:
    """Screening rules from YAML: a list `rules`, as in the shipped `screening_rules.yaml`.

    Raises:
        Misconfigured: the text is no such list, or the rules are refused.
    """
    try:
        return Rules(msgspec.yaml.decode(text, type=_RulesFile).rules)
    except msgspec.MsgspecError as error:
        raise _misconfigured(str(error)) from error


def decide(facts: Facts, rules: Rules) -> Cleared | Held:
    """Cleared, or held with the reason of every rule that objects or cannot decide."""
    known = facts.named()
    reasons = [reason for rule, condition in rules for reason in _objections(rule, condition, known)]
    return Held(tuple(reasons)) if reasons else Cleared()


def _objections(
    rule: ScreeningRule, condition: Condition, known: Mapping[str, int | str | bool]
) -> Sequence[Reason]:
    try:
        objects = condition.holds(known)
    except BadCondition as error:
        return [Reason(rule.name, f"The rule could not be decided, so a person decides: {error}.")]
    return [Reason(rule.name, _sentence(rule.reason, known))] if objects else []


def _sentence(template: str, known: Mapping[str, int | str | bool]) -> str:
    amount = Money(int(known["amount_minor"]), str(known["currency"]))
    words = {name: str(value) for name, value in known.items()} | {"amount": str(amount)}
    return _PLACEHOLDER.sub(lambda found: words[found[1]], template)
