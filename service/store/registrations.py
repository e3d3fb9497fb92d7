"""Requests to the gateway, written before they are sent: the vendor transaction code is used once, for ever."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.rows import document, documents
from service.store.tables import gateway_requests, payments
from service.store.vault import Vault

JsonObject = dict[str, object]

# What a request came to when Opayo, or the bank, said no: it counts against nothing.
_NO_MONEY = ("declined", "rejected", "failed", "cancelled", "aborted", "expired", "voided")


class GatewayRequest(Struct, frozen=True, kw_only=True):
    """An intent: what will be asked of Opayo.

    Attributes:
        amount_minor: minor units of `currency`.
        related_transaction_id: the payment that a refund, repeat or authorise refers to.
    """

    pair: str
    vendor_tx_code: str
    kind: str
    amount_minor: int
    currency: str
    related_transaction_id: str = ""


async def reserve(
    connection: AsyncConnection, request: GatewayRequest, note: JsonObject | None = None
) -> bool:
    """Write an intent; `False` when the code was used before, whatever for.

    Args:
        note: kept as the answer until there is one: what tells a second try from another request.
    """
    found = await connection.scalar(
        insert(gateway_requests)
        .values({name: getattr(request, name) for name in request.__struct_fields__} | {"answer": note or {}})
        .on_conflict_do_nothing()
        .returning(gateway_requests.c.vendor_tx_code)
    )
    return found is not None


async def settle(
    connection: AsyncConnection,
    request: GatewayRequest,
    state: str,
    answer: JsonObject,
    transaction_id: str = "",
) -> None:
    """Note what became of an intent: `answered`, `unknown` or `refused`."""
    await connection.execute(
        update(gateway_requests)
        .where(
            gateway_requests.c.pair == request.pair,
            gateway_requests.c.vendor_tx_code == request.vendor_tx_code,
        )
        .values(state=state, answer=answer, transaction_id=transaction_id, changed_at=func.now())
    )


async def reopen(connection: AsyncConnection, request: GatewayRequest) -> bool:
    """Turn an intent that was never sent (`answer.unsent`) into one that is; whether this caller did."""
    found = await connection.scalar(
        update(gateway_requests)
        .where(
            gateway_requests.c.pair == request.pair,
            gateway_requests.c.vendor_tx_code == request.vendor_tx_code,
            gateway_requests.c.state == "refused",
            gateway_requests.c.answer["unsent"].as_boolean(),
        )
        .values(state="sent", changed_at=func.now())
        .returning(gateway_requests.c.vendor_tx_code)
    )
    return found is not None


async def renew(connection: AsyncConnection, request: GatewayRequest) -> None:
    """Send an instruction again, perhaps for another amount: what was refused before may be allowed now."""
    await connection.execute(
        update(gateway_requests)
        .where(
            gateway_requests.c.pair == request.pair,
            gateway_requests.c.vendor_tx_code == request.vendor_tx_code,
        )
        .values(
            state="sent", amount_minor=request.amount_minor, currency=request.currency, changed_at=func.now()
        )
    )


async def void(connection: AsyncConnection, pair: str, transaction_id: str) -> None:
    """Note that what a request brought about was voided: a voided refund counts no more against its payment."""
    await connection.execute(
        update(gateway_requests)
        .where(
            gateway_requests.c.pair == pair,
            gateway_requests.c.transaction_id == transaction_id,
            gateway_requests.c.kind.in_(("refund", "authorise")),
        )
        .values(answer=gateway_requests.c.answer.concat({"state": "voided"}), changed_at=func.now())
    )


async def code_of(connection: AsyncConnection, pair: str, transaction_id: str) -> str:
    """The vendor transaction code of a transaction, from our intents or payments; empty when we know none."""
    for table in (gateway_requests, payments):
        found: str | None = await connection.scalar(
            select(table.c.vendor_tx_code)
            .where(table.c.pair == pair, table.c.transaction_id == transaction_id)
            .limit(1)
        )
        if found:
            return found
    return ""


async def one(connection: AsyncConnection, pair: str, vendor_tx_code: str) -> JsonObject | None:
    """An intent with its answer, or `None`."""
    shown = [column for column in gateway_requests.c if column.name != "security_key"]
    return document(
        await connection.execute(
            select(*shown).where(
                gateway_requests.c.pair == pair, gateway_requests.c.vendor_tx_code == vendor_tx_code
            )
        )
    )


async def refunded_minor(connection: AsyncConnection, pair: str, transaction_id: str) -> int:
    """What refunds of a payment have taken or may have taken, behind a lock that lasts the transaction.

    Refunds that were sent and not yet answered count: their money may be gone.
    """
    await _lock(connection, pair, transaction_id)
    return await _asked_minor(connection, pair, transaction_id, "refund") + await _elsewhere_minor(
        connection, pair, transaction_id
    )


async def authorised_minor(connection: AsyncConnection, pair: str, transaction_id: str) -> int:
    """What authorise requests have taken or may have taken of an authenticated transaction, behind the same lock."""
    await _lock(connection, pair, transaction_id)
    return await _asked_minor(connection, pair, transaction_id, "authorise")


async def _lock(connection: AsyncConnection, pair: str, transaction_id: str) -> None:
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))"), {"key": f"{pair}/{transaction_id}"}
    )


async def _asked_minor(connection: AsyncConnection, pair: str, transaction_id: str, kind: str) -> int:
    total = await connection.scalar(
        select(func.coalesce(func.sum(gateway_requests.c.amount_minor), 0)).where(
            gateway_requests.c.pair == pair,
            gateway_requests.c.related_transaction_id == transaction_id,
            gateway_requests.c.kind == kind,
            gateway_requests.c.state != "refused",
            func.coalesce(gateway_requests.c.answer["state"].astext, "").not_in(_NO_MONEY),
        )
    )
    return int(total or 0)


async def _elsewhere_minor(connection: AsyncConnection, pair: str, transaction_id: str) -> int:
    """Refunds that were not asked for through our API, as far as we have heard of them."""
    ours = select(gateway_requests.c.transaction_id).where(
        gateway_requests.c.pair == pair,
        gateway_requests.c.related_transaction_id == transaction_id,
        gateway_requests.c.kind == "refund",
    )
    codes = select(gateway_requests.c.vendor_tx_code).where(gateway_requests.c.pair == pair)
    total = await connection.scalar(
        select(func.coalesce(func.sum(payments.c.amount_minor), 0)).where(
            payments.c.pair == pair,
            payments.c.related_transaction_id == transaction_id,
            payments.c.kind == "refund",
            payments.c.state != "ignored",
            payments.c.gateway["state"].astext == "captured",
            payments.c.transaction_id.not_in(ours),
            payments.c.vendor_tx_code.not_in(codes),
        )
    )
    return int(total or 0)


async def unsettled(connection: AsyncConnection, pair: str, before: datetime, limit: int) -> list[JsonObject]:
    """Requests whose outcome nobody knows, or whose challenge was never finished here, left alone since `before`."""
    challenge = and_(
        gateway_requests.c.state == "answered", gateway_requests.c.answer["state"].astext == "challenge"
    )
    shown = [column for column in gateway_requests.c if column.name != "security_key"]
    rows = await connection.execute(
        select(*shown)
        .where(
            gateway_requests.c.pair == pair,
            or_(gateway_requests.c.state.in_(("sent", "unknown")), challenge),
            gateway_requests.c.changed_at <= before,
        )
        .order_by(gateway_requests.c.changed_at)
        .limit(limit)
    )
    return documents(rows)


async def related_of(connection: AsyncConnection, pair: str, transaction_id: str) -> str:
    """The payment that a refund, repeat or authorise of ours refers to; empty when it is not ours."""
    found: str | None = await connection.scalar(
        select(gateway_requests.c.related_transaction_id).where(
            gateway_requests.c.pair == pair,
            gateway_requests.c.transaction_id == transaction_id,
            gateway_requests.c.kind.in_(("refund", "repeat", "authorise")),
        )
    )
    return found or ""


async def released_minor(connection: AsyncConnection, pair: str, transaction_id: str) -> int | None:
    """How much of a hold we released ourselves, in minor units; `None` when somebody else did, or nobody."""
    found: int | None = await connection.scalar(
        select(gateway_requests.c.amount_minor).where(
            gateway_requests.c.pair == pair,
            gateway_requests.c.related_transaction_id == transaction_id,
            gateway_requests.c.kind == "release",
            gateway_requests.c.state != "refused",
        )
    )
    return found


async def seal_key(
    connection: AsyncConnection, vault: Vault, request: GatewayRequest, security_key: str
) -> None:
    """Seal the security key of a registration, before the shopper is sent to pay."""
    sealed = vault.seal(security_key, _context(request.pair, request.vendor_tx_code))
    await connection.execute(
        update(gateway_requests)
        .where(
            gateway_requests.c.pair == request.pair,
            gateway_requests.c.vendor_tx_code == request.vendor_tx_code,
        )
        .values(security_key=sealed)
    )


async def security_key(connection: AsyncConnection, vault: Vault, pair: str, vendor_tx_code: str) -> str:
    """The security key of a registration; empty when there is none, and an empty key proves nothing."""
    sealed = await connection.scalar(
        select(gateway_requests.c.security_key).where(
            gateway_requests.c.pair == pair, gateway_requests.c.vendor_tx_code == vendor_tx_code
        )
    )
    return "" if sealed is None else vault.open(sealed, _context(pair, vendor_tx_code))


def _context(pair: str, vendor_tx_code: str) -> str:
    return f"pair:{pair}/registration:{vendor_tx_code}"
