"""Customers, both directions: the chore that polls both sides and brings what changed into step.

Each customer stands by itself: what one side refuses waits for a person, what does not answer is tried again at the
next turn, and the others go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.exc import IntegrityError

from integration.canonical.shop_customer import ShopCustomer
from integration.errors import IntegrationError, Misconfigured, Transient
from integration.ports import Storefront
from service.core.customer_match import identity, score
from service.core.customers import GUEST
from service.flow.customer_add import add_to_shop, add_to_syspro
from service.flow.customer_find import find, note
from service.flow.customer_polls import both_read, poll
from service.flow.customer_sync import sync, undo
from service.flow.recovery import NOT_THE_PAYMENTS, as_document
from service.flow.stage import Stage
from service.store import alerts, customer_records, customers, schedule
from service.store.alerts import Alert
from service.store.customer_records import Kept
from service.store.customers import Link, LinkChanged

JsonObject = dict[str, object]
Step = Callable[[], Awaitable[None]]
log = structlog.get_logger()

NAME = "customers"
"""The chore, as the schedule knows it."""

# So many customers a turn: payments of the lane wait for its end.
_MOST = 200
# A side that does not answer will not answer the next either.
_ENOUGH = 3


@dataclass(kw_only=True)
class Turn:
    """One turn of the chore.

    Attributes:
        ready: both sides were read to the end once: before that nobody can be called new.
        counts: what it came to.
    """

    stage: Stage
    shop: Storefront
    ready: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    async def link(self, shop_key: str) -> Link | None:
        """The link of an account as it is now."""
        async with self.stage.reads.connect() as connection:
            return await customers.of_shop(connection, self.stage.lane.pair, shop_key)

    async def looked_at(self, kept: Kept) -> None:
        """Note that a customer was dealt with as it was read."""
        async with self.stage.engine.begin() as connection:
            await customer_records.looked_at(connection, kept.pair, kept.side, kept.key, kept.hash)


async def keep_in_step(stage: Stage) -> JsonObject:
    """One turn: read what changed on both sides, match who is new, and carry changes over."""
    settings, shop = stage.pair.customers, stage.storefront
    if not (settings.sync or settings.on_orders):
        return {"off": True}
    changed: JsonObject = {"changed_in_syspro": await poll(stage, "syspro", None)}
    if not settings.sync or shop is None:
        return changed
    changed["changed_in_shop"] = await poll(stage, "shop", shop)
    turn = Turn(stage=stage, shop=shop, ready=await both_read(stage))
    await _each(await _work(turn), turn)
    await _call_people(stage)
    if turn.counts["more"]:
        # The rest at once, but after the payments that waited meanwhile.
        async with stage.engine.begin() as connection:
            await schedule.hurry(connection, stage.lane.pair, NAME, stage.clock())
    return {**changed, **{name: count for name, count in turn.counts.items() if count}}


async def _work(turn: Turn) -> dict[str, Step]:
    pair, makes_accounts = turn.stage.lane.pair, turn.stage.pair.customers.create_in_shop
    async with turn.stage.engine.begin() as connection:
        if not makes_accounts:
            await customer_records.pass_on(connection, pair)
        unfinished = await customers.of_states(connection, pair, ("adding", "undoing"), _MOST)
        accounts = await customer_records.due(connection, pair, "shop", _MOST)
        firms = await customer_records.due(connection, pair, "syspro", _MOST, linked=not makes_accounts)
    if _MOST in (len(accounts), len(firms)):
        turn.counts["more"] = 1
    work: dict[str, Step] = {f"shop/{link.shop_key}": partial(_finish, link, turn) for link in unfinished}
    for kept in accounts:
        work.setdefault(f"shop/{kept.key}", partial(_account, kept, turn))
    return work | {f"syspro/{kept.key}": partial(_firm, kept, turn) for kept in firms}


async def _each(work: dict[str, Step], turn: Turn) -> None:
    silent = 0
    for name, step in work.items():
        try:
            await step()
        except (LinkChanged, IntegrityError):
            turn.counts["later"] += 1
        except Transient as error:
            log.info("customer.later", customer=name, code=error.error_code)
            turn.counts["later"] += 1
            silent += 1
            if silent >= _ENOUGH:
                raise
        except (*NOT_THE_PAYMENTS, Misconfigured):
            raise
        except Exception:
            # One customer that nobody can deal with keeps no other waiting.
            log.exception("customer.failed", customer=name)
            turn.counts["failed"] += 1
        else:
            silent = 0


# --- one customer ---------------------------------------------------------------------------------


async def _finish(link: Link, turn: Turn) -> None:
    if link.state == "undoing":
        await _guarded(link.shop_key, turn, _undoing(link, turn))
        return
    account = await turn.shop.customer(link.shop_key)
    if account is not None:
        await _guarded(link.shop_key, turn, _adding(account, link, turn))


async def _undoing(link: Link, turn: Turn) -> None:
    await undo(link, turn.stage, turn.shop)
    turn.counts["undone"] += 1


async def _adding(account: ShopCustomer, link: Link | None, turn: Turn) -> None:
    await add_to_syspro(account, link, turn.stage)
    turn.counts["added"] += 1


async def _syncing(link: Link, turn: Turn) -> None:
    turn.counts["fields_written"] += await sync(link, turn.stage, turn.shop)


async def _account(kept: Kept, turn: Turn) -> None:
    """An account that is new or changed."""
    link = await turn.link(kept.key)
    if link is None or link.state == "proposed":
        account = await turn.shop.customer(kept.key)
        if account is not None and not await _matched(account, link, turn):
            return
        link = await turn.link(kept.key)
    if link is not None and link.is_linked:
        await _guarded(link.shop_key, turn, _syncing(link, turn))
    await turn.looked_at(kept)


async def _matched(account: ShopCustomer, link: Link | None, turn: Turn) -> bool:
    """Whether it is settled who the account is, as far as we can."""
    decision = await find(account, link, turn.stage)
    if decision.kind != "new":
        fresh = await note(account, link, decision, turn.stage)
        turn.counts[fresh.state] += 1
        return True
    if not turn.stage.pair.customers.create_in_syspro:
        return True
    if turn.ready:
        await _guarded(account.reference, turn, _adding(account, link, turn))
    return turn.ready


async def _firm(kept: Kept, turn: Turn) -> None:
    """A SYSPRO customer that is new or changed."""
    settings = turn.stage.pair.customers
    async with turn.stage.reads.connect() as connection:
        link = await customers.of_erp(connection, kept.pair, kept.key)
    if link is not None:
        if link.is_linked and not link.shop_key.startswith(GUEST):
            await _guarded(link.shop_key, turn, _syncing(link, turn))
        await turn.looked_at(kept)
        return
    async with turn.stage.engine.begin() as connection:
        like = await customer_records.unlinked_like(connection, kept.pair, identity(kept.key, kept.fields))
        await customer_records.call_up(connection, kept.pair, "shop", like)
    if settings.create_in_shop and kept.fields["email"][0]:
        if not turn.ready:
            return
        if not await _resembles(kept, like, turn):
            await _guarded("", turn, _adding_to_shop(kept, turn), kept.key)
    await turn.looked_at(kept)


async def _adding_to_shop(kept: Kept, turn: Turn) -> None:
    turn.counts["added"] += await add_to_shop(kept, turn.stage, turn.shop)


async def _resembles(kept: Kept, like: list[str], turn: Turn) -> bool:
    """Whether one of some accounts is like enough for a person to be asked."""
    firm = identity(kept.key, kept.fields)
    async with turn.stage.reads.connect() as connection:
        for key in like:
            account = await customer_records.one(connection, kept.pair, "shop", key)
            known_as = identity(key, account.fields) if account else firm
            if score(known_as, firm)[0] >= turn.stage.pair.customers.propose_at:
                return True
    return False


# --- what fails -----------------------------------------------------------------------------------


async def _guarded(account: str, turn: Turn, doing: Awaitable[None], customer: str = "") -> None:
    """Do it; what a side refuses is written on the account's link, and a person is told."""
    try:
        await doing
    except (Transient, Misconfigured):
        raise
    except IntegrityError as error:
        raise LinkChanged(account) from error
    except IntegrationError as error:
        turn.counts["refused"] += 1
        await _refused(account, customer, turn.stage, error)


