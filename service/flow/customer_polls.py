"""Polls of both sides' customers: SYSPRO pushes nothing and shops tell little, so hashes say what changed."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import msgspec

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.shop_customer import ShopCustomer
from integration.ports import Storefront
from service.core.customer_fields import digest, fields_of_erp, fields_of_shop
from service.core.customer_match import Identity, identity
from service.core.customer_merge import Side
from service.flow.stage import Stage
from service.store import customer_records, customers
from service.store.customer_records import Kept

JsonObject = dict[str, object]
Read = tuple[Kept, Identity]

# A pass over a large company is taken in parts, so that payments need not wait for its end.
_PAGES = 20
_ROWS: dict[Side, int] = {"syspro": 200, "shop": 100}
# What was being saved while the pass before began, on a clock that is not ours.
_OVERLAP = timedelta(hours=1)
_DETAILS = (
    "customer_on_hold", "payments_allowed", "credit_limit", "currency", "terms_code", "branch", "salesperson",
    "area", "customer_class", "tax_status", "balance_type", "company_tax_number",
)  # fmt: skip


def syspro_read(pair: str, record: CustomerRecord, stage: Stage) -> Read:
    """A SYSPRO customer as it is kept; SYSPRO does not tell when it changed, so that is when we see it."""
    fields = fields_of_erp(record)
    details = {name: value for name in _DETAILS if (value := getattr(record, name)) is not None}
    kept = Kept(
        pair=pair,
        side="syspro",
        key=record.customer,
        hash=_hash(digest(fields), details),
        fields=fields,
        details=details,
        changed_at=stage.clock(),
    )
    return kept, identity(record.customer, fields)


def shop_read(pair: str, account: ShopCustomer, stage: Stage) -> Read:
    """An account of the shop as it is kept."""
    fields = fields_of_shop(account)
    details: JsonObject = {"account": account.account}
    kept = Kept(
        pair=pair,
        side="shop",
        key=account.reference,
        hash=_hash(digest(fields), details),
        fields=fields,
        details=details,
        changed_at=account.changed_at or stage.clock(),
    )
    return kept, identity(account.reference, fields, account.account)


def _hash(fields: str, details: JsonObject) -> str:
    return hashlib.sha256(fields.encode() + msgspec.json.encode(details, order="sorted")).hexdigest()


async def poll(stage: Stage, side: Side, shop: Storefront | None) -> int:
    """Read a part of a side, or the rest; returns how many customers are new or changed."""
    pair = stage.lane.pair
    async with stage.reads.connect() as connection:
        at = await customers.poll(connection, pair, side)
    at.began_at = at.began_at or stage.clock()
    changed = 0
    for _ in range(_PAGES):
        read, after = await _page(stage, at, shop)
        changed += await _keep(stage, side, read)
        at.after = after or ""
        if after is None:
            at.since, at.began_at = at.began_at, None
        async with stage.engine.begin() as connection:
            await customers.save_poll(connection, at)
        if after is None:
            break
    return changed


async def _page(stage: Stage, at: customers.Poll, shop: Storefront | None) -> tuple[list[Read], str | None]:
    pair, limit = stage.lane.pair, _ROWS[at.side]
    if at.side == "syspro":
        page = await stage.session.customers(after=at.after, limit=limit)
        return [syspro_read(pair, each, stage) for each in page.items], page.after
    if shop is None:
        return [], None
    since = at.since - _OVERLAP if at.since else None
    accounts = await shop.customers(after=at.after, limit=limit, changed_since=since)
    return [shop_read(pair, each, stage) for each in accounts.items], accounts.after


async def _keep(stage: Stage, side: Side, read: list[Read]) -> int:
    if not read:
        return 0
    async with stage.engine.begin() as connection:
        known = await customer_records.hashes(
            connection, stage.lane.pair, side, [kept.key for kept, _ in read]
        )
        new = [(kept, known_as) for kept, known_as in read if known.get(kept.key) != kept.hash]
        for kept, known_as in new:
            await customer_records.keep(connection, kept, known_as, due=True)
    return len(new)


async def both_read(stage: Stage) -> bool:
    """Whether both sides were read to the end at least once: before that, nobody can be called new."""
    reads_shop = stage.pair.customers.sync and stage.storefront is not None
    sides: tuple[Side, ...] = ("syspro", "shop") if reads_shop else ("syspro",)
    async with stage.reads.connect() as connection:
        return all([(await customers.poll(connection, stage.lane.pair, side)).since for side in sides])
