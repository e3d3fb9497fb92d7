"""Plans: what a subscription is charged, and when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Router, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Struct

from integration.errors import Rejected
from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import JsonObject, PairName, Text
from service.api.v3 import Currency, money
from service.core.subscriptions import CatchUp, Interval, MonthEnd, Terms, faults
from service.store import subscriptions
from service.store.users import Caller

PlanName = Annotated[str, PathParameter(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="A plan's name.")]
Price = Annotated[
    int, msgspec.Meta(ge=1, le=10**10, description="Minor units of the currency, tax included.")
]
Code = Annotated[str, msgspec.Meta(max_length=20)]


class PlanBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a plan charges, and when.

    Attributes:
        tax: the part of the amount that is tax, in minor units.
        description: what the customer pays for; Opayo takes the first 40 characters.
        every: so many intervals from one charge to the next.
        month_end: where a month is shorter: its last day (`same-day`), or always the month's last day.
        catch_up: what is due after a standstill: one charge for the latest date (`once`), or one for each.
        charges: how many there are at most; without it, until the end or for ever.
        stock_code, product_class, tax_code: SYSPRO's; empty for the pair's defaults.
        active: whether subscriptions may begin.
    """

    name: Text
    amount: Price
    currency: Currency
    description: Text
    interval: Interval
    tax: Annotated[int, msgspec.Meta(ge=0)] = 0
    every: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    month_end: MonthEnd = "same-day"
    catch_up: CatchUp = "once"
    charges: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stock_code: Code = ""
    product_class: Code = ""
    tax_code: Annotated[str, msgspec.Meta(max_length=3)] = ""
    active: bool = True

    def terms(self, plan: str, start: date, end: date | None = None) -> Terms:
        """The terms of a subscription to the plan."""
        same = {
            name: getattr(self, name)
            for name in ("description", "interval", "every", "month_end", "catch_up", "charges", "stock_code",
                         "product_class", "tax_code")
        }  # fmt: skip
        price = money(self.amount, self.currency)
        return Terms(plan=plan, amount=price, tax_minor=self.tax, start=start, end=end, **same)


class PlanShown(PlanBody, frozen=True, kw_only=True):
    """A plan. Changing it changes no subscription that has begun."""

    plan: str
    changed_at: datetime


class PlanList(Struct, frozen=True, kw_only=True):
    """The plans of a pair."""

    items: list[PlanShown]


@get("/plans", guards=[needs("viewer")], summary="List plans")
async def list_plans(pair: PairName, context: AppContext) -> PlanList:
    """The plans of a pair."""
    async with context.engine.connect() as connection:
        rows = await subscriptions.listed_plans(connection, pair)
    return PlanList(items=[_plan_shown(row) for row in rows])


@put("/plans/{plan:str}", guards=[needs("admin")], summary="Save a plan")
async def save_plan(
    pair: PairName,
    plan: PlanName,
    data: JSONBody[PlanBody],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> PlanShown:
    """Make a plan, or change it for subscriptions to come; those that have begun keep their terms."""
    if wrong := faults(data.terms(plan, date(2000, 1, 1))):
        raise Rejected(" ".join(wrong).removesuffix("."), code="subscription.terms")
    values: JsonObject = {"name": data.name, "terms": msgspec.to_builtins(data), "active": data.active}
    async with context.engine.begin() as connection:
        await subscriptions.save_plan(connection, pair, plan, values)
        await record(connection, pair, caller, "plan.saved", plan=plan, amount=data.amount)
        found = await subscriptions.plan_of(connection, pair, plan)
    assert found is not None
    return _plan_shown(found)


def _plan_shown(row: JsonObject) -> PlanShown:
    terms = msgspec.convert(row["terms"], dict[str, object])
    return msgspec.convert({**terms, "plan": row["plan"], "changed_at": row["changed_at"]}, PlanShown)


router = Router(
    path="/api/v1/pairs/{pair:str}", route_handlers=[list_plans, save_plan], tags=["Subscriptions"]
)