async def _refused(account: str, customer: str, stage: Stage, error: IntegrationError) -> None:
    document = as_document(error)
    about = f"customer {customer}" if customer else f"account {account}"
    async with stage.engine.begin() as connection:
        link = await customers.of_shop(connection, stage.lane.pair, account, lock=True)
        if link is not None:
            about = f"customer {link.erp_key}" if link.is_linked else about
            link.error = document
            link.state = "conflict" if link.state == "linked" else link.state
            await customers.save(connection, link)
        alert = Alert(
            pair=stage.lane.pair, code=error.error_code, subject=about, title=error.title, error=document
        )
        await alerts.raise_all(connection, [alert])


async def _call_people(stage: Stage) -> None:
    """One alert for all proposals: the first turn may find hundreds."""
    async with stage.engine.begin() as connection:
        waiting = await customers.of_states(connection, stage.lane.pair, ("proposed",), _MOST)
        known = await alerts.open_of(connection, stage.lane.pair, "customers.undecided")
        count = f"{len(waiting)} or more" if len(waiting) == _MOST else str(len(waiting))
        title = f"Accounts of the shop that wait for a person to say who they are in SYSPRO: {count}"
        if waiting and known.get("customers") != title:
            alert = Alert(
                pair=stage.lane.pair,
                code="customers.undecided",
                subject="customers",
                title=title,
                severity="info",
            )
            await alerts.raise_all(connection, [alert])
