"""The strict shape of requests: unknown members, numbers for money and nulls are refused, never guessed at."""

from __future__ import annotations

import re

import msgspec

from integration.sandbox.syspro.harmony.answers import HarmonyError
from integration.sandbox.syspro.shapes import Shape
from integration.sandbox.syspro.values import Document, Value

MAX_ITEMS = 100
_NUMBERS = {
    "money": re.compile(r"-?\d{1,12}\.\d{2}"),
    "qty": re.compile(r"-?\d{1,12}(\.\d{1,6})?"),
    "price": re.compile(r"-?\d{1,10}(\.\d{1,5})?"),
    "rate": re.compile(r"-?\d{1,6}(\.\d{1,6})?"),
    "percent": re.compile(r"-?\d{1,3}(\.\d{1,2})?"),
}


def decoded(body: bytes) -> object:
    """Parse a JSON body.

    Raises:
        HarmonyError: ``MALFORMED`` when it is not JSON in UTF-8.
    """
    try:
        parsed: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HarmonyError("MALFORMED", f"The body is not valid JSON: {error}") from None
    return parsed


def envelope(body: bytes, items_name: str, parameters: Shape, item: Shape) -> tuple[Document, list[Document]]:
    """Read a posting's envelope: its parameters and its items.

    Raises:
        HarmonyError: 400 for any deviation from the shape, 413 for more than 100 items.
    """
    whole = _object(decoded(body), "The body")
    for name in whole:
        if name not in {"Parameters", items_name}:
            raise HarmonyError("UNKNOWN_ELEMENT", f"{name} is not an element of this request")
    given = checked(whole.get("Parameters", {}), parameters, "Parameters")
    items = whole.get(items_name)
    if not isinstance(items, list) or not items:
        raise HarmonyError("MALFORMED", f"{items_name} must be a list of at least one item")
    if len(items) > MAX_ITEMS:
        raise HarmonyError("TOO_LARGE", f"{len(items)} items are more than {MAX_ITEMS}; split the request")
    return given, [checked(one, item, f"{items_name}[{n}]") for n, one in enumerate(items)]


def flat(body: bytes, known: Shape) -> Document:
    """Read a body that is one group of elements; an empty body is an empty group."""
    return checked(decoded(body) if body.strip() else {}, known, "")


def checked(value: object, known: Shape, path: str) -> Document:
    """Hold one group against its shape.

    Raises:
        HarmonyError: ``UNKNOWN_ELEMENT`` or ``BAD_TYPE``, naming the element's path.
    """
    document: Document = {}
    for name, member in _object(value, path or "The body").items():
        at = f"{path}.{name}" if path else name
        if name in known.texts:
            document[name] = _leaf(member, known.texts[name], at)
        elif name in known.groups:
            document[name] = checked(member, known.groups[name], at)
        elif name in known.repeats:
            document[name] = _repeats(member, known.repeats[name], at)
        else:
            raise HarmonyError("UNKNOWN_ELEMENT", f"{at} is not an element of this request")
    return document


def _object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise HarmonyError("BAD_TYPE", f"{path} must be an object")
    return value


def _repeats(value: object, known: Shape, path: str) -> list[Value]:
    if not isinstance(value, list):
        raise HarmonyError("BAD_TYPE", f"{path} must be a list")
    return [checked(one, known, f"{path}[{n}]") for n, one in enumerate(value)]


def _leaf(value: object, kind: str, path: str) -> Value:
    if kind == "texts":
        if not isinstance(value, list):
            raise HarmonyError("BAD_TYPE", f"{path} must be a list of strings")
        return [_text(one, f"{path}[{n}]") for n, one in enumerate(value)]
    text = _text(value, path)
    pattern = _NUMBERS.get(kind)
    if pattern is not None and text.strip() and not pattern.fullmatch(text.strip()):
        raise HarmonyError("BAD_TYPE", f"{path} is not written as a {kind} value: {text[:40]!r}")
    return text


def _text(value: object, path: str) -> str:
    if value is None:
        raise HarmonyError("BAD_TYPE", f"{path} is null; leave it out or send an empty string")
    if not isinstance(value, str):
        raise HarmonyError("BAD_TYPE", f"{path} must be a string, numbers and flags included")
    return value
