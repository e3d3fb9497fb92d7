"""A person decides about customers: who is who, whose value counts, what is taken back.

A decision is written down at once, with who made it and why; what it means for SYSPRO and the shop is done at the next
turn of the chore, which is called for.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from integration.errors import NotFound, Rejected
from service.core.customer_fields import FieldName, shown
from service.core.customer_match import identity, score
from service.core.customer_merge import Difference, Side, View, compare
from service.flow.customer_sync import rules_of
from service.flow.customers import NAME
from service.flow.desk import Desk
from service.store import audit, customer_records, customers, schedule
from service.store.audit import Line
from service.store.customers import Link


class Preview(Struct, frozen=True, kw_only=True):
    """What linking two customers would do, as far as was read of them last.

    Attributes:
        score: how alike they are, 0 to 100, with reasons.
        on_hold: SYSPRO has the customer on hold: nothing is written there until it is released.
    """

    customer: str
    account: str
    score: int
    reasons: tuple[str, ...]
    on_hold: bool
    differences: tuple[Difference, ...]


async def preview(at: Desk, account: str, customer: str) -> Preview:
    """Compare an account of the shop with a SYSPRO customer, field by field.

    Raises:
        NotFound: one of them was never read.
    """
    shop = await customer_records.one(at.connection, at.pair.pair, "shop", account)
    syspro = await customer_records.one(at.connection, at.pair.pair, "syspro", customer)
    if shop is None or syspro is None:
        raise _unknown(f"account {account}" if shop is None else f"customer {customer}")
    link = await customers.of_shop(at.connection, at.pair.pair, account)
    ours = link if link is not None and link.erp_key == customer else None
    rules = rules_of(at.pair.customers, ours or Link(pair=at.pair.pair, shop_key=account, state="proposed"))
    points, reasons = score(
        identity(account, shop.fields, str(shop.details.get("account", ""))),
        identity(customer, syspro.fields),
    )
    return Preview(
        customer=customer,
        account=account,
        score=points,
        reasons=reasons,
        on_hold=bool(syspro.details.get("customer_on_hold")),
        differences=compare(
            View(fields=shop.fields, remembered=ours.shop_fields if ours else {}, changed_at=shop.changed_at),
            View(
                fields=syspro.fields, remembered=ours.erp_fields if ours else {}, changed_at=syspro.changed_at
            ),
            rules,
        ),
    )


async def link(at: Desk, account: str, customer: str) -> Link:
    """Link an account with a customer: accept a proposal, or say what nobody proposed.

    Raises:
        NotFound: one of them was never read.
        Rejected: the customer is linked with another account, or the account with another customer.
    """
    pair = at.pair.pair
    for side, key in (("shop", account), ("syspro", customer)):
        if await customer_records.one(at.connection, pair, msgspec.convert(side, Side), key) is None:
            guest = side == "shop" and await customers.of_shop(at.connection, pair, key) is not None
            if not guest:
                raise _unknown(f"{'account' if side == 'shop' else 'customer'} {key}")
    await customers.make_way(at.connection, pair, customer)
    other = await customers.of_erp(at.connection, pair, customer)
    if other is not None and other.shop_key != account:
        raise Rejected(
            f"Customer {customer} is linked with account {other.shop_key}",
            code="customers.linked-already",
            hint="Unlink them first.",
            evidence={"customer": customer, "account": other.shop_key},
        )
    found = await customers.of_shop(at.connection, pair, account, lock=True)
    if found is not None and found.erp_key not in ("", customer):
        raise Rejected(
            f"Account {account} is linked with customer {found.erp_key}, or is being set up as it",
            code="customers.linked-already",
            hint="Unlink them first.",
            evidence={"customer": found.erp_key, "account": account},
        )
    fresh = found or Link(pair=pair, shop_key=account, state="linked")
    before = fresh.state if found else ""
    fresh.state, fresh.erp_key, fresh.why, fresh.error = "linked", customer, f"{at.actor} said so", None
    fresh.shop_fields, fresh.erp_fields, fresh.before = {}, {}, {}
    fresh.refused = {key: who for key, who in fresh.refused.items() if key != customer}
    if found is None:
        await customers.add(at.connection, fresh)
    else:
        await customers.save(at.connection, fresh)
    await _decided(at, fresh, "customer.linked", before=before, after="linked", why=fresh.why)
    return fresh


async def reject(at: Desk, link_id: int, customer: str = "") -> Link:
    """Say no to one candidate of a proposal, or to all: it is never proposed again. Who is left is matched anew."""
    fresh = await _proposal(at, link_id)
    gone = [customer] if customer else sorted(fresh.candidates)
    if customer and customer not in fresh.candidates:
        raise _unknown(f"candidate {customer} of the proposal")
    fresh.refused = {**fresh.refused, **dict.fromkeys(gone, at.actor)}
    fresh.candidates = {key: each for key, each in fresh.candidates.items() if key not in gone}
    await customers.save(at.connection, fresh)
    await _decided(at, fresh, "customer.proposal_rejected", refused=gone)
    return fresh


async def ignore(at: Desk, link_id: int) -> Link:
    """Leave an account alone: it is nobody in SYSPRO, and orders of it go to the pair's customer."""
    fresh = await _proposal(at, link_id)
    before, fresh.state, fresh.candidates = fresh.state, "ignored", {}
    await customers.save(at.connection, fresh)
    await _decided(at, fresh, "customer.ignored", before=before, after="ignored")
    return fresh


