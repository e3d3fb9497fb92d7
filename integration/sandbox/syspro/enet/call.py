"""What an e.net operation gets to see, and how it refuses: as text, or inside a document."""

from __future__ import annotations

import msgspec

from integration.sandbox.faults import FiredFault
from integration.sandbox.syspro.config import Quirks
from integration.sandbox.syspro.enet.xml_in import Node
from integration.sandbox.syspro.enet.xml_out import Answer, Elements
from integration.sandbox.syspro.faults_of_calls import ignored_elements
from integration.sandbox.syspro.findings import Finding
from integration.sandbox.syspro.posting import Posting
from integration.sandbox.syspro.sessions import Session, Sessions
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import Document

LOCKED_TEXT = "Record is locked, it is in use by another operator"


class TextError(Exception):
    """A failure e.net words as plain text, ``ERROR: `` put before it."""


class Refused(Exception):
    """A query's refusal, worded inside its document.

    Args:
        root: of the document.
        element: the offending element; empty when it is the document as a whole.
        finding: what is wrong with it; its ``element`` is not used.
    """

    def __init__(self, root: str, element: str, finding: Finding) -> None:
        super().__init__(finding.description)
        self.root = root
        self.element = element
        self.finding = finding

    def answer(self) -> Answer:
        """The document that says so."""
        said = error_parts(self.finding)
        return Answer(self.root, [(self.element, said)] if self.element else said)


def error_parts(finding: Finding) -> Elements:
    """The three children an offending element has."""
    return [
        ("Value", finding.value),
        ("ErrorNumber", finding.number),
        ("ErrorDescription", finding.description),
    ]


class Call(msgspec.Struct):
    """One call of a business object by a live session.

    Attributes:
        code: the object's six characters, upper-cased.
        operation: ``query``, ``add``, ``update``, ``delete``, ``post`` or ``build``.
        parameters: XmlParameters, ``None`` when blank.
        document: XmlIn, ``None`` when blank.
    """

    store: Store
    sessions: Sessions
    session: Session
    code: str
    operation: str
    parameters: Node | None
    document: Node | None
    fault: FiredFault | None = None

    @property
    def quirks(self) -> Quirks:
        """The site's habits."""
        return self.store.config.quirks

    def asked(self, path: str, default: str = "") -> str:
        """An element of the document, trimmed."""
        return self.document.text(path, default) if self.document is not None else default

    def wants(self, option: str, default: str) -> bool:
        """Whether an option of a query says Y."""
        return self.asked(f"Option/{option}", default).upper() == "Y"

    def fault_named(self, name: str) -> bool:
        """Whether this call meets the fault of that name."""
        return self.fault is not None and self.fault.name == name

    def posting(self, parameters: Document) -> Posting:
        """Begin a posting under the operator's name; SYSPRO cuts what its columns cannot hold."""
        posting = Posting(
            self.store, parameters, self.session.operator, ignored_elements(self.fault, self.code)
        )
        posting.column_widths = False
        return posting
