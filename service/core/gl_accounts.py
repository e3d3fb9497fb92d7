"""Which general-ledger account receives what, by configured rules: the most specific rule that fits wins.

A rule names its purpose and any of transaction kind, card type and currency; the more it names, the more specific
it is. Two rules that could both win for the same payment are refused when the rules are loaded, and each purpose
needs a rule without conditions. So every payment has exactly one account, whatever the order of the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from integration.canonical.payment import TransactionKind
from integration.errors import Misconfigured

Purpose = Literal[
    "receipt",  # the clearing account of money that Opayo took
    "fee",
    "refund",  # the refund-clearing account
    "chargeback",
    "chargeback_fee",
    "chargeback_loss",
    "payout",  # the transfer account between clearing and bank
    "exchange_gain",
    "exchange_loss",
    "suspense",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

ACCOUNT_LENGTH = 35


class AccountFacts(Struct, frozen=True, kw_only=True):
    """What decides about an account.

    Attributes:
        card_type: Opayo's `cardType`; compared without regard to case, empty when unknown.
        currency: ISO 4217.
    """

    purpose: Purpose
    transaction_kind: TransactionKind = "unknown"
    card_type: str = ""
    currency: str = ""


class AccountRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule; a condition that is `None` fits everything.

    Attributes:
        account: SYSPRO's ledger code, at most 35 characters.
        reason: why, for the trace and for people.
    """

    purpose: Purpose
    account: str
    transaction_kind: TransactionKind | None = None
    card_type: str | None = None
    currency: str | None = None
    reason: str = ""

    @property
    def conditions(self) -> frozenset[tuple[str, str]]:
        """The named conditions as pairs of member and value."""
        named = {
            "transaction_kind": self.transaction_kind,
            "card_type": self.card_type.casefold() if self.card_type is not None else None,
            "currency": self.currency,
        }
        return frozenset((member, value) for member, value in named.items() if value is not None)

    def describe(self) -> str:
        """The rule in words: `fee for currency EUR` or `fee by default`."""
        named = " and ".join(
            f"{member.replace('_', ' ')} {value}" for member, value in sorted(self.conditions)
        )
        return f"{self.purpose} for {named}" if named else f"{self.purpose} by default"


class AccountChoice(Struct, frozen=True, kw_only=True):
    """The account of a payment's part, and the rule that chose it as a sentence for the trace."""

    account: str
    reason: str


class AccountRules:
    """Rules that were checked: they decide every case, and each in one way only."""

    def __init__(self, rules: Iterable[AccountRule]) -> None:
        """Check the rules and keep them, most specific first.

        Raises:
            Misconfigured: a purpose has no default, an account is unlawful, or two rules are in a tie.
        """
        self._rules: dict[Purpose, list[AccountRule]] = {purpose: [] for purpose in PURPOSES}
        for rule in rules:
            if not rule.account.strip() or len(rule.account) > ACCOUNT_LENGTH:
                raise _misconfigured(
                    f"{rule.describe()} needs an account of 1 to {ACCOUNT_LENGTH} characters"
                )
            self._rules[rule.purpose].append(rule)
        for purpose, candidates in self._rules.items():
            candidates.sort(key=lambda rule: -len(rule.conditions))
            if not candidates or candidates[-1].conditions:
                raise _misconfigured(f"{purpose} has no default: add a rule for it without conditions")
            _refuse_ties(candidates)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every ledger code that the rules name, each once, in order."""
        return tuple(sorted({rule.account for rules in self._rules.values() for rule in rules}))

    def account_for(self, facts: AccountFacts) -> AccountChoice:
        """The one account for these facts, with its reason."""
        known = {
            ("transaction_kind", facts.transaction_kind),
            ("card_type", facts.card_type.casefold()),
            ("currency", facts.currency),
        }
        rule = next(rule for rule in self._rules[facts.purpose] if rule.conditions <= known)
        why = f": {rule.reason}" if rule.reason else ""
        return AccountChoice(
            account=rule.account, reason=f"{rule.account} is the rule {rule.describe()}{why}"
        )


def _refuse_ties(rules: Sequence[AccountRule]) -> None:
    for one, other in combinations(rules, 2):
        both = one.conditions | other.conditions
        excluded = len({member for member, _ in both}) < len(both)
        if len(one.conditions) != len(other.conditions) or excluded:
            continue
        # A more specific rule for every case that both fit settles it.
        if any(rule.conditions <= both and len(rule.conditions) > len(one.conditions) for rule in rules):
            continue
        raise _misconfigured(
            f"the rules {one.describe()} ({one.account}) and {other.describe()} ({other.account}) are in a tie: "
            "remove one, or add a rule that names the conditions of both"
        )


def _misconfigured(reason: str) -> Misconfigured:
    return Misconfigured(
        f"The account rules cannot be used: {reason}",
        code="gl.rules-refused",
        hint="Correct the account rules and load them again.",
    )


class _RulesFile(Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[AccountRule, ...]


def load_rules(text: str | bytes) -> AccountRules:
    """Account rules from YAML: a list `rules`, as in the shipped `gl_rules.yaml`.

    Raises:
        Misconfigured: the text is no such list, or the rules are refused.
    """
    try:
        return AccountRules(msgspec.yaml.decode(text, type=_RulesFile).rules)
    except msgspec.MsgspecError as error:
        raise _misconfigured(str(error)) from error
