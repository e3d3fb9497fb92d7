"""How every business object posts: item by item, all or nothing, validated or for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from integration.sandbox.syspro.findings import INVALID_CHOICE, PERIOD_CLOSED, Findings, Reader
from integration.sandbox.syspro.shapes import Shape, check_widths
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import Document, Value

POSTED, VALIDATED, REJECTED, SKIPPED = "POSTED", "VALIDATED", "REJECTED", "SKIPPED"


class ItemResult(msgspec.Struct):
    """What became of one item.

    Attributes:
        number: its position, six digits from ``000001``.
        status: POSTED, VALIDATED, REJECTED or SKIPPED (valid, but the document as a whole was not).
        result: the elements SYSPRO returns for it: keys, statuses.
        rejected_by_warning: whether only warnings stood against it.
    """

    number: str
    status: str
    findings: Findings
    result: Document = {}
    rejected_by_warning: bool = False


class Outcome(msgspec.Struct):
    """What became of a document: its items, and totals such as the GL journal made for it."""

    business_object: str
    items: list[ItemResult]
    totals: Document = {}

    def count(self, *statuses: str) -> int:
        """How many items ended in one of these statuses."""
        return sum(item.status in statuses for item in self.items)

    @property
    def posted(self) -> bool:
        """Whether anything was posted."""
        return self.count(POSTED) > 0


class Posting:
    """One call of a business object.

    Args:
        store: the company.
        parameters: the call's parameters, defaults not filled in.
        operator: who asks.
        ignored: elements dropped silently on this call, beside those the quirks name.

    Attributes:
        column_widths: refuse what its column would cut; a face that lets SYSPRO cut switches it off.
    """

    def __init__(
        self, store: Store, parameters: Document, operator: str = "", ignored: tuple[str, ...] = ()
    ) -> None:
        self.store = store
        self.operator = operator
        self.ignored = [*store.config.quirks.ignored_elements, *ignored]
        self.found = Findings()
        self.column_widths = True
        self.parameters = Reader(parameters, self.found, "Parameters")
        self.ignore_warnings = self.parameters.choice("IgnoreWarnings", "N Y W", "N")
        self.whole_document = self.parameters.choice("ApplyIfEntireDocumentValid", "Y N", "Y") == "Y"
        self.validate_only = self.parameters.choice("ValidateOnly", "Y N", "N") == "Y"
        self.period = self.parameters.choice("PostingPeriod", "C P B", "C")

    @property
    def month(self) -> str:
        """The month ``CCYY-MM`` the parameters' relative period stands for."""
        return self.store.month_of(self.period)

    def check_period(self, month: str, reader: Reader, element: str = "PostingPeriod") -> None:
        """Refuse a closed month."""
        if self.store.is_closed(month):
            reader.refuse(element, PERIOD_CLOSED, f"Posting period {month.replace('-', '/')} is closed")

    def warnings_allowed(self, allowed: str) -> None:
        """Refuse an IgnoreWarnings value this business object does not know."""
        if self.ignore_warnings not in allowed.split():
            self.parameters.refuse(
                "IgnoreWarnings",
                INVALID_CHOICE,
                f"IgnoreWarnings '{self.ignore_warnings}' must be one of {allowed}",
            )


class Plan(msgspec.Struct, frozen=True):
    """A business object: its code, the shape of an item, what posts one, and what closes the document."""

    code: str
    item: Shape
    post: Callable[[Reader], Document]
    close: Callable[[], Mapping[str, Value]] | None = None


def run(posting: Posting, plan: Plan, items: list[Document]) -> Outcome:
    """Post ``items`` and settle, or leave no trace.

    An item whose ``post`` noted errors is undone; warnings count as errors unless IgnoreWarnings says
    otherwise. With ApplyIfEntireDocumentValid one refused item undoes the whole document.
    """
    undo = posting.store.undo
    start = undo.mark()
    results = [_run_item(posting, plan, number, item) for number, item in enumerate(items, start=1)]
    outcome = Outcome(plan.code, results)
    refused = outcome.count(REJECTED) > 0
    if posting.validate_only or (refused and posting.whole_document):
        undo.back_to(start)
        for result in results:
            if result.status == POSTED:
                result.status = SKIPPED if refused and posting.whole_document else VALIDATED
                result.result = {}
    elif outcome.posted and plan.close is not None:
        outcome.totals = dict(plan.close())
    posting.store.settle()
    return outcome


def _run_item(posting: Posting, plan: Plan, number: int, item: Document) -> ItemResult:
    mark = posting.store.undo.mark()
    findings = Findings(list(posting.found.errors))
    reader = Reader(_without_ignored(item, posting.ignored), findings)
    check_widths(reader, plan.item, columns=posting.column_widths)
    result: Document = {} if reader.failed() else plan.post(reader)
    by_warning = not findings.errors and bool(findings.warnings) and posting.ignore_warnings == "N"
    if by_warning:
        findings.errors, findings.warnings = findings.warnings, []
    elif posting.ignore_warnings == "Y":
        findings.warnings = []
    refused = bool(findings.errors)
    if refused:
        posting.store.undo.back_to(mark)
    status = REJECTED if refused else POSTED
    return ItemResult(f"{number:06}", status, findings, {} if refused else result, by_warning)


def _without_ignored(document: Document, ignored: list[str]) -> Document:
    """Drop the elements the site's SYSPRO silently ignores, at any depth."""
    if not ignored:
        return document
    kept = {name: value for name, value in document.items() if name not in ignored}
    return {name: _deep(value, ignored) for name, value in kept.items()}


def _deep(value: Value, ignored: list[str]) -> Value:
    if isinstance(value, dict):
        return _without_ignored(value, ignored)
    return [_deep(part, ignored) for part in value] if isinstance(value, list) else value
