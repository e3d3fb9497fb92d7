"""Rows as documents: what the API and the audit trail show of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Result

JsonObject = dict[str, object]


def documents(result: Result[Any]) -> list[JsonObject]:
    """The rows of a result as plain documents.

    SQLAlchemy names columns with a subclass of `str`, which strict decoders refuse as a key.
    """
    names = ["".join(name) for name in result.keys()]  # noqa: SIM118 - a result is no dictionary
    return [dict(zip(names, row, strict=True)) for row in result]


def document(result: Result[Any]) -> JsonObject | None:
    """The first row of a result, or `None`."""
    return next(iter(documents(result)), None)
