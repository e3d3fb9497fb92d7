"""Customers: both sides' records with their links, and one page that shows all that hangs on a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncConnection

from service.api.access import needs
from service.api.context import AppContext
from service.api.customer_links import LinkShown, link_shown
from service.api.parameters import Filter, JsonObject, Limit, PairName
from service.core.customer_fields import shown
from service.core.customer_match import account_key
from service.core.customer_merge import Side
from service.store import customer_records, customer_views, customers
from service.store.customer_records import Browse, Kept

CustomerKey = Annotated[str, PathParameter(max_length=320, description="SYSPRO's code of the customer.")]
Whose = Annotated[Side, QueryParameter(description="Whose customers.")]
After = Annotated[str, QueryParameter(max_length=320, description="`next_after` of the page before.")]
_SHOWN = 100


class CustomerRow(Struct, frozen=True, kw_only=True):
    """A customer of one side as last read; `key` is SYSPRO's code or the number of the shop's account.

    Attributes:
        fields: those that both sides share: name, contact, e-mail, telephone, and two addresses.
        details: SYSPRO's own: hold, credit limit, currency, terms, …; of an account the code it bears.
        link_id, state, other: its link, if it has one, and the key on the other side.
    """

    key: str
    fields: dict[str, str]
    details: JsonObject
    changed_at: datetime
    link_id: int | None = None
    state: str | None = None
    other: str | None = None


class CustomerPage(Struct, frozen=True, kw_only=True):
    """A page of customers in the order of their keys."""

    items: list[CustomerRow]
    next_after: str | None


class CustomerShown(Struct, frozen=True, kw_only=True):
    """Everything about one customer.

    Attributes:
        on_hold: SYSPRO has it on hold: its money is posted, its orders wait.
        credit_limit: whole units of the customer's currency.
        accounts: its account in the shop, with the link.
        totals: what was paid and given back, by kind, state and currency, in minor units.
        tokens: cards kept for it: scheme, last four digits and expiry, nothing more.
        history: what was decided and written about it, newest first.
    """

    customer: str
    fields: dict[str, str]
    on_hold: bool
    credit_limit: int | None
    currency: str
    details: JsonObject
    accounts: list[CustomerRow]
    link: LinkShown | None
    payments: list[JsonObject]
    refunds: list[JsonObject]
    totals: list[JsonObject]
    tokens: list[JsonObject]
    subscriptions: list[JsonObject]
    chargebacks: list[JsonObject]
    refund_proposals: list[JsonObject]
    alerts: list[JsonObject]
    history: list[JsonObject]


def provide_browse(
    side: Whose = "syspro", email: Filter = "", search: Filter = "", after: After = "", limit: Limit = 100
) -> Browse:
    """Which customers are asked for."""
    return Browse(side=side, email=email, search=search, after=after, limit=limit)


@get(
    "/customers",
    guards=[needs("viewer")],
    dependencies={"browse": Provide(provide_browse, sync_to_thread=False)},
    summary="List customers",
)
async def list_customers(
    pair: PairName, context: AppContext, browse: NamedDependency[Browse]
) -> CustomerPage:
    """Customers of SYSPRO or of the shop as last read, by key; `search` are words of the name."""
    async with context.engine.connect() as connection:
        rows = await customer_records.listed(connection, pair, browse)
    other = "shop_key" if browse.side == "syspro" else "erp_key"
    items = [_row(row, str(row[other]) if row[other] else None) for row in rows]
    return CustomerPage(items=items, next_after=items[-1].key if len(items) == browse.limit else None)


def _row(row: JsonObject, other: str | None) -> CustomerRow:
    fields, link_id = row["fields"], row.get("link_id")
    assert isinstance(fields, dict)
    return CustomerRow(
        key=str(row["key"]),
        fields={name: shown(tuple(value)) for name, value in fields.items()},
        details=row["details"],  # type: ignore[arg-type]
        changed_at=row["changed_at"],  # type: ignore[arg-type]
        link_id=link_id if isinstance(link_id, int) else None,
        state=str(row["state"]) if row.get("state") else None,
        other=other,
    )


@get(
    "/customers/{customer:str}", guards=[needs("viewer")], summary="Show a customer with all that hangs on it"
)
async def show_customer(pair: PairName, customer: CustomerKey, context: AppContext) -> CustomerShown:
    """A SYSPRO customer: its account in the shop, payments, refunds, kept cards, alerts, hold and credit."""
    async with context.engine.connect() as connection:
        kept = await _kept(connection, pair, customer)
        link = await customers.of_erp(connection, pair, kept.key)
        account = (
            await customer_records.one(connection, pair, "shop", link.shop_key) if link is not None else None
        )
        codes = customer_views.spellings(kept.key)
        received = await customer_views.money(connection, pair, codes, out=False, limit=_SHOWN)
        returned = await customer_views.money(connection, pair, codes, out=True, limit=_SHOWN)
        accounts = [link.shop_key] if link is not None else []
        subjects = [f"customer {code}" for code in codes] + [f"account {key}" for key in accounts]
        subjects += [f"payment {each['vendor_tx_code']}" for each in (*received, *returned)]
        belongings = await customer_views.belongings(connection, pair, codes, _SHOWN)
        limit = kept.details.get("credit_limit")
        return CustomerShown(
            customer=kept.key,
            fields={name: shown(value) for name, value in kept.fields.items()},
            on_hold=bool(kept.details.get("customer_on_hold")),
            credit_limit=limit if isinstance(limit, int) else None,
            currency=str(kept.details.get("currency", "")),
            details=kept.details,
            accounts=[_row(structs.asdict(account), kept.key)] if account else [],
            link=link_shown(link) if link is not None else None,
            payments=received,
            refunds=returned,
            totals=await customer_views.totals(connection, pair, codes),
            tokens=belongings.get("card_tokens", []),
            subscriptions=belongings.get("subscriptions", []),
            chargebacks=belongings.get("chargebacks", []),
            refund_proposals=belongings.get("refund_proposals", []),
            alerts=await customer_views.open_alerts(connection, pair, subjects),
            history=await customer_views.history(connection, pair, codes, accounts, _SHOWN),
        )


async def _kept(connection: AsyncConnection, pair: str, customer: str) -> Kept:
    for code in customer_views.spellings(customer):
        kept = await customer_records.one(connection, pair, "syspro", code)
        if kept is not None and account_key(kept.key) == account_key(customer):
            return kept
    raise NotFoundException(f"Pair `{pair}` has no SYSPRO customer of that code, or has not read it yet.")


router = Router(
    path="/api/v1/pairs/{pair:str}", route_handlers=[list_customers, show_customer], tags=["Customers"]
)
