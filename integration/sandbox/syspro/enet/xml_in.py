"""Documents as clients send them: parsed safely, read by element name."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from integration.sandbox.syspro.enet.wire import without_prolog
from integration.sandbox.syspro.shapes import Shape
from integration.sandbox.syspro.values import Document, Value


class NotXml(Exception):
    """What was sent is no well-formed document, or not one that the object knows."""


class Node:
    """One element; its children are found in any case of letters unless :meth:`document` reads them."""

    def __init__(self, element: etree._Element) -> None:
        self._element = element

    @property
    def name(self) -> str:
        """The local name, as spelt."""
        return etree.QName(self._element).localname

    @property
    def value(self) -> str:
        """The text directly inside."""
        return self._element.text or ""

    def nodes(self) -> Iterator[Node]:
        """The child elements."""
        return (Node(child) for child in self._element.iterchildren("{*}*"))

    def attribute(self, name: str) -> str:
        """An attribute, empty when missing."""
        wanted = name.lower()
        return next(
            (str(held) for key, held in self._element.attrib.items() if str(key).lower() == wanted), ""
        )

    def all(self, name: str) -> list[Node]:
        """The children of that name."""
        return [node for node in self.nodes() if node.name.lower() == name.lower()]

    def find(self, path: str) -> Node | None:
        """The first element at a path of names joined by ``/``."""
        node: Node | None = self
        for name in path.split("/"):
            node = next(iter(node.all(name)), None) if node is not None else None
        return node

    def text(self, path: str, default: str = "") -> str:
        """The text of an element, trimmed; ``default`` when missing or blank."""
        node = self.find(path)
        return (node.value.strip() if node is not None else "") or default

    def flag(self, path: str, default: str) -> bool:
        """Whether a Y/N element says Y."""
        return self.text(path, default).upper() == "Y"

    def document(self, known: Shape, *, strict: bool = False) -> Document:
        """The elements a shape knows, names in exact case; whatever else was sent is left out silently.

        Raises:
            NotXml: ``strict``, and something else was sent.
        """
        document: Document = {}
        for node in self.nodes():
            name = node.name
            if name in known.texts:
                _put_text(document, name, node.value, repeated=known.texts[name] == "texts")
            elif name in known.groups:
                document[name] = node.document(known.groups[name], strict=strict)
            elif name in known.repeats:
                repeats = document.setdefault(name, [])
                if isinstance(repeats, list):
                    repeats.append(node.document(known.repeats[name], strict=strict))
            elif strict:
                raise NotXml(f"XML element '{name}' is not expected in '{self.name}'")
        return document


def _put_text(document: Document, name: str, text: str, *, repeated: bool) -> None:
    if not repeated:
        document[name] = text
        return
    held: Value = document.setdefault(name, [])
    if isinstance(held, list):
        held.append(text)


def parsed(text: str) -> Node:
    """Parse a document, prolog or not.

    Raises:
        NotXml: when it is not well-formed.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return Node(etree.fromstring(without_prolog(text).encode("utf-8"), parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(str(error)) from None
