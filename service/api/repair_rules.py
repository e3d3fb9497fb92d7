"""The corrections that people kept as rules, and the spellings of stock codes that were learnt."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import desk
from service.api.parameters import NoteText, PairName, Text, read
from service.flow import repair_desk
from service.store import fix_rules, repairs
from service.store.fix_rules import FixRule
from service.store.users import Caller

Versions = Annotated[bool, QueryParameter(description="Also those out of use.")]
Alias = Annotated[str, QueryParameter(min_length=1, max_length=200, description="The spelling to forget.")]


class RuleShown(Struct, frozen=True, kw_only=True):
    """A version of a rule that a person kept; `live` is the one in use."""

    rule: str
    version: int
    live: bool
    code: str
    field: str
    before: object
    condition: str
    after: object
    note: str
    author: str
    created_at: datetime
    retired_at: datetime | None
    retired_by: str | None


class NewRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule: for which error, which field, and what is put there.

    Attributes:
        before: the exact value it applies to, unless there is a `condition`.
        condition: in CEL, over the facts of flows and `value`.
        note: why it is right; it must be said.
    """

    code: Text
    field: Text
    before: str | None = None
    condition: str = ""
    after: str | None = None
    note: NoteText


class Kept(Struct, frozen=True, kw_only=True):
    """The rule's name, the same for the same cause, and its version."""

    rule: str
    version: int


class AliasShown(Struct, frozen=True, kw_only=True):
    """A spelling and the stock code it means."""

    alias: str
    stock_code: str
    learnt_by: str
    created_at: datetime


class NewAlias(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a spelling means."""

    alias: Text
    stock_code: Text
    note: NoteText = ""


@get("/fix-rules", guards=[needs("viewer")], summary="List rules of correction")
async def list_rules(pair: PairName, context: AppContext, versions: Versions = False) -> list[RuleShown]:
    """The corrections that people kept as rules; with `versions` also those out of use."""
    async with context.engine.connect() as connection:
        rows = await fix_rules.listed(connection, pair, versions=versions)
    return [read(row, RuleShown) for row in rows]


@post("/fix-rules", guards=[needs("operator")], summary="Make a rule of correction")
async def make_rule(
    pair: PairName, data: JSONBody[NewRule], context: AppContext, caller: NamedDependency[Caller]
) -> Kept:
    """Keep a correction for the next payment with an error; the same cause again is the rule's next version."""
    rule = FixRule(**{name: getattr(data, name) for name in FixRule.__struct_fields__})
    async with desk(context, pair, caller, data.note) as at:
        name, version = await repair_desk.keep_as_rule(at, rule)
    return Kept(rule=name, version=version)


@delete("/fix-rules/{rule:str}", guards=[needs("operator")], summary="Take a rule out of use")
async def retire_rule(
    pair: PairName, rule: FromPath[str], context: AppContext, caller: NamedDependency[Caller]
) -> None:
    """No payment is corrected by it any more; what it corrected stays."""
    async with desk(context, pair, caller) as at:
        await repair_desk.retire_rule(at, rule)


@get("/stock-aliases", guards=[needs("viewer")], summary="List learnt stock codes")
async def list_aliases(pair: PairName, context: AppContext) -> list[AliasShown]:
    """Spellings of stock codes, and what each means."""
    async with context.engine.connect() as connection:
        return [read(row, AliasShown) for row in await repairs.aliases_shown(connection, pair)]


@put("/stock-aliases", guards=[needs("operator")], summary="Teach a stock code")
async def teach_alias(
    pair: PairName, data: JSONBody[NewAlias], context: AppContext, caller: NamedDependency[Caller]
) -> AliasShown:
    """Say which stock code a spelling means; the newest word counts."""
    async with desk(context, pair, caller, data.note) as at:
        await repair_desk.teach(at, data.alias, data.stock_code)
        rows = await repairs.aliases_shown(at.connection, pair)
    return next(read(row, AliasShown) for row in rows if row["alias"] == data.alias)


@delete("/stock-aliases", guards=[needs("operator")], summary="Forget a stock code")
async def forget_alias(
    pair: PairName, context: AppContext, caller: NamedDependency[Caller], alias: Alias
) -> None:
    """Forget what a spelling means."""
    async with desk(context, pair, caller) as at:
        await repair_desk.teach(at, alias, "")


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_rules, make_rule, retire_rule, list_aliases, teach_alias, forget_alias],
    tags=["Repairs"],
)
