"""A trading day drawn by seed: which sales, with which cards, codes, mistakes and, seldom, fraud."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Literal

import msgspec

from integration.sandbox.merchant_world import (
    Customer,
    Invoice,
    SaleLine,
    World,
    on_hold_customer,
    unknown_customer,
)

Mistake = Literal[
    "",
    "declined-first",
    "unknown-stock",
    "unknown-customer",
    "customer-on-hold",
    "total-differs",
    "never-captured",
    "fraud",
]

REFUSALS: tuple[Mistake, ...] = ("unknown-stock", "unknown-customer", "customer-on-hold", "total-differs")
"""Mistakes SYSPRO or the service cannot get over by trying again."""

GOOD_CARDS = (
    "4929000000006", "4929000005559", "4929000000014", "4929000000022", "4484000000002", "4462000000000003",
    "4917300000000008", "5186150660000009", "5186150660000025", "5186150660000108", "5186150660000207",
    "5185690060000001", "374200000000004",
)  # fmt: skip
DECLINED_CARDS = ("4929602110085639", "5403814948608092")
"""Published test cards."""

_DIFFERENCE = 137  # pence by which a wrong payment falls short of its order


class Attempt(msgspec.Struct, frozen=True):
    """One try at paying: a vendor transaction code is never used twice."""

    code: str
    card: str
    declined: bool = False
    stolen: bool = False

    @property
    def security_code(self) -> str:
        """The test value for the card's scheme, or a wrong one when the payer had to guess."""
        right = "1234" if self.card.startswith("37") else "123"
        return right[::-1] if self.stolen else right


class Sale(msgspec.Struct, frozen=True):
    """One sale of the day.

    Attributes:
        invoice: customer and lines as ordered.
        attempts: tries at paying in order; the last one is authorised.
        amount_minor: what the payments ask for, in pence.
        captured: whether money moves in the end.
    """

    number: int
    invoice: Invoice
    attempts: tuple[Attempt, ...]
    amount_minor: int
    mistake: Mistake = ""

    @property
    def captured(self) -> bool:
        """Money is taken in the end."""
        return self.mistake != "never-captured"

    @property
    def code(self) -> str:
        """The vendor transaction code of the attempt that is authorised."""
        return self.attempts[-1].code


def draw_day(world: World, payments: int, seed: int) -> tuple[Sale, ...]:
    """Draw a day with exactly ``payments`` sales whose money is captured, and about 1 % that never are.

    Lasting refusals are 2 % of the payments and fraud 1 %, both rounded down; a decline before the payment
    meets about 3 %.

    Raises:
        ValueError: for fewer than one payment.
    """
    if payments < 1:
        raise ValueError("A day needs at least one payment.")
    draw = random.Random(f"day/{seed}")  # noqa: S311 - repeatable, not secret
    mistakes = _mistakes(draw, payments)
    invoices = _drawn_invoices(draw, world, len(mistakes))
    return tuple(
        _sale(random.Random(f"sale/{seed}/{number}"), seed, number, invoice, mistake)  # noqa: S311
        for number, (invoice, mistake) in enumerate(zip(invoices, mistakes, strict=True), start=1)
    )


def _mistakes(draw: random.Random, payments: int) -> list[Mistake]:
    kinds = list(REFUSALS)
    draw.shuffle(kinds)
    mistakes: list[Mistake] = [kinds[place % len(kinds)] for place in range(payments * 2 // 100)]
    mistakes += ["fraud"] * (payments // 100)
    mistakes += ["declined-first"] * (payments * 3 // 100)
    mistakes += [""] * (payments - len(mistakes))
    mistakes += ["never-captured"] * (payments // 100)
    draw.shuffle(mistakes)
    return mistakes


def _drawn_invoices(draw: random.Random, world: World, count: int) -> list[Invoice]:
    # A day longer than the sample sells the same again to branches: nobody pays suspiciously often for it.
    drawn: list[Invoice] = []
    branch = 0
    while len(drawn) < count:
        again = [msgspec.structs.replace(one, customer=one.customer.branch(branch)) for one in world.invoices]
        draw.shuffle(again)
        drawn += again
        branch += 1
    return drawn[:count]


def _sale(draw: random.Random, seed: int, number: int, invoice: Invoice, mistake: Mistake) -> Sale:
    invoice = _spoilt(draw, number, invoice, mistake)
    amount = int(invoice.total * 100)
    if mistake == "total-differs":
        amount = max(amount - _DIFFERENCE, 1)
    code = _code(draw, seed, number, invoice)
    refused = {"declined-first": 1, "fraud": 2}.get(mistake, 0)
    stolen = mistake == "fraud"
    attempts = [
        Attempt(f"{code}-A{place}", DECLINED_CARDS[place % 2], declined=True, stolen=stolen)
        for place in range(1, refused + 1)
    ]
    card = draw.choice(GOOD_CARDS) if stolen else _usual_card(invoice.customer)
    attempts.append(Attempt(f"{code}-A{refused + 1}" if refused else code, card, stolen=stolen))
    return Sale(number, invoice, tuple(attempts), amount, mistake)


def _usual_card(customer: Customer) -> str:
    return random.Random(f"card/{customer.code}").choice(GOOD_CARDS)  # noqa: S311


def _code(draw: random.Random, seed: int, number: int, invoice: Invoice) -> str:
    # One in eight is longer than the 30 characters SYSPRO has for it; Opayo's limit is 40.
    ending = f"S{seed % 1000}-{number:05d}"
    if draw.random() < 0.125:
        return f"WEB-{invoice.number}-{invoice.sold_at:%Y%m%d%H%M}-{ending}"
    return f"W{invoice.number}-{ending}"


def _spoilt(draw: random.Random, number: int, invoice: Invoice, mistake: Mistake) -> Invoice:
    match mistake:
        case "unknown-stock":
            return _with_unknown_stock(invoice, number)
        case "unknown-customer":
            return _bought_by(invoice, unknown_customer(number))
        case "customer-on-hold":
            return _bought_by(invoice, on_hold_customer())
        case "fraud":
            return _made_large(draw, invoice)
    return invoice


def _with_unknown_stock(invoice: Invoice, number: int) -> Invoice:
    wrong = SaleLine("stock", f"NOSUCH{number}", "NOT IN THE CATALOGUE", 1, Decimal("4.95"))
    return msgspec.structs.replace(invoice, lines=(*invoice.lines, wrong))


def _bought_by(invoice: Invoice, customer: Customer) -> Invoice:
    return msgspec.structs.replace(invoice, customer=customer)


def _made_large(draw: random.Random, invoice: Invoice) -> Invoice:
    goods = [line for line in invoice.lines if line.kind == "stock"][:3] or list(invoice.lines[:1])
    value = sum((line.net for line in goods), Decimal(0))
    # Between 15,000 and 45,000 pounds: far above the day's largest honest orders for so few goods.
    times = max(int(draw.randint(15_000, 45_000) / value), 1)
    large = tuple(msgspec.structs.replace(line, quantity=line.quantity * times) for line in goods)
    return msgspec.structs.replace(invoice, lines=large)
