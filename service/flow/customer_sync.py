"""One linked customer brought into step: both sides read afresh, compared, and written where the other one wins.

Writes of changes are safe to repeat: what is there already is not written again. What we wrote is remembered as each
side gives it back, so that neither poll takes it for somebody else's change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.shop_customer import CustomerPart, ShopCustomer
from integration.errors import Rejected
from integration.ports import Storefront
from service.core import customer_merge as merge
from service.core.customer_fields import (
    FieldName,
    digest,
    erp_change,
    fields_of_erp,
    fields_of_shop,
    shop_change,
    shown,
)
from service.core.customer_merge import Difference, Rules, View
from service.core.customers import CustomerSettings
from service.flow.customer_polls import shop_read, syspro_read
from service.flow.stage import Stage
from service.store import alerts, audit, customer_records, customers
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.customers import Link

JsonObject = dict[str, object]


def rules_of(settings: CustomerSettings, link: Link) -> Rules:
    """Who decides about the fields of a link."""
    return Rules(owners=settings.owners, otherwise=settings.owner, decided=link.decided)


async def sync(link: Link, stage: Stage, shop: Storefront) -> int:
    """Bring both sides into step; returns how many fields were written.

    Raises:
        Rejected: one side is gone, or does not take what it was to be given.
        LinkChanged: a person decided about the link meanwhile.
        Transient: the same again next time.
    """
    account, record = await shop.customer(link.shop_key), await stage.session.customer_record(link.erp_key)
    if account is None or record is None:
        await _forget(link, stage, account, record)
        raise Rejected(
            f"Customer {link.erp_key} of SYSPRO and account {link.shop_key} of the shop are linked, and "
            f"{'the account' if account is None else 'the customer'} is gone",
            code="customers.gone",
            hint="Unlink them, or set the missing one up again.",
            evidence={"customer": link.erp_key, "account": link.shop_key},
        )
    before = (fields_of_shop(account), fields_of_erp(record))
    link.before = link.before or {"shop": before[0], "syspro": before[1]}
    differences = await _compared(link, stage, (account, record))
    left = {each.field for each in merge.conflicts(differences)}
    to_syspro, to_shop = merge.writes(differences, "syspro"), merge.writes(differences, "shop")
    if to_syspro and record.customer_on_hold:
        # Finance has closed the account: its master data stay as they are until it opens it again.
        left |= set(to_syspro)
        to_syspro = {}
    if to_syspro:
        await stage.session.save_customer(erp_change(link.erp_key, to_syspro), "change")
        record = await stage.session.customer_record(link.erp_key) or record
    parts = _parts(account, link, to_shop)
    if parts:
        account = await _to_shop(account, link, shop, (to_shop, parts))
    _remember(link, account, record, left)
    link.conflicts = _open(differences)
    written = [each for each in differences if each.field in {*to_syspro, *to_shop}]
    await _write_down(link, stage, written, (account, record))
    return len(written)


async def _compared(
    link: Link, stage: Stage, sides: tuple[ShopCustomer, CustomerRecord]
) -> tuple[Difference, ...]:
    account, record = sides
    async with stage.reads.connect() as connection:
        kept = await customer_records.one(connection, link.pair, "syspro", link.erp_key)
    shop = View(fields=fields_of_shop(account), remembered=link.shop_fields, changed_at=account.changed_at)
    syspro = View(
        fields=fields_of_erp(record),
        remembered=link.erp_fields,
        changed_at=kept.changed_at if kept else stage.clock(),
    )
    return merge.compare(shop, syspro, rules_of(stage.pair.customers, link))


def _parts(account: ShopCustomer, link: Link, values: customers.Values) -> frozenset[CustomerPart]:
    parts = shop_change(account, values)[1]
    return parts if account.account == link.erp_key else parts | {"account"}


async def _to_shop(
    account: ShopCustomer,
    link: Link,
    shop: Storefront,
    what: tuple[customers.Values, frozenset[CustomerPart]],
) -> ShopCustomer:
    values, parts = what
    changed, _ = shop_change(account, values)
    marked = ShopCustomer(
        **{name: getattr(changed, name) for name in ShopCustomer.__struct_fields__ if name != "account"},
        account=link.erp_key,
    )
    return await shop.save_customer(marked, "change", parts)


def _remember(link: Link, account: ShopCustomer, record: CustomerRecord, left: Collection[FieldName]) -> None:
    shop, syspro = fields_of_shop(account), fields_of_erp(record)
    link.shop_fields = merge.remember(link.shop_fields, shop, left)
    link.erp_fields = merge.remember(link.erp_fields, syspro, left)
    link.shop_hash, link.erp_hash = digest(shop), digest(syspro)
    link.decided = {field: side for field, side in link.decided.items() if field in left}


def _open(differences: Sequence[Difference]) -> dict[str, JsonObject]:
    return {
        each.field: {"shop": shown(each.shop), "syspro": shown(each.syspro), "why": each.why}
        for each in merge.conflicts(differences)
    }


async def _write_down(
    link: Link, stage: Stage, written: Sequence[Difference], sides: tuple[ShopCustomer, CustomerRecord]
) -> None:
    account, record = sides
    new_conflict = bool(link.conflicts) and link.state != "conflict"
    link.state = "conflict" if link.conflicts else "linked"
    link.error, link.synced_at = None, stage.clock()
    async with stage.engine.begin() as connection:
        await customers.save(connection, link)
        for kept, known_as in (
            shop_read(link.pair, account, stage),
            syspro_read(link.pair, record, stage),
        ):
            await customer_records.keep(connection, kept, known_as, due=False)
            await customer_records.looked_at(connection, link.pair, kept.side, kept.key, kept.hash)
        if written:
            await audit.write(connection, [_line(link, "customer.synced", fields=_told(written))])
        if new_conflict:
            await audit.write(connection, [_line(link, "customer.in_conflict", fields=link.conflicts)])
            await alerts.raise_all(connection, [_alert(link)])


def _told(written: Sequence[Difference]) -> list[JsonObject]:
    """What was written where, with what was there before."""
    return [
        {
            "field": each.field,
            "on": side,
            "before": shown(each.of(side)),
            "after": shown(each.value),
            "why": each.why,
        }
        for each in written
        for side in merge.SIDES
        if each.field in merge.writes([each], side)
    ]


def _line(link: Link, action: str, **detail: object) -> Line:
    return Line(
        pair=link.pair, action=action, detail={"customer": link.erp_key, "account": link.shop_key, **detail}
    )


def _alert(link: Link) -> Alert:
    return Alert(
        pair=link.pair,
        code="customers.conflict",
        subject=f"customer {link.erp_key}",
        title=f"Customer {link.erp_key} was changed in SYSPRO and in the shop: {', '.join(sorted(link.conflicts))}",
    )


async def _forget(
    link: Link, stage: Stage, account: ShopCustomer | None, record: CustomerRecord | None
) -> None:
    async with stage.engine.begin() as connection:
        if account is None:
            await customer_records.forget(connection, link.pair, "shop", link.shop_key)
        if record is None:
            await customer_records.forget(connection, link.pair, "syspro", link.erp_key)


async def undo(link: Link, stage: Stage, shop: Storefront) -> None:
    """Give both sides back what they had before they were linked, where nobody changed it since; then part them."""
    account, record = await shop.customer(link.shop_key), await stage.session.customer_record(link.erp_key)
    if record is not None:
        values = _given_back(fields_of_erp(record), link.erp_fields, link.before.get("syspro", {}))
        if values:
            await stage.session.save_customer(erp_change(link.erp_key, values), "change")
    if account is not None:
        values = _given_back(fields_of_shop(account), link.shop_fields, link.before.get("shop", {}))
        changed, parts = shop_change(account, values)
        if parts:
            await shop.save_customer(changed, "change", parts)
    parted, link.erp_key, link.state = link.erp_key, "", "ignored"
    link.shop_fields, link.erp_fields, link.before, link.conflicts = {}, {}, {}, {}
    async with stage.engine.begin() as connection:
        await customers.save(connection, link)
        line = Line(
            pair=link.pair,
            action="customer.link_undone",
            detail={"customer": parted, "account": link.shop_key},
        )
        await audit.write(connection, [line])


def _given_back(
    now: customers.Values, written: customers.Values, before: customers.Values
) -> customers.Values:
    return {
        field: value
        for field, value in before.items()
        if now.get(field) == written.get(field) and now.get(field) != value
    }
