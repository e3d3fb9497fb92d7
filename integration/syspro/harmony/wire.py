"""From an answer to its content or its error: what each status and each `Error.Code` of the façade means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from integration.errors import (
    Evidence,
    IntegrationError,
    Misconfigured,
    NotFound,
    Rejected,
)
from integration.http import Answer
from integration.syspro.classify import ErrorClass, Finding, Rule, classify
from integration.syspro.harmony.schema import ErrorHead, Failure, ItemError, Page
from integration.syspro.refusals import Concerning, error_for, refused

T = TypeVar("T")
Row = TypeVar("Row")

_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Codes that say by themselves what to do; those of HTTP 422 have findings, which say more.
_BY_CODE: Mapping[str, ErrorClass] = {
    "INVALID_CREDENTIALS": "invalid-credentials",
    "SESSION_INVALID": "session-invalid",
    "NOT_LICENSED": "not-licensed",
    "LICENSE_EXHAUSTED": "licence-exhausted",
    "BUSY": "busy",
    "LOCKED": "locked",
    "DUPLICATE": "duplicate",
    "IN_PROGRESS": "outcome-unknown",
    "PERIOD_CLOSED": "period-closed",
    "CUSTOMER_ON_HOLD": "customer-on-hold",
    "NOT_DISTRIBUTED": "not-distributed",
    "UNBALANCED": "unbalanced",
}

_REFUSED_REQUESTS: Mapping[str, tuple[str, str]] = {
    "MALFORMED": ("syspro.malformed", "The façade could not read our request"),
    "UNKNOWN_ELEMENT": ("syspro.unknown-element", "The façade does not know an element that we sent"),
    "BAD_TYPE": ("syspro.bad-type", "The façade refused the format of a value"),
    "TOO_LARGE": ("syspro.too-large", "The document is larger than the façade takes"),
    "IDEMPOTENCY_CONFLICT": (
        "syspro.idempotency-conflict",
        "The document changed although an earlier form was sent under the same key",
    ),
}


def idempotency_key(key: str) -> str:
    """A key in the façade's alphabet, at most 64 characters; any other text becomes its SHA-256."""
    return key if _KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()


def was_replayed(answer: Answer) -> bool:
    """Whether the façade answered out of its memory of an earlier attempt."""
    return answer.headers.get("idempotent-replayed", "").lower() == "true"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is about: the document, the business object behind it, and the site's rules."""

    about: Concerning
    rules: tuple[Rule, ...]
    business_object: str = ""


def _head(answer: Answer) -> ErrorHead | None:
    try:
        return msgspec.json.decode(answer.body, type=Failure).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def error_code(answer: Answer) -> str:
    """The `Error.Code` of an answer, or empty."""
    head = _head(answer) if answer.status >= 400 else None
    return head.code if head else ""


def content(answer: Answer, kind: type[T], context: Context) -> T:
    """What a good answer holds.

    Raises:
        IntegrationError: of the class that status, code and findings stand for.
    """
    if answer.status < 400:
        return answer.decode(kind)
    raise failure(answer, context)


def content_or_none(answer: Answer, kind: type[T], context: Context) -> T | None:
    """What a good answer to a look-up by key holds, or `None` for a record that is not there."""
    if answer.status == 404 and error_code(answer) == "NOT_FOUND":
        return None
    return content(answer, kind, context)


def page(answer: Answer, row: type[Row], context: Context) -> Page[Row]:
    """A page of a list."""
    return content(answer, Page[row], context)  # type: ignore[valid-type]


def failure(answer: Answer, context: Context) -> IntegrationError:
    """The error that an answer of status 400 or more stands for."""
    if answer.status == 408 or (answer.status >= 500 and answer.status != 503):
        # A proxy may put a harmless body under such a status although the work behind it was done.
        return answer.failure() or answer.lost(f"it answered HTTP {answer.status}")
    try:
        body = msgspec.json.decode(answer.body, type=Failure)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _faceless(answer)
    head = body.error
    findings = [finding_of(error) for item in body.items for error in item.errors]
    if head.code == "NOT_FOUND":
        return NotFound(
            f"SYSPRO has no record for {context.about.what}: {head.message}", code="syspro.not-found"
        )
    if head.code == "NOT_AUTHORISED":
        return Misconfigured(
            f"SYSPRO's operator may not post {context.about.what}",
            code="syspro.not-authorised",
            evidence=_evidence(head, findings),
        )
    if head.code in _REFUSED_REQUESTS:
        code, title = _REFUSED_REQUESTS[head.code]
        return Rejected(f"{title}: {context.about.what}", code=code, evidence=_evidence(head, findings))
    means = _BY_CODE.get(head.code)
    if means == "invalid-credentials" and _names_company(head, context):
        means = "invalid-company"
    if means is not None:
        return _named(means, head, findings, answer, context)
    if answer.status == 422:
        return refused(
            findings or [Finding(text=head.message)], context.about, context.business_object, context.rules
        )
    return answer.failure() or refused(
        findings or [Finding(text=head.message, number=head.code)],
        context.about,
        context.business_object,
        context.rules,
    )


def _names_company(head: ErrorHead, context: Context) -> bool:
    """Whether a refused logon got as far as the company: the façade has one code for both."""
    finding = Finding(text=head.message)
    return classify(finding, moment="logon", rules=context.rules) == "invalid-company"


def _named(
    means: ErrorClass, head: ErrorHead, findings: list[Finding], answer: Answer, context: Context
) -> IntegrationError:
    # A read changes nothing, so its outcome is never in doubt.
    if means == "outcome-unknown" and not answer.call.write:
        means = "busy"
    about = msgspec.structs.replace(context.about, retry_after=answer.retry_after())
    finding = findings[0] if findings else Finding(text=head.message)
    return error_for(means, finding, about, _evidence(head, findings))


def _faceless(answer: Answer) -> IntegrationError:
    """The error for an answer without the façade's error body: a proxy's, a garbled one, or a wrong address."""
    if answer.status in (404, 405, 401, 403) and _is_json_object(answer):
        return Misconfigured(
            f"The address does not lead to the façade: it answered HTTP {answer.status}",
            code="syspro.no-facade",
            hint="Check the pair's SYSPRO address; it ends in /api/harmony/2.0 for this transport.",
        )
    return answer.failure() or answer.lost(f"it answered HTTP {answer.status} without an error body")


def _is_json_object(answer: Answer) -> bool:
    try:
        return isinstance(msgspec.json.decode(answer.body), dict)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def finding_of(error: ItemError) -> Finding:
    """An item's error in the words of the classification."""
    return Finding(
        element=error.element,
        value=error.value.strip(),
        number=error.error_number.strip(),
        text=error.error_description,
    )


def _evidence(head: ErrorHead, findings: list[Finding]) -> Evidence:
    first = findings[0] if findings else Finding(text=head.message)
    return {
        "Code": head.code,
        "BusinessObject": head.business_object,
        "CorrelationId": head.correlation_id,
        "ErrorNumber": first.number,
        "ErrorDescription": first.text[:400],
        "Element": first.element,
    }
