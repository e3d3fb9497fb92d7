"""The documents of a payment as repairs see them."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.core import samples


def places(order: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The documents of a payment, as JSON."""
    given = order or msgspec.to_builtins(samples.order())
    found: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode({"customer": "42", "order": given, "mapped": {}})
    )
    return {**found, **more}


def line(code: str) -> dict[str, Any]:
    money = {"minor": 1_000, "currency": "GBP"}
    zero = {"minor": 0, "currency": "GBP"}
    return {
        "kind": "stock",
        "net": money,
        "tax": zero,
        "stock_code": code,
        "description": "",
        "quantity": "1",
        "unit_price": "10",
    }


def with_lines(*codes: str) -> dict[str, Any]:
    found = places()
    found["order"]["lines"] = [line(code) for code in codes]
    return found
