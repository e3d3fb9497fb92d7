"""Dead letters by cause, with their value; and what each field of one may be."""

from __future__ import annotations

from datetime import datetime

from litestar import Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.parameters import JsonObject, PairName
from service.flow.field_help import Feeds, fields_of
from service.store import dead_letters, payments


class Value(Struct, frozen=True, kw_only=True):
    """What dead letters are worth, in minor units of a currency."""

    currency: str
    letters: int
    minor: int


class Cause(Struct, frozen=True, kw_only=True):
    """Open dead letters with one cause: an error at a step.

    Attributes:
        letters: how many, those of messages that never became a payment included.
        values: by currency; messages have none.
        example: the newest one's id; its text tells about the others.
    """

    code: str
    step: str
    title: str
    hint: str
    letters: int
    values: list[Value]
    oldest_at: datetime
    newest_at: datetime
    example: int


class ShownField(Struct, frozen=True, kw_only=True):
    """A field that can be corrected.

    Attributes:
        path: as a correction names it.
        feeds: SYSPRO's fields that it goes to: type, length, choices, and what is wrong with it now.
        keepable: whether a correction may be kept as a rule.
        overridden: it was set for this payment, in place of what the mapping makes.
    """

    path: str
    value: object
    feeds: list[Feeds]
    keepable: bool
    overridden: bool


@get("/dead-letters/causes", guards=[needs("viewer")], summary="Group dead letters by cause")
async def list_causes(pair: PairName, context: AppContext) -> list[Cause]:
    """Open dead letters by code and step, with their number and value by currency; the most frequent first."""
    async with context.engine.connect() as connection:
        rows = await dead_letters.grouped(connection, pair)
        groups: dict[tuple[str, str], list[JsonObject]] = {}
        for row in rows:
            groups.setdefault((str(row["code"]), str(row["step"])), []).append(row)
        causes = []
        for rows in groups.values():
            example = max(int(str(row["example"])) for row in rows)
            letter = await dead_letters.one(connection, pair, example)
            causes.append(_cause(rows, example, (letter or {}).get("error")))
    return sorted(causes, key=lambda cause: -cause.letters)


def _cause(rows: list[JsonObject], example: int, error: object) -> Cause:
    told = error if isinstance(error, dict) else {}
    return Cause(
        code=str(rows[0]["code"]),
        step=str(rows[0]["step"]),
        title=str(told.get("title", "")),
        hint=str(told.get("hint", "")),
        letters=sum(int(str(row["letters"])) for row in rows),
        values=[
            Value(
                currency=str(row["currency"]),
                letters=int(str(row["letters"])),
                minor=int(str(row["minor"])),
            )
            for row in rows
            if row["currency"] is not None
        ],
        oldest_at=min(_moment(row["oldest_at"]) for row in rows),
        newest_at=max(_moment(row["newest_at"]) for row in rows),
        example=example,
    )


def _moment(value: object) -> datetime:
    assert isinstance(value, datetime), "times come from the database"
    return value


@get(
    "/dead-letters/{dead_letter_id:int}/fields",
    guards=[needs("viewer")],
    summary="Show what may be corrected",
)
async def list_fields(pair: PairName, dead_letter_id: FromPath[int], context: AppContext) -> list[ShownField]:
    """Every field of a dead payment that can be corrected, and what SYSPRO allows where it goes."""
    async with context.engine.connect() as connection:
        row = await dead_letters.one(connection, pair, dead_letter_id)
        payment_id = row["payment_id"] if row is not None else None
        payment = await payments.one(connection, pair, payment_id) if isinstance(payment_id, int) else None
    if payment is None:
        raise NotFoundException(f"Pair `{pair}` has no open dead letter {dead_letter_id} with a payment.")
    return [
        ShownField(
            path=each.path,
            value=each.value,
            feeds=each.feeds,
            keepable=each.keepable,
            overridden=each.overridden,
        )
        for each in fields_of(payment)
    ]


router = Router(
    path="/api/v1/pairs/{pair:str}", route_handlers=[list_causes, list_fields], tags=["Dead letters"]
)
