"""Errors on the wire: RFC 9457 problems, with our stable codes, and never a trace or a secret."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from integration.errors import (
    CardDataRefused,
    IntegrationError,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Transient,
)
from service.core.card_data import mask
from service.core.lifecycle import IllegalMove

log = structlog.get_logger()


class Fault(Struct, frozen=True, kw_only=True):
    """One of several things that are wrong with a document; `place` is a node or field, empty for the whole."""

    code: str
    place: str
    sentence: str


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem.

    Attributes:
        type: `urn:opayo-syspro:` and the code.
        code: stable and dotted; the handbook has a line for each.
        hint: what the caller can do.
        retried: whether trying again may help.
        evidence: facts; never card data or secrets.
        faults: everything that is wrong, where it is more than one thing.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    hint: str = ""
    retried: bool = False
    evidence: dict[str, str | int | None] = {}
    faults: Sequence[Fault] = ()


def problem(status: int, code: str, title: str, *, hint: str = "", detail: str = "") -> Response[Problem]:
    """A problem as an answer."""
    return _answer(
        Problem(
            type=f"urn:opayo-syspro:{code}",
            title=title,
            status=status,
            code=code,
            hint=hint,
            detail=mask(detail),
        )
    )


def _answer(body: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    return Response(
        body, status_code=body.status, media_type="application/problem+json", headers=headers or {}
    )


_STATUS: tuple[tuple[type[IntegrationError], int], ...] = (
    (CardDataRefused, 422),
    (NotFound, 404),
    (Rejected, 422),
    (OutcomeUnknown, 504),
    (Throttled, 503),
    (Transient, 502),
    (Misconfigured, 503),
)


def from_integration(_: Request[Any, Any, Any], error: IntegrationError) -> Response[Problem]:
    """An error of the error tree as a problem."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    after = getattr(error, "retry_after", None)
    return _answer(
        Problem(
            type=f"urn:opayo-syspro:{error.error_code}",
            title=mask(error.title),
            status=status,
            code=error.error_code,
            hint=error.advice,
            retried=error.retried,
            evidence=error.evidence,
        ),
        {"retry-after": str(after)} if after else None,
    )


def from_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """An error of the web framework as a problem."""
    status = error.status_code
    name = HTTPStatus(status).phrase
    code = f"http.{name.lower().replace(' ', '-')}"
    detail = error.detail
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        told = [
            f"{each.get('key', 'body')}: {each.get('message', '')}"
            for each in error.extra
            if isinstance(each, dict)
        ]
        detail = "; ".join(told) or detail
    return problem(status, code, name, detail=detail)


def from_defect(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Anything else is a defect of ours; its text stays in the log."""
    log.error("request.failed", path=request.url.path, exc_info=error)
    return problem(
        500, "service.defect", "The service failed on this request", hint="Report it with the time of day."
    )


class Refused(Exception):
    """A request that is refused for a reason of our own."""

    def __init__(
        self, status: int, code: str, title: str, *, hint: str = "", faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(title)
        self.status, self.code, self.title, self.hint = status, code, title, hint
        self.faults = faults


def from_refusal(_: Request[Any, Any, Any], error: Refused) -> Response[Problem]:
    """A refusal as a problem."""
    return _answer(
        Problem(
            type=f"urn:opayo-syspro:{error.code}",
            title=mask(error.title),
            status=error.status,
            code=error.code,
            hint=error.hint,
            faults=error.faults,
        )
    )


def from_illegal_move(_: Request[Any, Any, Any], error: IllegalMove) -> Response[Problem]:
    """A move that the table of moves does not hold: the payment is not where the caller thinks."""
    return problem(409, "payment.illegal-move", str(error), hint="Read the payment again.")


_READING = {
    400: "The request has not the form of one",
    401: "No API key, or one that is unknown or revoked",
    403: "The key's role does not allow it",
    404: "There is no such thing, or not for this key",
    503: "Another system is busy or wrongly configured",
}
_WRITING = {
    409: "Something else is the case or under way",
    413: "The body is too large",
    422: "The content cannot be taken; `code` and `hint` say why, nothing was stored",
    502: "Another system does not answer; trying again may help",
}


def problems_of(handler: HTTPRouteHandler) -> dict[int, ResponseSpec]:
    """The problems that a route may answer, for its description."""
    if handler.opt.get("public"):
        return {}
    told = _READING if handler.http_methods == {"GET"} else _READING | _WRITING
    return {
        status: ResponseSpec(
            Problem,
            description=description,
            media_type="application/problem+json",
            generate_examples=False,
        )
        for status, description in told.items()
    }


HANDLERS = {
    Refused: from_refusal,
    IllegalMove: from_illegal_move,
    IntegrationError: from_integration,
    HTTPException: from_http,
    Exception: from_defect,
}
