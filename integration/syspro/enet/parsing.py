"""Reading SYSPRO's XML: element names in any case, undeclared prefixes, blanks before numbers, minus after them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lxml import etree

from integration.canonical.money import Money, decimal_text

_PREFIX = re.compile(r"(</?)[A-Za-z_][\w.-]*:(?=[A-Za-z_])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_DATE = frozenset("0-/. ")


def parse(text: str) -> etree._Element:
    """The root of an answer.

    Raises:
        ValueError: it is no whole XML document.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    if "<!DOCTYPE" in text:
        raise ValueError("it brings a document type, which SYSPRO's never do")
    # `<TBLART:Description>` comes without a declaration of its prefix.
    plain = _PREFIX.sub(r"\1", _CONTROL.sub("", text))
    try:
        return etree.fromstring(plain, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is no whole XML document ({error.msg})") from error


def local_name(element: etree._Element) -> str:
    """An element's name without namespace, as written."""
    return element.tag.rpartition("}")[2]


def is_named(element: etree._Element, name: str) -> bool:
    """Whether an element has a name, in any case: SYSPRO answers `SetupArCustomer` with `setuparcustomer`."""
    return local_name(element).lower() == name.lower()


def every(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """All descendants of a name, in document order."""
    wanted = name.lower()
    for element in root.iter("*"):
        if element is not root and local_name(element).lower() == wanted:
            yield element


def first(root: etree._Element, name: str) -> etree._Element | None:
    """The first descendant of a name."""
    return next(every(root, name), None)


def content(element: etree._Element | None) -> str:
    """An element's own text without blanks around it; empty for none."""
    return (element.text or "").strip() if element is not None else ""


def text_of(root: etree._Element | None, name: str) -> str:
    """The text of the first descendant of a name that has one."""
    if root is None:
        return ""
    return next((text for text in map(content, every(root, name)) if text), "")


def number(text: str) -> Decimal:
    """A number of SYSPRO's: `     1.000000`, `12.50-`; blank is zero.

    Raises:
        ValueError: it is none.
    """
    value = text.strip()
    if value.endswith("-"):
        value = "-" + value[:-1].strip()
    return decimal_text(value or "0")


def count(text: str) -> int:
    """A counter of `StatusOfItems`: zero-padded, or empty for none."""
    value = text.strip()
    return int(value) if value.isdigit() else 0


def amount(text: str, currency: str) -> Money:
    """Money of SYSPRO's, in major units.

    Raises:
        ValueError: no number, or more decimals than the currency has.
    """
    return Money.of(number(text), currency)


def day(text: str) -> date | None:
    """A date written 2025-06-16, 2025/06/16 or 20250616; blank and all zeros are none.

    Raises:
        ValueError: it is none of these.
    """
    value = text.strip()
    if not set(value) - _NO_DATE:
        return None
    return date.fromisoformat(value[:10].replace("/", "-"))
