"""Documents as SYSPRO writes them: one element a line, right-aligned numbers, single-quoted root attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias
from xml.sax.saxutils import escape

import msgspec

from integration.sandbox.syspro.config import Quirks
from integration.sandbox.syspro.values import Document, Value, plain

Content: TypeAlias = "str | list[Element]"
Element: TypeAlias = "tuple[str, Content]"
Elements: TypeAlias = "list[Element]"

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_WIDTHS = {0: 8, 2: 15, 5: 16, 6: 19}
RATE_WIDTH = 13


class Answer(msgspec.Struct, frozen=True):
    """A document to write: its root, what is inside, and the pseudo-namespaces used there."""

    root: str
    content: Elements
    prefixes: tuple[str, ...] = ()


def written(answer: Answer, quirks: Quirks, version: str) -> bytes:
    """Write a document in the site's encoding; ``version`` is the object's, shown at the root."""
    encoding = "Windows-1252" if quirks.windows_1252 else "utf-8"
    spaces = "".join(f' xmlns:{prefix}="{prefix}"' for prefix in answer.prefixes if quirks.pseudo_namespaces)
    attributes = (
        f"Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' "
        f"Version='{version}' OperatorPrimaryRole='   '{spaces}"
    )
    parts = [f'<?xml version="1.0" encoding="{encoding}"?>\n<{answer.root} {attributes}>\n']
    _write(parts, answer.content)
    parts.append(f"</{answer.root}>\n ")
    codec = "cp1252" if quirks.windows_1252 else "utf-8"
    return "".join(parts).encode(codec, "xmlcharrefreplace")


def _write(parts: list[str], content: Elements) -> None:
    for name, inner in content:
        if isinstance(inner, list):
            parts.append(f"<{name}>\n")
            _write(parts, inner)
            parts.append(f"</{name}>\n")
        elif inner:
            parts.append(f"<{name}>{escape(_ILLEGAL.sub('', inner))}</{name}>\n")
        else:
            parts.append(f"<{name}/>\n")


def elements(document: Mapping[str, Value]) -> Elements:
    """Turn a document into elements, repeats one after the other."""
    made: Elements = []
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            made.append((name, _content(one)))
    return made


def _content(value: Value) -> Content:
    return elements(value) if isinstance(value, dict) else str(value)


def texts(**values: str) -> Elements:
    """Elements of plain text, in the order given."""
    return list(values.items())


def number(value: Decimal, quirks: Quirks, width: int = 0) -> str:
    """Write a number the site's way: leading blanks to its column's width, the sign before or behind."""
    text = plain(value)
    if quirks.trailing_minus and value < 0:
        text = f"{plain(-value)}-"
    if not quirks.leading_blanks:
        return text
    exponent = value.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    return text.rjust(width or _WIDTHS.get(decimals, 12))


def joined(table: str, column: str, quirks: Quirks) -> str:
    """The name of a joined description: ``SALBRN:Description``, or with an underscore."""
    return f"{table}:{column}" if quirks.pseudo_namespaces else f"{table}_{column}"


def lower(content: Elements) -> Elements:
    """Lower the case of every name: how setup objects echo what they were sent."""
    return [(name.lower(), lower(inner) if isinstance(inner, list) else inner) for name, inner in content]


def subset(document: Document, names: str) -> Elements:
    """Some elements of a document in the order named; missing ones are blank."""
    return elements({name: document.get(name, "") for name in names.split()})
