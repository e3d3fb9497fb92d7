"""Parameters and small shapes that many routes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from litestar.di import Provide
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

T = TypeVar("T")
JsonObject = dict[str, object]
PairName = Annotated[
    str, PathParameter(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="The name of an integration pair.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
Cursor = Annotated[
    int, QueryParameter(ge=0, description="`next_cursor` of the page before; 0 begins with the newest.")
]
Filter = Annotated[str, QueryParameter(max_length=100, description="The exact value; empty takes all.")]
NoteText = Annotated[str, msgspec.Meta(max_length=1000)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Note(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a person does something; it goes into the audit trail."""

    note: NoteText = ""


def chosen(**filters: str) -> dict[str, str]:
    """The filters that are set."""
    return {name: value for name, value in filters.items() if value}


class Page(Struct, frozen=True, kw_only=True):
    """Which page of a list is asked for."""

    cursor: int
    limit: int

    def next_cursor(self, ids: list[int]) -> int | None:
        """The cursor of the page after one with these ids, or `None` when it was not full."""
        return ids[-1] if len(ids) == self.limit else None


def provide_page(cursor: Cursor = 0, limit: Limit = 100) -> Page:
    """The page that `cursor` and `limit` ask for, for handlers that ask for `page`."""
    return Page(cursor=cursor, limit=limit)


def read(row: Mapping[str, object], kind: type[T]) -> T:
    """A row of the store in the shape that the API shows; what the shape lacks is left out."""
    # SQLAlchemy's names are a kind of text that msgspec does not take for text.
    return msgspec.convert({str(name): value for name, value in row.items()}, kind)


PAGE = {"page": Provide(provide_page, sync_to_thread=False)}
