"""Saved cards: which customer of the ERP each belongs to, and its identifier at Opayo, sealed by the vault."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import JsonObject, document, documents
from service.store.tables import gateway_requests, payments
from service.store.tables_subscriptions import card_tokens, subscriptions
from service.store.vault import Vault

_SAVED = ("captured", "held", "authenticated")
_REFUSED = ("declined", "rejected", "failed", "cancelled", "aborted", "expired", "voided")
_SHOWN = [column for column in card_tokens.c if column.name != "sealed"]


class NewCard(Struct, frozen=True, kw_only=True):
    """A card that a payment saves.

    Attributes:
        customer: the ERP's code; empty takes the payment's, once it has arrived.
        vendor_tx_code: of that payment.
        card_identifier: the reusable identifier; empty when only Opayo has it.
    """

    pair: str
    vendor_tx_code: str
    customer: str = ""
    card_identifier: str = ""


class SavedCard(Struct, frozen=True, kw_only=True):
    """What is known of a card once its payment was taken; `expiry` is `MMYY`."""

    transaction_id: str
    currency: str
    scheme: str = ""
    last_four: str = ""
    expiry: str = ""


async def keep(connection: AsyncConnection, vault: Vault, card: NewCard) -> int:
    """Write a card down before the payment that saves it is sent; keeping it twice is keeping it once."""
    sealed = None
    if card.card_identifier:
        sealed = vault.seal(card.card_identifier, _context(card.pair, card.vendor_tx_code))
    values = {"pair": card.pair, "vendor_tx_code": card.vendor_tx_code, "customer": card.customer}
    await connection.execute(insert(card_tokens).values(**values, sealed=sealed).on_conflict_do_nothing())
    found = await connection.scalar(
        select(card_tokens.c.token_id).where(_code(card.pair, card.vendor_tx_code))
    )
    return int(found or 0)


async def saved(connection: AsyncConnection, pair: str, vendor_tx_code: str, card: SavedCard) -> None:
    """The payment that saves a card was taken: the card may be used."""
    await connection.execute(
        update(card_tokens)
        .where(_code(pair, vendor_tx_code), card_tokens.c.state == "pending")
        .values(
            state="active",
            transaction_id=card.transaction_id,
            currency=card.currency,
            scheme=card.scheme,
            last_four=card.last_four,
            expiry=card.expiry,
            changed_at=func.now(),
        )
    )


async def adopt(connection: AsyncConnection, pair: str) -> int:
    """Take over what became of the payments that save cards, from their rows on the road; returns how many."""
    same = (payments.c.pair == card_tokens.c.pair) & (
        payments.c.vendor_tx_code == card_tokens.c.vendor_tx_code
    )
    gateway = payments.c.gateway
    waits = (card_tokens.c.pair == pair) & or_(card_tokens.c.state == "pending", card_tokens.c.customer == "")
    done = await connection.execute(
        update(card_tokens)
        .where(waits, card_tokens.c.state.in_(("pending", "active")), same)
        .where(gateway["state"].as_string().in_(_SAVED), payments.c.kind != "refund")
        .values(
            state="active",
            transaction_id=payments.c.transaction_id,
            currency=payments.c.currency,
            customer=func.coalesce(func.nullif(card_tokens.c.customer, ""), payments.c.customer),
            scheme=func.coalesce(gateway["card"]["scheme"].as_string(), ""),
            last_four=func.coalesce(gateway["card"]["last_four"].as_string(), ""),
            expiry=func.coalesce(gateway["card"]["expiry"].as_string(), ""),
            changed_at=func.now(),
        )
    )
    asked = (gateway_requests.c.pair == card_tokens.c.pair) & (
        gateway_requests.c.vendor_tx_code == card_tokens.c.vendor_tx_code
    )
    refused = or_(
        gateway_requests.c.state == "refused", gateway_requests.c.answer["state"].as_string().in_(_REFUSED)
    )
    await connection.execute(
        update(card_tokens)
        .where(card_tokens.c.pair == pair, card_tokens.c.state == "pending", asked, refused)
        .values(state="failed", changed_at=func.now())
    )
    return int(done.rowcount)


async def one(connection: AsyncConnection, pair: str, token_id: int) -> JsonObject | None:
    """A card without its identifier, or `None`."""
    rows = await connection.execute(
        select(*_SHOWN).where(card_tokens.c.pair == pair, card_tokens.c.token_id == token_id)
    )
    return document(rows)


async def listed(
    connection: AsyncConnection, pair: str, customer: str, before: int, limit: int
) -> list[JsonObject]:
    """Cards of a pair, or of one customer, newest first, without their identifiers."""
    statement = select(*_SHOWN).where(card_tokens.c.pair == pair)
    if customer:
        statement = statement.where(card_tokens.c.customer == customer)
    if before:
        statement = statement.where(card_tokens.c.token_id < before)
    return documents(await connection.execute(statement.order_by(card_tokens.c.token_id.desc()).limit(limit)))


async def renew(connection: AsyncConnection, pair: str, token_id: int, expiry: str) -> None:
    """A charge told another expiry month: the bank has sent a new card, and nobody was warned of that one."""
    await connection.execute(
        update(card_tokens)
        .where(card_tokens.c.pair == pair, card_tokens.c.token_id == token_id, card_tokens.c.expiry != expiry)
        .values(expiry=expiry, warned_at=None, changed_at=func.now())
    )


async def unwarned(connection: AsyncConnection, pair: str) -> list[JsonObject]:
    """Cards with an expiry month that live subscriptions use and nobody was warned of."""
    used = exists().where(
        subscriptions.c.token_id == card_tokens.c.token_id, subscriptions.c.state.in_(("active", "paused"))
    )
    rows = await connection.execute(
        select(*_SHOWN).where(
            card_tokens.c.pair == pair,
            card_tokens.c.state == "active",
            card_tokens.c.warned_at.is_(None),
            card_tokens.c.expiry != "",
            used,
        )
    )
    return documents(rows)


async def warned(connection: AsyncConnection, token_id: int, now: datetime) -> None:
    """Note that people were warned of a card's expiry."""
    await connection.execute(
        update(card_tokens).where(card_tokens.c.token_id == token_id).values(warned_at=now)
    )


