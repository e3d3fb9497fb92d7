"""What happened to the money, counted in the sandboxes' own ledgers and not in our tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

NO_REASON = "no reason given"

_REFERENCE_DIGITS = 30
_NOT_HEX = re.compile(r"[^0-9A-F]")


class GatewayRow(msgspec.Struct, frozen=True, rename="camel"):
    """A row of Opayo's ledger; ``captured`` and ``refunded`` are minor units that really moved."""

    transaction_id: str
    vendor_tx_code: str
    transaction_type: str
    currency: str
    captured: int
    refunded: int = 0
    status: str = ""


class GatewayLedger(msgspec.Struct, frozen=True):
    """Opayo's ledger, ``GET /_sandbox/ledger``."""

    transactions: tuple[GatewayRow, ...]
    events: dict[str, int] = {}


class OrderRow(msgspec.Struct, frozen=True, rename="pascal"):
    """A sales order in SYSPRO's ledger."""

    sales_order: str
    customer_po_number: str
    cancelled_flag: str = ""
    order_status: str = ""

    @property
    def live(self) -> bool:
        """Neither cancelled nor in the state that means so."""
        return self.cancelled_flag != "Y" and self.order_status != "\\"


class ReceiptRow(msgspec.Struct, frozen=True):
    """An AR payment in SYSPRO's ledger; ``minor`` is its value in minor units."""

    reference: str = msgspec.field(name="Reference")
    currency: str = msgspec.field(name="Currency")
    minor: int
    narration: str = msgspec.field(name="PaymentNarration", default="")


class ErpLedger(msgspec.Struct, frozen=True):
    """SYSPRO's ledger, ``GET /_sandbox/ledger``."""

    sales_orders: tuple[OrderRow, ...]
    ar_payments: tuple[ReceiptRow, ...]


class Stopped(msgspec.Struct, frozen=True):
    """A payment that waits for a person, as the service tells of it.

    Attributes:
        cause: stable code of the error, or names of the screening rules.
        reason: a sentence for people; a good day gives every payment one.
    """

    transaction_id: str
    vendor_tx_code: str = ""
    cause: str = ""
    reason: str = ""


class Cause(msgspec.Struct, frozen=True):
    """Payments stopped for one cause, with the sentence of one of them."""

    payments: int
    example: str


class Audit(msgspec.Struct, frozen=True):
    """The proof of a day; money in minor units by ISO 4217 currency.

    Attributes:
        payments: captured at Opayo.
        posted: of those, found in SYSPRO's ledger.
        double_postings: AR payments beyond the first of one reference, and live sales orders beyond the first
            of one customer order number.
        lost: captured, and neither posted, held nor a dead letter.
        unexplained: held or dead without a reason.
        surplus: AR payments for which nothing was captured.
        held_reasons: by cause; likewise for dead letters.
    """

    payments: int
    posted: int
    held: int
    dead_letters: int
    sales_orders: int
    ar_payments: int
    double_postings: int
    lost: int
    unexplained: int
    surplus: int
    captured_minor: dict[str, int]
    posted_minor: dict[str, int]
    held_minor: dict[str, int]
    dead_letter_minor: dict[str, int]
    held_reasons: dict[str, Cause]
    dead_letter_reasons: dict[str, Cause]
    lost_codes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Captured = posted + held + dead letters in every currency."""
        parts = Counter(self.posted_minor) + Counter(self.held_minor) + Counter(self.dead_letter_minor)
        return +Counter(self.captured_minor) == parts

    @property
    def passed(self) -> bool:
        """Nothing lost, doubled or unexplained, and the money agrees to the penny."""
        faults = (self.double_postings, self.lost, self.unexplained, self.surplus)
        return (
            self.agrees and not any(faults) and self.payments == self.posted + self.held + self.dead_letters
        )


def audit(gateway: GatewayLedger, erp: ErpLedger, held: Sequence[Stopped], dead: Sequence[Stopped]) -> Audit:
    """Compare the two ledgers, with what the service holds back in between.

    A payment that is in SYSPRO's ledger counts as posted, whatever the service says of it.
    """
    captured = {reference(row.transaction_id): row for row in gateway.transactions if _is_receipt(row)}
    posted = {key for row in erp.ar_payments for key in _names(row)}
    waiting = set(captured) - posted
    told_held = {reference(one.transaction_id): one for one in held}
    told_dead = {reference(one.transaction_id): one for one in dead}
    held_keys = waiting & told_held.keys()
    dead_keys = (waiting & told_dead.keys()) - held_keys
    here = [told_held[key] for key in sorted(held_keys)], [told_dead[key] for key in sorted(dead_keys)]
    lost = waiting - held_keys - dead_keys
    nothing = dict.fromkeys(sorted({row.currency for row in captured.values()}), 0)
    references = Counter(row.reference for row in erp.ar_payments)
    numbers = Counter(row.customer_po_number for row in erp.sales_orders if row.live)
    return Audit(
        payments=len(captured),
        posted=len(captured) - len(waiting),
        held=len(held_keys),
        dead_letters=len(dead_keys),
        sales_orders=sum(numbers.values()),
        ar_payments=len(erp.ar_payments),
        double_postings=_beyond_first(references) + _beyond_first(numbers),
        lost=len(lost),
        unexplained=sum(not one.reason.strip() for one in (*here[0], *here[1])),
        surplus=sum(1 for row in erp.ar_payments if not _names(row) & captured.keys()),
        captured_minor=_sums((row.currency, row.captured) for row in captured.values()),
        posted_minor=nothing | _sums((row.currency, row.minor) for row in erp.ar_payments),
        held_minor=nothing | _sums((captured[key].currency, captured[key].captured) for key in held_keys),
        dead_letter_minor=nothing
        | _sums((captured[key].currency, captured[key].captured) for key in dead_keys),
        held_reasons=_causes(here[0]),
        dead_letter_reasons=_causes(here[1]),
        lost_codes=tuple(sorted(captured[key].vendor_tx_code for key in lost)),
    )


def _names(row: ReceiptRow) -> set[str]:
    # The narration holds the whole id; hand-made receipts may have it there only.
    return {reference(row.reference), reference(row.narration)}


def reference(text: str) -> str:
    """The first 30 hex digits of a transaction id, in capitals: how SYSPRO's AR payments name it."""
    return _NOT_HEX.sub("", text.upper())[:_REFERENCE_DIGITS]


def _is_receipt(row: GatewayRow) -> bool:
    return row.captured > 0 and row.transaction_type != "Refund"


def _causes(stopped: Sequence[Stopped]) -> dict[str, Cause]:
    causes: dict[str, Cause] = {}
    for one in stopped:
        name = one.cause or NO_REASON
        before = causes.get(name, Cause(0, one.reason))
        causes[name] = Cause(before.payments + 1, before.example)
    return causes


def _beyond_first(counts: Counter[str]) -> int:
    return sum(count - 1 for count in counts.values())


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for currency, minor in pairs:
        sums[currency] += minor
    return dict(sorted(sums.items()))
