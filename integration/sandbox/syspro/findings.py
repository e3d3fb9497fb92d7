"""What a business object found wrong: structured, so that each face words it in its own way.

Only six of SYSPRO's error numbers are public; those are used where they apply. The numbers from
900001 on are this sandbox's own, chosen outside SYSPRO's known ranges so that nobody mistakes them.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from integration.sandbox.syspro.values import Document, Value, parse_number

NOT_A_DATE = "100028"
BLANK = "100030"
NOT_NUMERIC = "100031"
DUPLICATE_KEY = "120001"
STOCK_NOT_FOUND = "240004"
TOO_LONG = "900001"
NOT_FOUND = "900002"
INVALID_CHOICE = "900003"
ON_HOLD = "900004"
DUPLICATE_ORDER = "900005"
PERIOD_CLOSED = "900006"
NOT_DISTRIBUTED = "900007"
UNBALANCED = "900008"
REFUSED = "900009"
WARNING = "900100"


class Finding(msgspec.Struct, frozen=True):
    """One error or warning on one element.

    Attributes:
        element: path of element names, repeats counted from 0, e.g. ``Payment.InvoiceToPay[0].Invoice``.
        value: what the element held.
        number: SYSPRO's error number, or one of this sandbox's own.
        description: the sentence SYSPRO would show.
    """

    element: str
    value: str
    number: str
    description: str


class Findings(msgspec.Struct):
    """The errors and warnings of one item."""

    errors: list[Finding] = []
    warnings: list[Finding] = []


class Reader:
    """Reads one group of a document, noting on the way what is wrong with it.

    Args:
        document: the elements of the group.
        findings: where errors and warnings are noted; shared by all groups of one item.
        path: of this group within the item, empty at the item itself.
    """

    def __init__(self, document: Document, findings: Findings, path: str = "") -> None:
        self.document = document
        self.findings = findings
        self.path = path

    def failed(self) -> bool:
        """Whether any error was noted on the item so far."""
        return bool(self.findings.errors)

    def at(self, name: str) -> str:
        """The full path of an element."""
        return f"{self.path}.{name}" if self.path and name else self.path or name

    def given(self, name: str) -> bool:
        """Whether the element is present, blank or not."""
        return name in self.document

    def text(self, name: str, default: str = "") -> str:
        """The element's text without outer blanks; ``default`` when missing or blank."""
        value = self.document.get(name, "")
        return (value.strip() or default) if isinstance(value, str) else default

    def code(self, name: str, default: str = "") -> str:
        """A code: trimmed and upper-cased."""
        return self.text(name, default).upper()

    def required(self, name: str) -> str:
        """A code that may not be blank (error 100030)."""
        value = self.code(name)
        if not value:
            # Recorded as `{Item}{StockCode}`: the element and what it stands in.
            parts = [part.partition("[")[0] for part in self.at(name).split(".")]
            element = "".join(f"{{{part}}}" for part in (["Item", *parts] if len(parts) == 1 else parts[-2:]))
            self.refuse(name, BLANK, f"XML element '{element}' cannot be spaces")
        return value

    def number(self, name: str, default: Decimal = Decimal(0)) -> Decimal:
        """A decimal; ``default`` when missing or blank; anything else is error 100031."""
        value = self.text(name)
        if not value:
            return default
        parsed = parse_number(value)
        if parsed is None:
            self.refuse(name, NOT_NUMERIC, f"Element '{name}' must be numeric")
            return default
        return parsed

    def date(self, name: str, default: str = "") -> str:
        """An ISO date as text; anything else is error 100028."""
        value = self.text(name, default)
        if value:
            try:
                if dt.date.fromisoformat(value).isoformat() != value:
                    raise ValueError
            except ValueError:
                self.refuse(name, NOT_A_DATE, f"Date '{value}' must be in the format CCYY-MM-DD")
        return value

    def choice(self, name: str, allowed: str, default: str) -> str:
        """One of the blank-separated ``allowed`` values, in any case."""
        value = self.code(name, default)
        if value != default and value not in allowed.split():
            self.refuse(name, INVALID_CHOICE, f"{name} '{value}' must be one of {', '.join(allowed.split())}")
            return default
        return value

    def child(self, name: str) -> Reader:
        """The group of that name, empty when missing."""
        value = self.document.get(name)
        return Reader(value if isinstance(value, dict) else {}, self.findings, self.at(name))

    def children(self, name: str) -> list[Reader]:
        """The repeats of a group; a single one counts as a list of one."""
        value = self.document.get(name, [])
        repeats: list[Value] = value if isinstance(value, list) else [value]
        groups = [repeat for repeat in repeats if isinstance(repeat, dict)]
        return [Reader(group, self.findings, f"{self.at(name)}[{n}]") for n, group in enumerate(groups)]

    def refuse(self, name: str, number: str, description: str) -> None:
        """Note an error on an element."""
        self.findings.errors.append(Finding(self.at(name), self.text(name), number, description))

    def warn(self, name: str, description: str) -> None:
        """Note a warning on an element."""
        self.findings.warnings.append(Finding(self.at(name), self.text(name), WARNING, description))

    def not_found(self, name: str, kind: str, number: str = NOT_FOUND) -> None:
        """Note that the code in an element is in none of SYSPRO's tables."""
        self.refuse(name, number, f"{kind} '{self.text(name)}' not found")