async def identifier(connection: AsyncConnection, vault: Vault, pair: str, token_id: int) -> str:
    """The card identifier, for Opayo alone; empty when we have none."""
    row = (
        await connection.execute(
            select(card_tokens.c.sealed, card_tokens.c.vendor_tx_code).where(
                card_tokens.c.pair == pair, card_tokens.c.token_id == token_id
            )
        )
    ).first()
    return (
        ""
        if row is None or row.sealed is None
        else vault.open(row.sealed, _context(pair, row.vendor_tx_code))
    )


async def block(connection: AsyncConnection, pair: str, token_id: int) -> None:
    """The bank declined a card for good: no subscription may charge it any more."""
    await connection.execute(
        update(card_tokens)
        .where(card_tokens.c.pair == pair, card_tokens.c.token_id == token_id)
        .values(state="blocked", changed_at=func.now())
    )


async def state_of(connection: AsyncConnection, pair: str, token_id: int) -> str:
    """The state of a card; empty when there is none."""
    found: str | None = await connection.scalar(
        select(card_tokens.c.state).where(card_tokens.c.pair == pair, card_tokens.c.token_id == token_id)
    )
    return found or ""


async def remove(connection: AsyncConnection, pair: str, token_id: int) -> None:
    """Forget a card: its identifier is gone, its row stays for the charges that it paid."""
    await connection.execute(
        update(card_tokens)
        .where(card_tokens.c.pair == pair, card_tokens.c.token_id == token_id)
        .values(state="removed", sealed=None, changed_at=func.now())
    )


def _code(pair: str, vendor_tx_code: str) -> ColumnElement[bool]:
    return (card_tokens.c.pair == pair) & (card_tokens.c.vendor_tx_code == vendor_tx_code)


def _context(pair: str, vendor_tx_code: str) -> str:
    return f"pair:{pair}/card:{vendor_tx_code}"
