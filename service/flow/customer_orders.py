"""The customer of an order, found by its link, e-mail address or name instead of by the shop's number.

Where a pair allows it, a customer that nobody knows is set up in SYSPRO before the order is posted. Where only a person
can tell, the payment waits for that person; it is never posted to a customer that is merely likely.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from integration.canonical.shop_customer import ShopCustomer
from integration.errors import Rejected, Transient
from service.core.customers import GUEST, guest_reference
from service.flow.customer_add import add_to_syspro
from service.flow.customer_find import find, note
from service.flow.customer_polls import both_read
from service.flow.facts import order_of, transaction_of
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import customers
from service.store.customers import Link, LinkChanged

_UNSENT = frozenset(("prepared", "refused"))


async def settle_customer(trip: Trip, stage: Stage) -> None:
    """Find or set up the customer of a payment, and put it on the payment and its documents.

    Raises:
        Rejected: a person must say who it is, or SYSPRO does not take the new customer.
        Transient: customers were not read yet, or somebody else is setting this one up.
    """
    account = _who(trip) if stage.pair.customers.on_orders else None
    if account is None or any(each.state not in _UNSENT for each in trip.payment.postings):
        # What is in the ledger, or may be, fixes whose payment it is.
        return
    try:
        link = await _link(account, stage)
    except (LinkChanged, IntegrityError) as error:
        raise Transient(
            f"The customer of account {account.reference} is being settled by somebody else",
            code="customers.busy",
        ) from error
    customer = link.erp_key if link is not None and link.is_linked else ""
    customer = customer or stage.pair.defaults.get("customer", "")
    if customer:
        _give(trip, customer, link)


def _who(trip: Trip) -> ShopCustomer | None:
    order, transaction = order_of(trip.payment), transaction_of(trip.payment)
    if order is None:
        first, _, last = transaction.billing.name.rpartition(" ")
        email, billing = transaction.customer_email, transaction.billing
        account = ShopCustomer(
            reference="",
            email=email,
            first_name=first,
            last_name=last,
            company=billing.company,
            billing=billing,
        )
    else:
        party = order.customer
        account = ShopCustomer(
            reference=party.reference.replace("\0", ""),
            email=party.email,
            first_name=party.first_name,
            last_name=party.last_name,
            company=party.company,
            phone=party.phone,
            billing=order.billing,
            shipping=order.shipping,
        )
    if account.reference or not account.email.strip():
        return account if account.reference else None
    return ShopCustomer(
        **{name: getattr(account, name) for name in ShopCustomer.__struct_fields__ if name != "reference"},
        reference=guest_reference(account.email),
    )


async def _link(account: ShopCustomer, stage: Stage) -> Link | None:
    async with stage.reads.connect() as connection:
        link = await customers.of_shop(connection, stage.lane.pair, account.reference)
    if link is not None and (link.is_linked or link.state in ("ignored", "undoing")):
        return link
    if link is not None and link.state == "adding":
        return await add_to_syspro(account, link, stage)
    decision = await find(account, link, stage)
    if decision.kind == "new":
        return await _new(account, link, stage)
    if decision.customer and account.reference.startswith(GUEST):
        async with stage.reads.connect() as connection:
            theirs = await customers.of_erp(connection, stage.lane.pair, decision.customer)
        if theirs is not None and theirs.is_linked:
            return theirs
    fresh = await note(account, link, decision, stage)
    if fresh.state == "proposed":
        likely = ", ".join(f"{each.customer} ({each.score})" for each in decision.candidates[:3])
        raise Rejected(
            f"Account {account.reference} of the shop could be customer {likely} of SYSPRO: a person decides",
            code="customers.undecided",
            hint="Accept or reject the proposal under Customers, then replay the payment.",
            evidence={"account": account.reference, "likely": likely},
        )
    return fresh


async def _new(account: ShopCustomer, link: Link | None, stage: Stage) -> Link | None:
    if not stage.pair.customers.create_in_syspro:
        return None
    if not await both_read(stage):
        raise Transient(
            "SYSPRO's customers are being read for the first time: nobody can be called new yet",
            code="customers.first-read",
        )
    return await add_to_syspro(account, link, stage)


def _give(trip: Trip, customer: str, link: Link | None) -> None:
    payment = trip.payment
    if payment.customer == customer:
        return
    trip.note(
        "payment.customer_settled",
        before=payment.customer,
        customer=customer,
        why=link.why if link is not None and link.is_linked else "the pair's customer for those nobody knows",
    )
    payment.customer = customer
    # The documents were mapped before SYSPRO could be asked.
    payment.mapped = {
        kind: {**document, "Customer": customer}
        if isinstance(document, dict) and "Customer" in document
        else document
        for kind, document in payment.mapped.items()
    }