async def unlink(at: Desk, link_id: int, *, restore: bool) -> Link:
    """Part a link; with `restore` both sides first get back what they had before it, where nobody changed it since."""
    fresh = await _of(at, link_id)
    if not fresh.is_linked:
        raise _wrong_state(fresh, "linked")
    before, parted = fresh.state, fresh.erp_key
    fresh.refused = {**fresh.refused, parted: at.actor}
    if restore and fresh.before:
        fresh.state = "undoing"
    else:
        fresh.state, fresh.erp_key, fresh.conflicts = "ignored", "", {}
        fresh.shop_fields, fresh.erp_fields, fresh.before = {}, {}, {}
    await customers.save(at.connection, fresh)
    await _decided(
        at, fresh, "customer.unlinked", customer=parted, before=before, after=fresh.state, restore=restore
    )
    return fresh


async def resolve(at: Desk, link_id: int, chosen: dict[FieldName, Side]) -> Link:
    """Say whose value counts, for fields in conflict.

    Raises:
        Rejected: a field named is in no conflict.
    """
    fresh = await _of(at, link_id)
    if unknown := sorted(set(chosen) - set(fresh.conflicts)):
        raise Rejected(
            f"`{unknown[0]}` of customer {fresh.erp_key} is in no conflict",
            code="customers.no-conflict",
            hint="Read the customer again: somebody may have decided already.",
        )
    fresh.decided = {**fresh.decided, **chosen}
    await customers.save(at.connection, fresh)
    taken = {field: {**fresh.conflicts[field], "taken": side} for field, side in chosen.items()}
    await _decided(at, fresh, "customer.conflict_resolved", fields=taken)
    return fresh


def told(differences: tuple[Difference, ...]) -> list[dict[str, object]]:
    """Differences as people read them."""
    return [
        {
            "field": each.field,
            "shop": shown(each.shop),
            "syspro": shown(each.syspro),
            "winner": each.winner,
            "conflict": each.conflict,
            "why": each.why,
        }
        for each in differences
    ]


# --- common ---------------------------------------------------------------------------------------


async def _of(at: Desk, link_id: int) -> Link:
    found = await customers.by_id(at.connection, at.pair.pair, link_id)
    if found is None:
        raise _unknown(f"link {link_id}")
    return found


async def _proposal(at: Desk, link_id: int) -> Link:
    found = await _of(at, link_id)
    if found.state != "proposed":
        raise _wrong_state(found, "proposed")
    return found


def _unknown(what: str) -> NotFound:
    return NotFound(f"There is no {what}", code="customers.unknown", hint="List the pair's customers.")


def _wrong_state(found: Link, wanted: str) -> Rejected:
    return Rejected(
        f"The link of account {found.shop_key} is {found.state}, not {wanted}",
        code="customers.state",
        hint="Read it again: somebody may have decided already.",
    )


async def _decided(at: Desk, fresh: Link, action: str, **detail: object) -> None:
    reason = {"reason": at.note} if at.note else {}
    line = Line(
        pair=fresh.pair,
        actor=at.actor,
        action=action,
        detail={"account": fresh.shop_key, "customer": fresh.erp_key, **detail, **reason},
    )
    await audit.write(at.connection, [line])
    await customer_records.call_up(at.connection, fresh.pair, "shop", [fresh.shop_key])
    await schedule.hurry(at.connection, fresh.pair, NAME, at.now)
