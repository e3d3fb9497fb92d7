"""Building SYSPRO's XML: elements in order, ASCII only, nothing that XML or a CDATA section cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from lxml import etree

Part: TypeAlias = "tuple[str, str | Sequence[Part]]"
Parts: TypeAlias = Sequence[Part]

_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def xml(root: str, parts: Parts) -> str:
    """A document as ASCII text without prolog: everything else is a numeric character reference.

    Either reading of the answer's encoding, UTF-8 or Windows-1252, takes such a document for the same one, and
    since `>` is escaped it never holds what ends a CDATA section.
    """
    top = etree.Element(root)
    _fill(top, parts)
    return etree.tostring(top, encoding="us-ascii").decode("ascii")


def _fill(parent: etree._Element, parts: Parts) -> None:
    for name, content in parts:
        child = etree.SubElement(parent, name)
        if isinstance(content, str):
            child.text = _UNSPEAKABLE.sub("", content) or None
        else:
            _fill(child, content)


def filled(parts: Iterable[Part]) -> list[Part]:
    """The parts that hold something: what is left out SYSPRO fills with its default.

    An empty container is never sent; an empty `DeliveryLoad` is known to trip the import of orders.
    """
    return [part for part in parts if part[1]]


def enveloped(token: str, business_object: str, parameters: str, document: str) -> bytes:
    """The body of `POST Transaction/PostLD`."""
    top = etree.Element("TransactionPostLD", nsmap={None: "http://SYSPROWcfService"})  # type: ignore[dict-item]
    for name, value in (("UserId", token), ("BusinessObject", business_object)):
        etree.SubElement(top, name).text = value
    for name, value in (("XmlParameters", parameters), ("XmlIn", document)):
        etree.SubElement(top, name).text = etree.CDATA(value)
    return etree.tostring(top, encoding="us-ascii")
