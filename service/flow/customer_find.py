"""Who is it? An account of the shop is matched with SYSPRO's customers; what follows is written down as its link."""

from __future__ import annotations

import msgspec

from integration.canonical.shop_customer import ShopCustomer
from service.core.customer_fields import fields_of_erp, fields_of_shop
from service.core.customer_match import Decision, Identity, account_key, decide, identity
from service.core.customers import GUEST
from service.flow.stage import Stage
from service.store import audit, customer_records, customers
from service.store.audit import Line
from service.store.customers import Link, LinkChanged


async def find(account: ShopCustomer, link: Link | None, stage: Stage) -> Decision:
    """Which SYSPRO customer an account is, from what was polled and from SYSPRO itself by the e-mail address."""
    settings = stage.pair.customers
    code = account.account or (account.reference if settings.numbers_are_accounts else "")
    asked = identity(account.reference, fields_of_shop(account), code)
    pool = {each.key: each for each in await _asked_now(account, code, stage)}
    async with stage.reads.connect() as connection:
        for kept in await customer_records.alike(connection, stage.lane.pair, "syspro", asked):
            pool.setdefault(kept.key, identity(kept.key, kept.fields))
        taken = await customers.linked_keys(connection, stage.lane.pair, list(pool))
    refused = link.refused if link else {}
    among = [each for key, each in sorted(pool.items()) if key not in refused]
    # A guest has no account, and shares the customer with whoever has: neither stands in the other's way.
    guest = account.reference.startswith(GUEST)
    others = {
        key
        for key, shop_key in taken.items()
        if not guest and shop_key != account.reference and not shop_key.startswith(GUEST)
    }
    return decide(asked, among, settings.bars, others)


async def _asked_now(account: ShopCustomer, code: str, stage: Stage) -> list[Identity]:
    """SYSPRO's customers of exactly this address or code, who may be newer than the last poll."""
    spellings = dict.fromkeys((account.email.strip(), account.email.strip().lower()))
    found = {
        each.customer: identity(each.customer, fields_of_erp(each))
        for email in spellings
        if email
        for each in (await stage.session.customers(email=email)).items
    }
    if code:
        named = await stage.session.customer_record(code)
        known = {account_key(key) for key in found}
        if named is not None and account_key(named.customer) not in known:
            async with stage.reads.connect() as connection:
                asked = Identity(key=code, account=account_key(code))
                kept = await customer_records.alike(connection, stage.lane.pair, "syspro", asked)
            # The spelling that polls keep, or the same customer would be two.
            key = next(
                (each.key for each in kept if account_key(each.key) == account_key(code)), named.customer
            )
            found[key] = identity(key, fields_of_erp(named))
    return list(found.values())


async def note(account: ShopCustomer, link: Link | None, decision: Decision, stage: Stage) -> Link:
    """Write down what was decided: a link, or a proposal for a person.

    Raises:
        LinkChanged: somebody else decided meanwhile, or linked the customer with another account.
    """
    fresh = link or Link(pair=stage.lane.pair, shop_key=account.reference, state="proposed")
    unchanged = (fresh.state, fresh.candidates)
    fresh.state = "linked" if decision.kind == "linked" else "proposed"
    fresh.erp_key, fresh.why = decision.customer, decision.why
    fresh.candidates = {each.customer: each for each in decision.candidates}
    if link is not None and unchanged == (fresh.state, fresh.candidates):
        return fresh
    action = "customer.linked" if decision.kind == "linked" else "customer.proposed"
    line = Line(
        pair=fresh.pair,
        action=action,
        detail={
            "account": fresh.shop_key,
            "customer": fresh.erp_key,
            "why": fresh.why,
            "candidates": msgspec.to_builtins(decision.candidates),
        },
    )
    async with stage.engine.begin() as connection:
        if fresh.erp_key:
            await customers.make_way(connection, fresh.pair, fresh.erp_key)
        if link is not None:
            await customers.save(connection, fresh)
        elif not await customers.add(connection, fresh):
            raise LinkChanged(fresh.shop_key)
        await audit.write(connection, [line])
    return fresh
