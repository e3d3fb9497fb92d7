"""From the class of what SYSPRO said to the error it becomes, worded for the document it concerns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from integration.errors import (
    AlreadyPosted,
    CustomerOnHold,
    Evidence,
    IntegrationError,
    Misconfigured,
    OutcomeUnknown,
    PeriodClosed,
    RecordLocked,
    Rejected,
    SessionLost,
    Throttled,
    Unclassified,
    UnknownCustomer,
    UnknownStockCode,
)
from integration.syspro.classify import ErrorClass, Finding, Rule, classify

_STOCK_CODE = re.compile(r"(?i)stock code '([^']+)'")


class Concerning(Struct, frozen=True, kw_only=True):
    """Which document an error is about, for its text: `AR payment 6B1F…` with its reference."""

    what: str
    reference: str = ""
    customer: str = ""
    retry_after: int | None = None


def evidence_of(finding: Finding, business_object: str = "") -> Evidence:
    """SYSPRO's own words, kept for the person who reads the dead letter."""
    return {
        "ErrorNumber": finding.number,
        "ErrorDescription": finding.text[:400],
        "Element": finding.element,
        "BusinessObject": business_object,
    }


def error_for(means: ErrorClass, finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    """The error of a class, worded for the document it concerns."""
    return _BUILDERS[means](finding, about, evidence)


_Builder = Callable[[Finding, Concerning, Evidence], IntegrationError]


def _said(finding: Finding) -> str:
    return finding.text.strip().rstrip(".")[:200] or "it gave no reason"


def _refusal(kind: type[Rejected], code: str | None = None) -> _Builder:
    def build(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
        return kind(f"SYSPRO refused {about.what}: {_said(finding)}", code=code, evidence=evidence)

    return build


def _unknown_customer(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    customer = finding.value or about.customer
    return UnknownCustomer(
        f"SYSPRO does not know customer `{customer}` of {about.what}",
        evidence={**evidence, "customer": customer},
    )


def _unknown_stock(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    quoted = _STOCK_CODE.search(finding.text)
    stock_code = quoted[1] if quoted else finding.value
    return UnknownStockCode(
        f"SYSPRO cannot supply stock code `{stock_code}` of {about.what}: {_said(finding)}",
        evidence={**evidence, "stock_code": stock_code},
    )


def _on_hold(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    return CustomerOnHold(
        f"Customer `{about.customer}` is on hold in SYSPRO, so it refused {about.what}",
        evidence={**evidence, "customer": about.customer},
    )


def _misconfigured(code: str, title: str) -> _Builder:
    def build(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
        return Misconfigured(title, code=code, evidence=evidence)

    return build


def _throttled(code: str, title: str) -> _Builder:
    def build(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
        return Throttled(title, code=code, evidence=evidence, retry_after=about.retry_after)

    return build


def _locked(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    return RecordLocked(
        f"Somebody holds a record that {about.what} needs: {_said(finding)}",
        evidence=evidence,
        retry_after=about.retry_after,
    )


def _unknown_outcome(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    return OutcomeUnknown(
        f"SYSPRO may or may not have taken {about.what}: {_said(finding)}",
        code="syspro.outcome-unknown",
        evidence=evidence,
        retry_after=about.retry_after,
    )


def _duplicate(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    return AlreadyPosted(
        f"SYSPRO says that it already holds {about.what}: {_said(finding)}",
        reference=about.reference,
        code="syspro.already-posted",
    )


def _session(finding: Finding, about: Concerning, evidence: Evidence) -> IntegrationError:
    return SessionLost(f"SYSPRO ended our session before it took {about.what}", evidence=evidence)


_BUILDERS: dict[ErrorClass, _Builder] = {
    "invalid-credentials": _misconfigured(
        "syspro.invalid-credentials", "SYSPRO refused the operator, its password or the company"
    ),
    "invalid-company": _misconfigured(
        "syspro.invalid-company", "SYSPRO refused the company, or the company's password"
    ),
    "session-invalid": _session,
    "not-licensed": _misconfigured(
        "syspro.not-licensed", "SYSPRO's operator may not use a business object that the posting needs"
    ),
    "licence-exhausted": _throttled("syspro.licence-exhausted", "All of SYSPRO's licence seats are taken"),
    "busy": _throttled("syspro.busy", "SYSPRO is busy"),
    "locked": _locked,
    "outcome-unknown": _unknown_outcome,
    "duplicate": _duplicate,
    "unknown-customer": _unknown_customer,
    "unknown-stock-code": _unknown_stock,
    "customer-on-hold": _on_hold,
    "period-closed": _refusal(PeriodClosed),
    "not-distributed": _refusal(Rejected, "syspro.not-distributed"),
    "unbalanced": _refusal(Rejected, "syspro.unbalanced"),
    "validation-failed": _refusal(Rejected, "syspro.validation-failed"),
    "unclassified": _refusal(Unclassified),
}


def refused(
    findings: Sequence[Finding], about: Concerning, business_object: str, rules: Sequence[Rule]
) -> IntegrationError:
    """The error of a posting that SYSPRO refused: the first finding with a class decides.

    A document may have several faults; the others stay in the evidence so that one correction mends all.
    """
    known = [
        (classify(finding, moment="post", business_object=business_object, rules=rules), finding)
        for finding in findings
    ]
    means, finding = next(
        (pair for pair in known if pair[0] != "unclassified"),
        known[0] if known else ("unclassified", Finding(text="")),
    )
    evidence = dict(evidence_of(finding, business_object))
    others = [other.text for other in findings if other is not finding]
    if others:
        evidence["also"] = "; ".join(others)[:400]
    return error_for(means, finding, about, evidence)
