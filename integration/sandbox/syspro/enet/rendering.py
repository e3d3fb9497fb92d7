"""How results, errors, warnings and counters of postings look in e.net's documents."""

from __future__ import annotations

import re
from collections.abc import Iterable

from integration.sandbox.syspro.enet.call import error_parts
from integration.sandbox.syspro.enet.xml_out import Elements
from integration.sandbox.syspro.findings import Finding
from integration.sandbox.syspro.posting import POSTED, REJECTED, VALIDATED, Outcome

_INDEX = re.compile(r"\[\d+\]$")


class _Group:
    """Elements under construction: groups by their indexed name, so that repeats stay apart."""

    def __init__(self) -> None:
        self.content: Elements = []
        self._groups: dict[str, _Group] = {}

    def group(self, part: str) -> _Group:
        if part not in self._groups:
            made = self._groups[part] = _Group()
            self.content.append((_INDEX.sub("", part), made.content))
        return self._groups[part]


def error_elements(errors: Iterable[Finding]) -> Elements:
    """The offending elements with their three children, each under the groups it was found in."""
    whole = _Group()
    for finding in errors:
        *groups, leaf = finding.element.split(".")
        at = whole
        for part in groups:
            at = at.group(part)
        if leaf:
            at.content.append((_INDEX.sub("", leaf), error_parts(finding)))
        else:
            at.content.extend(error_parts(finding))
    return whole.content


def warning_elements(warnings: Iterable[Finding]) -> Elements:
    """Warnings as SORTOI and others return them; nothing when there are none."""
    said: Elements = [("WarningDescription", finding.description) for finding in warnings]
    return [("WarningMessages", said)] if said else []


def counter(count: int) -> str:
    """A counter of StatusOfItems."""
    return f"{count:06}"


def counter_or_blank(count: int) -> str:
    """A counter that is blank rather than zero, as SYSPRO leaves those of invalid items."""
    return counter(count) if count else ""


def status_of_items(outcome: Outcome) -> Elements:
    """The counters of a document as its object spells them."""
    done = outcome.count(POSTED, VALIDATED)
    invalid = outcome.count(REJECTED)
    if outcome.business_object == "GENTJL":
        return [
            ("JournalsProcessed", counter(done)), ("JournalsInvalid", counter_or_blank(invalid)),
            ("PostingsProcessed", counter(outcome.count(POSTED))), ("PostingsInvalid", ""),
        ]  # fmt: skip
    if outcome.business_object == "ARSTIN":
        return [("ItemsValidated", counter(done)), ("InvalidItems", counter_or_blank(invalid))]
    return [("ItemsProcessed", counter(done)), ("ItemsInvalid", counter_or_blank(invalid))]


def order_counters(outcome: Outcome) -> Elements:
    """The counters of a sales order import."""
    warned = sum(bool(item.findings.warnings) for item in outcome.items if item.status != REJECTED)
    return [
        ("ItemsProcessed", counter(outcome.count(POSTED, VALIDATED))),
        ("ItemsRejectedWithWarnings", counter(sum(item.rejected_by_warning for item in outcome.items))),
        ("ItemsProcessedWithWarnings", counter(warned)),
        ("ItemsInvalid", counter(outcome.count(REJECTED))),
    ]


def record_counters(outcome: Outcome) -> Elements:
    """The counters of a setup object; these carry no leading zeros."""
    return [
        ("RecordsRead", str(len(outcome.items))),
        ("RecordsInvalid", str(outcome.count(REJECTED))),
    ]
