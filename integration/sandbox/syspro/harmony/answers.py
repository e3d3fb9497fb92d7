"""Answers of the JSON face: item results, the one error body, and the code a finding stands for."""

from __future__ import annotations

import re

from integration.sandbox.syspro.asgi import Response
from integration.sandbox.syspro.findings import Finding
from integration.sandbox.syspro.posting import POSTED, REJECTED, ItemResult, Outcome

STATUS_OF = {
    "MALFORMED": 400, "UNKNOWN_ELEMENT": 400, "BAD_TYPE": 400, "INVALID_CREDENTIALS": 401,
    "SESSION_INVALID": 401, "NOT_LICENSED": 403, "NOT_AUTHORISED": 403, "NOT_FOUND": 404,
    "TOO_LARGE": 413, "DUPLICATE": 409, "IDEMPOTENCY_CONFLICT": 409, "IN_PROGRESS": 409,
    "BUSINESS_REJECTED": 422, "VALIDATION_FAILED": 422, "PERIOD_CLOSED": 422, "CUSTOMER_ON_HOLD": 422,
    "NOT_DISTRIBUTED": 422, "UNBALANCED": 422, "BUSY": 503, "LICENSE_EXHAUSTED": 503, "LOCKED": 503,
    "OUTCOME_UNKNOWN": 504,
}  # fmt: skip
RETRYABLE = frozenset({"BUSY", "LICENSE_EXHAUSTED", "LOCKED", "IN_PROGRESS"})
RETRY_AFTER_S = "1"

_PERIOD = re.compile(r"closed|not open|invalid", re.IGNORECASE)
_INVALID = re.compile(r"not found|must be|cannot be", re.IGNORECASE)
_LOCKED = re.compile(r"locked|in use|being processed", re.IGNORECASE)
_UNKNOWN_INVOICE = re.compile(r"InvoiceToPay\[\d+\]\.Invoice$")


class HarmonyError(Exception):
    """A request that is answered with an error body and no item results."""

    def __init__(self, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers or {}


def error_response(error: HarmonyError, business_object: str, correlation_id: str) -> Response:
    """The error body for a request that never reached a business object."""
    headers = dict(error.headers)
    if error.code == "LICENSE_EXHAUSTED":
        headers.setdefault("Retry-After", RETRY_AFTER_S)
    body = {
        "Error": _error(error.code, error.message, business_object, correlation_id),
        "Items": [],
        "StatusOfItems": {"ItemsProcessed": "000000", "ItemsInvalid": "000000"},
    }
    return Response(STATUS_OF[error.code], body, headers)


def _error(code: str, message: str, business_object: str, correlation_id: str) -> dict[str, object]:
    return {
        "Code": code, "Message": message, "BusinessObject": business_object,
        "CorrelationId": correlation_id, "Retryable": code in RETRYABLE,
    }  # fmt: skip


def finding_code(finding: Finding, business_object: str) -> str:
    """Classify SYSPRO's number and text, the first rule that fits."""
    text = finding.description.lower()
    if finding.number == "120001" or "duplicate" in text:
        return "DUPLICATE"
    if "on hold" in text:
        is_customer = finding.element.rpartition(".")[2] == "Customer"
        return "CUSTOMER_ON_HOLD" if is_customer else "BUSINESS_REJECTED"
    if "period" in text and _PERIOD.search(text):
        return "PERIOD_CLOSED"
    if "distribut" in text:
        return "NOT_DISTRIBUTED"
    if business_object == "GENTJL" and "balance" in text:
        return "UNBALANCED"
    if _LOCKED.search(text):
        return "LOCKED"
    # The contract's own example answers an unknown invoice with BUSINESS_REJECTED.
    if _UNKNOWN_INVOICE.search(finding.element):
        return "BUSINESS_REJECTED"
    if finding.number in {"100028", "100030", "100031", "240004"} or _INVALID.search(text):
        return "VALIDATION_FAILED"
    return "BUSINESS_REJECTED"


def outcome_response(outcome: Outcome, totals: dict[str, object], correlation_id: str) -> Response:
    """Answer a posting: 201 posted, 200 validated, 207 in part, 409 or 422 refused."""
    items = [item_body(item) for item in outcome.items]
    refused = outcome.count(REJECTED)
    if refused and not outcome.posted:
        return _refused(outcome, items, correlation_id)
    body: dict[str, object] = {"Items": items, "StatusOfItems": totals}
    if outcome.business_object == "SORTOI":
        body["ValidationStatus"] = {"Status": "Failed" if refused else "Successful"}
    return Response(207 if refused else 201 if outcome.posted else 200, body)


def _refused(outcome: Outcome, items: list[dict[str, object]], correlation_id: str) -> Response:
    refused = outcome.count(REJECTED)
    first = next(item.findings.errors[0] for item in outcome.items if item.status == REJECTED)
    code = finding_code(first, outcome.business_object)
    message = f"{refused} of {len(items)} items rejected"
    body = {
        "Error": _error(code, message, outcome.business_object, correlation_id),
        "Items": items,
        "StatusOfItems": {"ItemsProcessed": "000000", "ItemsInvalid": f"{refused:06}"},
    }
    return Response(STATUS_OF[code], body)


def item_body(item: ItemResult) -> dict[str, object]:
    """One item of an answer."""
    return {
        "ItemNumber": item.number,
        "Status": item.status,
        **item.result,
        "Errors": [_error_finding(finding) for finding in item.findings.errors],
        "Warnings": [
            {"WarningNumber": "", "WarningDescription": finding.description}
            for finding in item.findings.warnings
        ],
    }


def _error_finding(finding: Finding) -> dict[str, str]:
    return {
        "Element": finding.element,
        "Value": finding.value,
        "ErrorNumber": finding.number,
        "ErrorDescription": finding.description,
    }


def status_of_items(outcome: Outcome) -> dict[str, object]:
    """The counters as each business object spells them."""
    done = outcome.count(POSTED, "VALIDATED")
    invalid = outcome.count(REJECTED)
    short = {"ItemsProcessed": f"{done:06}", "ItemsInvalid": f"{invalid:06}" if invalid else ""}
    if outcome.business_object == "SORTOI":
        warned = sum(bool(item.findings.warnings) for item in outcome.items if item.status != REJECTED)
        return {
            "ItemsProcessed": f"{done:06}",
            "ItemsRejectedWithWarnings": f"{sum(i.rejected_by_warning for i in outcome.items):06}",
            "ItemsProcessedWithWarnings": f"{warned:06}",
            "ItemsInvalid": f"{invalid:06}",
        }
    if outcome.business_object == "GENTJL":
        return {
            "JournalsProcessed": str(done), "JournalsInvalid": str(invalid or ""),
            "PostingsProcessed": str(outcome.count(POSTED) or ""), "PostingsInvalid": "",
        }  # fmt: skip
    if outcome.business_object == "ARSTIN":
        return {"ItemsValidated": short["ItemsProcessed"], "InvalidItems": short["ItemsInvalid"], **short}
    if outcome.business_object == "ARSSCS":
        return {"RecordsRead": str(len(outcome.items)), "RecordsInvalid": str(invalid), **short}
    return {**outcome.totals, **short}
