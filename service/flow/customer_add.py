"""A customer of the shop set up in SYSPRO, once; and one of SYSPRO in the shop.

SYSPRO has no key for repeated calls. So the customer's key is made of the shop's number, written down with what will
be sent before anything is, and looked for before anything is sent again: a lost answer leaves one customer, not two.
"""

from __future__ import annotations

import msgspec

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.shop_customer import ShopCustomer
from integration.errors import AlreadyPosted, Rejected
from integration.ports import Storefront
from service.core.customer_fields import fields_of_erp, fields_of_shop, same, shop_change
from service.core.customer_match import account_key
from service.core.customers import customer_document, new_keys
from service.core.mapping import apply
from service.flow.customer_polls import syspro_read
from service.flow.stage import Stage
from service.store import audit, customer_records, customers
from service.store.audit import Line
from service.store.customer_records import Kept
from service.store.customers import Link, LinkChanged

JsonObject = dict[str, object]


async def add_to_syspro(account: ShopCustomer, link: Link | None, stage: Stage) -> Link:
    """Set up the customer of an account, or find that an earlier attempt did; gives their link.

    Raises:
        Rejected: the mapping lacks something, SYSPRO refuses it, or every key is taken.
        OutcomeUnknown: sent, and the answer lost: the next attempt looks first.
        LinkChanged: somebody else is at it.
    """
    link = await _intended(account, link, stage)
    for key in _keys(account, link, stage):
        if await _is_free(key, link, stage) and await _added(account, link, key, stage):
            return await _done(account, link, stage)
    raise Rejected(
        f"Every key for a new customer of account {account.reference} is taken in SYSPRO",
        code="customers.no-key",
        hint="Change `customers.keys` of the pair, or link the account with a customer by hand.",
        evidence={"account": account.reference},
    )


async def _intended(account: ShopCustomer, link: Link | None, stage: Stage) -> Link:
    async with stage.engine.begin() as connection:
        if link is None:
            link = Link(pair=stage.lane.pair, shop_key=account.reference, state="adding")
            if not await customers.add(connection, link):
                raise LinkChanged(account.reference)
        elif link.state != "adding":
            link.state, link.erp_key, link.intent, link.candidates = "adding", "", {}, {}
            await customers.save(connection, link)
    return link


def _keys(account: ShopCustomer, link: Link, stage: Stage) -> list[str]:
    keys = list(new_keys(account.reference, stage.pair.customers.keys))
    # What may have been sent is looked for first, whatever the settings say by now.
    return [link.erp_key, *keys] if link.intent.get("sent") and link.erp_key not in keys[:1] else keys


async def _is_free(key: str, link: Link, stage: Stage) -> bool:
    async with stage.reads.connect() as connection:
        other = await customers.of_erp(connection, link.pair, key)
    return other is None or other.link_id == link.link_id


async def _added(account: ShopCustomer, link: Link, key: str, stage: Stage) -> bool:
    """Whether the customer of the account now has this key."""
    there = await stage.session.customer_record(key)
    if there is not None:
        return link.erp_key == key and _is_ours(there, link)
    record = await _record(account, key, stage)
    link.erp_key = key
    link.intent = {"record": msgspec.to_builtins(record), "sent": True}
    async with stage.engine.begin() as connection:
        await customers.save(connection, link)
    try:
        await stage.session.save_customer(record, "add", f"cus-{key}-{account.reference}"[:64])
    except AlreadyPosted:
        there = await stage.session.customer_record(key)
        return there is not None and _is_ours(there, link)
    return True


def _is_ours(there: CustomerRecord, link: Link) -> bool:
    """Whether a customer is the one that we sent, by name and address; nobody else makes such a key of them."""
    sent = link.intent.get("record")
    if not link.intent.get("sent") or not isinstance(sent, dict):
        return False
    ours, theirs = fields_of_erp(msgspec.convert(sent, CustomerRecord)), fields_of_erp(there)
    return same("name", ours["name"], theirs["name"]) and same("email", ours["email"], theirs["email"])


async def _record(account: ShopCustomer, key: str, stage: Stage) -> CustomerRecord:
    async with stage.reads.connect() as connection:
        _, mapping = await stage.library.mapping(connection, stage.lane.pair, "customer")
    document = apply(mapping, customer_document(key, account, stage.pair.defaults))
    return msgspec.convert(document.insist(f"customer of account {account.reference}"), CustomerRecord)


async def _done(account: ShopCustomer, link: Link, stage: Stage) -> Link:
    record = await _as_stored(account, link, stage)
    link.erp_key = record.customer
    kept, known_as = syspro_read(link.pair, record, stage)
    link.state, link.why, link.error, link.intent = "linked", "set up for the account", None, {}
    link.shop_fields, link.erp_fields = fields_of_shop(account), kept.fields
    line = Line(
        pair=link.pair,
        action="customer.added",
        detail={"customer": link.erp_key, "account": link.shop_key, "to": "syspro"},
    )
    async with stage.engine.begin() as connection:
        await customers.save(connection, link)
        await customer_records.keep(connection, kept, known_as, due=False)
        await customer_records.looked_at(connection, link.pair, "syspro", kept.key, kept.hash)
        await audit.write(connection, [line])
    return link


async def _as_stored(account: ShopCustomer, link: Link, stage: Stage) -> CustomerRecord:
    """The customer under the key as SYSPRO spells it: with zeros before it, where keys are numeric."""
    wanted = account_key(link.erp_key)
    page = await stage.session.customers(email=account.email) if account.email else None
    for each in page.items if page else ():
        if account_key(each.customer) == wanted:
            return each
    record = await stage.session.customer_record(link.erp_key)
    return record or CustomerRecord(customer=link.erp_key)


async def add_to_shop(kept: Kept, stage: Stage, shop: Storefront) -> bool:
    """Make an account for a SYSPRO customer; `False` when there is one of its address, which is matched instead.

    A lost answer is found by the e-mail address, of which a shop has one account.
    """
    email = kept.fields["email"][0]
    if await shop.customer_by_email(email) is not None:
        return False
    # Who is a customer in SYSPRO without a contact is a company, as far as anybody can tell.
    blank = ShopCustomer(reference="", email=email, account=kept.key, company=kept.fields["name"][0])
    account, _ = shop_change(blank, kept.fields)
    try:
        made = await shop.save_customer(account, "add")
    except AlreadyPosted:
        return False
    link = Link(
        pair=kept.pair,
        shop_key=made.reference,
        erp_key=kept.key,
        state="linked",
        why="set up for the SYSPRO customer",
        shop_fields=fields_of_shop(made),
        erp_fields=kept.fields,
    )
    line = Line(
        pair=kept.pair,
        action="customer.added",
        detail={"customer": kept.key, "account": made.reference, "to": "shop"},
    )
    async with stage.engine.begin() as connection:
        if await customers.add(connection, link):
            await audit.write(connection, [line])
    return True
