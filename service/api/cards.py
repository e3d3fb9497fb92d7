"""Saved cards: whose they are and until when they are good; never their identifiers at Opayo."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from integration.errors import InvalidPayment, NotFound, Rejected
from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.parameters import PAGE, Filter, Page, PairName, Text, read
from service.api.v3 import plain_id
from service.flow.intents import TAKEN
from service.store import cards, subscriptions
from service.store.cards import NewCard, SavedCard
from service.store.users import Caller


class CardShown(Struct, frozen=True, kw_only=True):
    """A saved card.

    Attributes:
        customer: SYSPRO's code of the customer whose card it is.
        vendor_tx_code, transaction_id: of the payment that saved it.
        expiry: `MMYY`, empty when unknown.
        state: pending until its payment was taken; blocked when the bank declined it for good.
    """

    token_id: int
    customer: str
    vendor_tx_code: str
    transaction_id: str
    currency: str
    scheme: str
    last_four: str
    expiry: str
    state: str
    created_at: datetime
    warned_at: datetime | None


class CardPage(Struct, frozen=True, kw_only=True):
    """A page of cards, newest first."""

    items: list[CardShown]
    next_cursor: int | None


class NewSavedCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card that an earlier payment saved somewhere else: on Opayo's page, or by the shop itself.

    Attributes:
        transaction_id: of that payment, made with `credentialType` First.
        customer: SYSPRO's code of the customer whose card it is.
    """

    transaction_id: Text
    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=15)]


@get("/cards", guards=[needs("viewer")], dependencies=PAGE, summary="List saved cards")
async def list_cards(
    pair: PairName, context: AppContext, page: NamedDependency[Page], customer: Filter = ""
) -> CardPage:
    """The saved cards of a pair, or of one SYSPRO customer. Their identifiers at Opayo are never shown."""
    async with context.engine.connect() as connection:
        rows = await cards.listed(connection, pair, customer, page.cursor, page.limit)
    items = [read(row, CardShown) for row in rows]
    return CardPage(items=items, next_cursor=page.next_cursor([each.token_id for each in items]))


@get("/cards/{token_id:int}", guards=[needs("viewer")], summary="Show a saved card")
async def show_card(pair: PairName, token_id: FromPath[int], context: AppContext) -> CardShown:
    """One saved card."""
    async with context.engine.connect() as connection:
        found = await cards.one(connection, pair, token_id)
    if found is None:
        raise NotFoundException(f"Pair `{pair}` has no card {token_id}.")
    return read(found, CardShown)


@post("/cards", guards=[needs("operator")], summary="Take over a card that was saved elsewhere")
async def take_over_card(
    pair: PairName, data: JSONBody[NewSavedCard], context: AppContext, caller: NamedDependency[Caller]
) -> CardShown:
    """Charge later what an earlier payment allowed. Opayo refuses the charge where that payment saved no card."""
    _, connections = await context.connections(pair)
    found = await connections.gateway.detail(plain_id(data.transaction_id))
    if found.state not in TAKEN or found.kind == "refund" or not found.vendor_tx_code:
        raise InvalidPayment(
            f"Transaction {found.transaction_id} is no payment that was taken", code="subscription.card"
        )
    card = found.card
    with suppress(NotFound):
        # Reporting does not tell when a card expires; the transaction itself does.
        card = (await connections.gateway.transaction(found.transaction_id)).card
    known = SavedCard(
        transaction_id=found.transaction_id,
        currency=found.amount.currency,
        scheme=card.scheme,
        last_four=card.last_four,
        expiry=card.expiry,
    )
    async with context.engine.begin() as connection:
        new = NewCard(pair=pair, vendor_tx_code=found.vendor_tx_code, customer=data.customer)
        token_id = await cards.keep(connection, context.vault, new)
        await cards.saved(connection, pair, found.vendor_tx_code, known)
        shown = await cards.one(connection, pair, token_id)
        await record(connection, pair, caller, "card.taken_over", token_id=token_id, customer=data.customer)
    assert shown is not None
    if shown["customer"] != data.customer:
        raise Rejected("The card belongs to another customer already", code="subscription.customer")
    return read(shown, CardShown)


@delete("/cards/{token_id:int}", guards=[needs("operator")], summary="Forget a saved card")
async def forget_card(
    pair: PairName, token_id: FromPath[int], context: AppContext, caller: NamedDependency[Caller]
) -> None:
    """Remove a card here and at Opayo; refused while a subscription is charged to it."""
    async with context.engine.begin() as connection:
        if await cards.one(connection, pair, token_id) is None:
            raise NotFoundException(f"Pair `{pair}` has no card {token_id}.")
        if used := await subscriptions.with_card(connection, pair, token_id):
            raise Rejected(
                f"Subscription {used[0].reference} is charged to card {token_id}",
                code="subscription.card",
                hint="Cancel it, or give it another card, first.",
            )
        identifier = await cards.identifier(connection, context.vault, pair, token_id)
        await cards.remove(connection, pair, token_id)
        await record(connection, pair, caller, "card.forgotten", token_id=token_id)
        if identifier:
            _, connections = await context.connections(pair)
            # Before the commit: when Opayo cannot be reached, the card stays and may be forgotten again.
            await connections.gateway.forget_card(identifier)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_cards, show_card, take_over_card, forget_card],
    tags=["Subscriptions"],
)
