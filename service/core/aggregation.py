"""Payments gathered into one posting: which belong together, and what they come to.

Payments that agree in the named fields and are due together are one group. Its oldest payment *leads*: its document
carries the group's amount, and the others follow it into the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money, total
from integration.errors import InvalidPayment

Operation = Literal["group", "sum", "net"]


class Member(Struct, frozen=True, kw_only=True):
    """A payment that waits to be gathered.

    Attributes:
        number: gives the order; the smallest of a group leads.
        fields: `currency`, `card_scheme`, `customer`, `kind`.
        amount: positive, also for a refund.
    """

    number: int
    fields: Mapping[str, str]
    amount: Money


class Group(Struct, frozen=True, kw_only=True):
    """Payments that go into the ledger together.

    Attributes:
        lead: the number of the payment whose document carries the amount.
        amount: the sum of the members, refunds taken off when the operation is `net`.
    """

    lead: int
    members: tuple[int, ...]
    amount: Money


def key_of(member: Member, by: Sequence[str]) -> str:
    """What a member must agree in with the others; the currency always counts, since money must be addable."""
    names = sorted({*by, "currency"})
    return "|".join(f"{name}={member.fields.get(name, '')}" for name in names)


def gather(members: Iterable[Member], by: Sequence[str], operation: Operation) -> tuple[Group, ...]:
    """The groups of some members, each in the order of its numbers.

    Raises:
        InvalidPayment: the refunds of a group take more than its payments bring, so nothing can be received.
    """
    gathered: dict[str, list[Member]] = {}
    for member in sorted(members, key=lambda member: member.number):
        gathered.setdefault(key_of(member, by), []).append(member)
    return tuple(_group(group, operation) for group in gathered.values())


def _group(members: Sequence[Member], operation: Operation) -> Group:
    signed = [
        -member.amount if operation == "net" and member.fields.get("kind") == "refund" else member.amount
        for member in members
    ]
    amount = total(signed, members[0].amount.currency)
    if amount.minor <= 0:
        raise InvalidPayment(
            f"{len(members)} payments and refunds come to {amount}: there is nothing to receive",
            code="aggregate.nothing-to-receive",
            hint="Post the refunds by themselves, then replay the payments.",
            evidence={"amount_minor": amount.minor, "currency": amount.currency},
        )
    return Group(lead=members[0].number, members=tuple(member.number for member in members), amount=amount)


def carrying(receipt: Mapping[str, object], amount: Money) -> dict[str, object]:
    """The mapped values of the lead's AR payment, carrying the group's amount as one unapplied part.

    Raises:
        InvalidPayment: the receipt has not exactly one unapplied part.
    """
    parts = receipt.get("Unapplied")
    if not isinstance(parts, list) or len(parts) != 1 or receipt.get("Invoices"):
        raise InvalidPayment(
            "A receipt for several payments has one unapplied part, and this mapping gives another shape",
            code="aggregate.shape",
            hint="Map the whole amount to one unapplied payment, or take `aggregate` out of the flow.",
        )
    money = {"minor": amount.minor, "currency": amount.currency}
    return {**receipt, "PaymentValue": money, "Unapplied": [{**parts[0], "GrossPaymentValue": money}]}
