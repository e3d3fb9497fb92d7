"""From an answer to its XML or its error. e.net answers HTTP 200 to everything: the error is in the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree
from msgspec import Struct, structs

from integration.errors import IntegrationError, Misconfigured, Rejected
from integration.http import Answer
from integration.redaction import redact
from integration.syspro.classify import Finding, Moment, Rule, classify
from integration.syspro.enet.parsing import content, every, is_named, local_name, parse
from integration.syspro.refusals import Concerning, error_for, evidence_of

_NO_SUCH_PLACE = frozenset((400, 401, 403, 404, 405, 415, 501))
_TOO_LONG = frozenset((413, 414, 431))
_WRAPPERS = frozenset(("errormessages", "errormessage"))


class Context(Struct, frozen=True, kw_only=True):
    """What an answer is about: the document, the business object, and the site's rules."""

    about: Concerning
    rules: tuple[Rule, ...]
    moment: Moment
    business_object: str = ""


class Reply(Struct, frozen=True, kw_only=True):
    """An answer with its text; the text is empty unless the status is 200."""

    answer: Answer
    text: str

    @property
    def is_xml(self) -> bool:
        """Whether SYSPRO answered a document; anything else is an error's text."""
        return self.text.startswith("<")


def xml_of(reply: Reply, context: Context) -> etree._Element:
    """The root of the document that SYSPRO answered.

    Raises:
        IntegrationError: of the class that status or text stand for.
        OutcomeUnknown, Unreachable: a posting's, or a read's, answer is cut off or no XML.
    """
    refused = status_failure(reply.answer, context)
    if refused is not None:
        raise refused
    if not reply.is_xml:
        raise text_failure(reply, context)
    try:
        return parse(reply.text)
    except ValueError as error:
        raise reply.answer.lost(f"the answer makes no sense: {error}") from error


def status_failure(answer: Answer, context: Context) -> IntegrationError | None:
    """The error of an answer that did not come from SYSPRO: from the host, or from something before it."""
    if answer.status == 200:
        return None
    if answer.status in _TOO_LONG:
        return too_long(context.about)
    if answer.status in _NO_SUCH_PLACE:
        return Misconfigured(
            f"The address does not lead to e.net: it answered HTTP {answer.status}",
            code="syspro.no-enet",
            hint="Check the pair's SYSPRO address; it ends in /SYSPROWCFService/Rest for this transport.",
            evidence={"call": f"{answer.call.method} {redact(answer.call.path)}"},
        )
    return answer.failure() or answer.lost(f"it answered HTTP {answer.status}")


def too_long(about: Concerning) -> Rejected:
    """The error of a document that does not fit a query string."""
    return Rejected(
        f"{about.what} is too long for SYSPRO's web address",
        code="syspro.too-long-for-get",
        hint="Let the site offer Transaction/PostLD, or split the document, then replay the payment.",
    )


def text_failure(reply: Reply, context: Context) -> IntegrationError:
    """The error that a plain-text answer stands for; one that nobody knows leaves a posting's outcome open."""
    finding = Finding(text=redact(reply.text.strip())[:400])
    means = classify(
        finding, moment=context.moment, business_object=context.business_object, rules=context.rules
    )
    if means == "unclassified" or not finding.text:
        said = f"it said {finding.text[:200]!r}" if finding.text else "the answer is empty"
        return reply.answer.lost(said)
    if means == "outcome-unknown" and context.moment != "post":
        means = "busy"
    about = structs.replace(context.about, retry_after=reply.answer.retry_after())
    return error_for(means, finding, about, evidence_of(finding, context.business_object))


def read_failure(findings: Sequence[Finding], context: Context) -> IntegrationError:
    """The error of a read that SYSPRO refused inside its XML."""
    finding = findings[0]
    means = classify(finding, moment="read", business_object=context.business_object, rules=context.rules)
    return error_for(means, finding, context.about, evidence_of(finding, context.business_object))


def findings_of(root: etree._Element) -> list[Finding]:
    """Everything SYSPRO found wrong: each `ErrorDescription` with a text, wherever it stands."""
    return [_finding(element) for element in every(root, "ErrorDescription") if content(element)]


def warnings_of(root: etree._Element) -> tuple[str, ...]:
    """SYSPRO's warnings and remarks, as text."""
    found = (
        content(each) for name in ("WarningDescription", "BackOrderComment") for each in every(root, name)
    )
    return tuple(dict.fromkeys(text for text in found if text))


def _finding(description: etree._Element) -> Finding:
    told = description.getparent()
    siblings = {local_name(each).lower(): content(each) for each in told} if told is not None else {}
    return Finding(
        text=content(description),
        number=siblings.get("errornumber", ""),
        value=siblings.get("value", ""),
        element=".".join(reversed(list(_path(told)))),
    )


def _path(element: etree._Element | None) -> Iterator[str]:
    """Names from an element up to its item, without the containers that errors are put into."""
    while element is not None and element.getparent() is not None and not is_named(element, "Item"):
        name = local_name(element)
        if name.lower() not in _WRAPPERS:
            yield name
        element = element.getparent()
