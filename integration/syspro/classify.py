"""What SYSPRO's errors mean: a table of patterns, first match wins.

Only a handful of SYSPRO's error numbers are public, and many texts here are expectations: the table is data, a
site may replace it, and whatever matches no row stays visible as *unclassified* with its number and text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct

ErrorClass = Literal[
    "invalid-credentials",
    "invalid-company",
    "session-invalid",
    "not-licensed",
    "licence-exhausted",
    "busy",
    "locked",
    "outcome-unknown",
    "duplicate",
    "unknown-customer",
    "unknown-stock-code",
    "customer-on-hold",
    "period-closed",
    "not-distributed",
    "unbalanced",
    "validation-failed",
    "unclassified",
]

Moment = Literal["logon", "read", "post"]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing SYSPRO said was wrong.

    Attributes:
        element: path of element names (`Payment.InvoiceToPay[0].Invoice`), empty for plain text.
        number: SYSPRO's error number, empty when it gave none.
        text: SYSPRO's own description, or the whole plain-text answer.
    """

    text: str
    number: str = ""
    element: str = ""
    value: str = ""


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the table: every condition that is given must hold.

    Attributes:
        pattern: regular expression searched in the text, any case.
        also: a second one that must be found too.
        numbers: error numbers, any of which will do *instead of* the pattern.
        element: regular expression for the end of the element's path.
        moments: when it applies (`logon`, `read`, `post`); empty is always.
        business_object: the object it applies to (`GENTJL`); empty is any.
    """

    means: ErrorClass
    pattern: str = ""
    also: str = ""
    numbers: tuple[str, ...] = ()
    element: str = ""
    moments: tuple[Moment, ...] = ()
    business_object: str = ""

    def __post_init__(self) -> None:
        if not (self.pattern or self.numbers):
            raise ValueError("a rule needs a `pattern` or `numbers`, or it would never match")
        for pattern in (self.pattern, self.also, self.element):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


_NOT_FOUND = r"not found|does not exist|not on file|invalid|unknown"

DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(means="invalid-company", pattern=r"Invalid company", moments=("logon",)),
    Rule(means="invalid-credentials", pattern=r"^ERROR:? ?Invalid operator", moments=("logon",)),
    Rule(means="session-invalid", pattern=r"UserID is invalid|session has expired"),
    Rule(
        means="licence-exhausted",
        pattern=r"licen[cs]es? (limit|exceeded|exhausted)|all licen[cs]ed users|(concurrent|maximum number of) users",
        moments=("logon",),
    ),
    Rule(means="busy", pattern=r"^ERROR", moments=("logon",)),
    Rule(means="not-licensed", pattern=r"e\.net exception raised: 100000"),
    Rule(means="outcome-unknown", pattern=r"e\.net exception", moments=("post",)),
    Rule(means="busy", pattern=r"e\.net exception", moments=("read",)),
    # Reported of calls that had done their work.
    Rule(means="outcome-unknown", pattern=r"memory leak", moments=("post",)),
    Rule(means="duplicate", pattern=r"duplicate", numbers=("120001",)),
    Rule(means="customer-on-hold", pattern=r"customer.*on hold"),
    Rule(means="customer-on-hold", pattern=r"on hold", element=r"\bCustomer$"),
    Rule(means="period-closed", pattern=r"period", also=r"closed|not open|invalid"),
    Rule(means="not-distributed", pattern=r"distribut"),
    Rule(means="unbalanced", pattern=r"balance", business_object="GENTJL"),
    Rule(means="locked", pattern=r"locked|in use|being processed"),
    Rule(means="unknown-stock-code", numbers=("240004",), pattern=r"stock code.*(not found|not stocked)"),
    Rule(means="unknown-stock-code", pattern=_NOT_FOUND + "|not stocked", element=r"\bStockCode$"),
    Rule(means="unknown-customer", pattern=_NOT_FOUND, element=r"\bCustomer$"),
    Rule(means="unknown-customer", pattern=r"customer .*(not found|does not exist|not on file)"),
    Rule(
        means="validation-failed",
        numbers=("100028", "100030", "100031"),
        pattern=r"not found|must be|cannot be",
    ),
    Rule(means="outcome-unknown", pattern=r"^ERROR", moments=("post",)),
    Rule(means="busy", pattern=r"^ERROR", moments=("read",)),
)
"""The rows of the shipped table, most telling first."""


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _matches(rule: Rule, finding: Finding, moment: Moment, business_object: str) -> bool:
    if rule.moments and moment not in rule.moments:
        return False
    if rule.business_object and rule.business_object != business_object:
        return False
    if rule.element and not _compiled(rule.element).search(finding.element):
        return False
    if rule.numbers and finding.number.lstrip("0") in rule.numbers:
        return True
    wanted = [pattern for pattern in (rule.pattern, rule.also) if pattern]
    return bool(wanted) and all(_compiled(pattern).search(finding.text) for pattern in wanted)


def classify(
    finding: Finding,
    *,
    moment: Moment,
    business_object: str = "",
    rules: Sequence[Rule] = DEFAULT_RULES,
) -> ErrorClass:
    """The class of a finding; `unclassified` when no row matches."""
    for rule in rules:
        if _matches(rule, finding, moment, business_object):
            return rule.means
    return "unclassified"
