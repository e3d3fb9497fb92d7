"""The acquirer of any sequence: it disputes payments among everything else that happens to them, and tells us by notices.

What is *held* depends on the order in which things are told: of a refund and a chargeback that together are more than
was taken, whichever we hear of second waits for a person. What does not depend on it, and is compared: that no more is
posted by itself than was taken, and that posted and held together come to the same ledger, to the penny.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import msgspec

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from service.core.own_messages import chargeback_code, chargeback_id, own_id
from service.store.inbox import Delivery, store
from tests.flow.site import Site

Op = tuple[str, str, str, int]  # what, of which code, under which new code or reference, minor units
_DAY = date(2025, 6, 2)
_FEES = {"first_chargeback": 1_500, "second_chargeback": 700, "accepted": 300}
_TAKING = ("first_chargeback", "second_chargeback", "accepted")
_STAGES = ("first_chargeback", "representment", "second_chargeback", "reversed", "accepted")


def disputed(ops: Sequence[Op], seed: int) -> list[Op]:
    """The operations with some cases among them; each case's stages stand in the acquirer's order."""
    chance = Random(f"disputes {seed}")
    found = list(ops)
    made = [new for what, _, new, _ in ops if what in ("pay", "hold", "repeat")]
    for number in range(chance.randrange(2, 5)):
        stages = _stages(chance)
        # Mostly of the first payments, which are refunded as well.
        about = chance.choice([*made[:3], *made])
        born = next(place for place, op in enumerate(found) if op[2] == about)
        places = sorted(chance.randrange(born + 1, len(found) + 1) for _ in stages)
        for shift, (place, (stage, minor)) in enumerate(zip(places, stages, strict=True)):
            found.insert(place + shift, (stage, about, f"CB-{number}", minor))
    return found


def _stages(chance: Random) -> list[tuple[str, int]]:
    """How a case goes, and what each stage says is disputed; some are open at the end, some come back in part."""
    minor = chance.choice([1_000, 2_500, 4_000, 5_000])
    stages = [("first_chargeback", minor)]
    if chance.random() < 0.5:
        stages.append(("representment", minor))
        if chance.random() < 0.4:
            minor += chance.choice([0, 500])
            stages.append(("second_chargeback", minor))
    ending = chance.choice(["", "reversed", "accepted", "part"])
    if ending == "part":
        stages.append(("reversed", minor // 2))
    elif ending:
        stages.append((ending, minor))
    return stages


@dataclass(frozen=True)
class Standing:
    """Where the disputed money lies by the acquirer's own books, in pence."""

    suspense: int = 0
    loss: int = 0
    fees: int = 0

    @property
    def taken(self) -> int:
        """What the acquirer has of ours, fees left out."""
        return self.suspense + self.loss

    def and_of(self, other: Standing) -> Standing:
        return Standing(self.suspense + other.suspense, self.loss + other.loss, self.fees + other.fees)


@dataclass
class Acquirer:
    """Disputes what Opayo captured, and remembers every notice by its vendor transaction code."""

    site: Site
    notices: dict[str, ChargebackNotice] = field(default_factory=dict)
    told: int = 0

    async def happens(self, op: Op, transaction_id: str) -> str:
        """A stage of a case comes about; gives the code of its notice.

        Raises:
            KeyError: nothing was captured that could be disputed, or there is no such case.
        """
        stage, about, ref, minor = op
        opened = [each for each in self.notices.values() if each.chargeback_ref == ref]
        if not opened and (stage != "first_chargeback" or not await self._captured(transaction_id)):
            raise KeyError(ref)
        notice = ChargebackNotice(
            chargeback_ref=ref,
            stage=stage,  # type: ignore[arg-type]
            amount=Money(minor, "GBP"),
            fee=Money(_FEES[stage], "GBP") if stage in _FEES and ref != "CB-1" else None,
            # On one day, and days apart.
            received_on=_DAY + timedelta(days=len(opened) // 2),
            acquirer="Elavon",
            reason_code="4837",
            # An acquirer names the payment by either.
            transaction_id="" if ref == "CB-2" else transaction_id,
            vendor_tx_code=about if ref in ("CB-1", "CB-2") else "",
        )
        code = chargeback_code(notice)
        self.notices[code] = notice
        return code

    async def tell(self, code: str) -> None:
        """Put a notice into the inbox, as the row of a file or as a person's entry."""
        notice = self.notices[code]
        self.told += 1
        row = Delivery(
            pair=self.site.pair,
            source="file" if self.told % 2 else "manual",
            event_id=f"{code}/{self.told}",
            kind=f"chargeback.{notice.stage}",
            transaction_id=chargeback_id(notice),
            vendor_tx_code=code,
            body=msgspec.json.encode(notice),
        )
        async with self.site.engine.begin() as connection:
            await store(connection, [row])

    async def _captured(self, transaction_id: str) -> bool:
        rows = await opayo_rows(self.site)
        return any(row["captured"] for row in rows if row["transactionId"] == transaction_id)

    def standing(self) -> Standing:
        """Of all cases together."""
        total = Standing()
        for ref in {each.chargeback_ref for each in self.notices.values()}:
            total = total.and_of(self.of_case(ref))
        return total

    def of_case(self, ref: str) -> Standing:
        """What is disputed is the most that was taken; what is not given back of it is lost in the end."""
        mine = [each for each in self.notices.values() if each.chargeback_ref == ref]
        fees = sum(each.fee.minor for each in mine if each.fee is not None)
        taken = max(each.amount.minor for each in mine if each.stage in _TAKING)
        back = sum(each.amount.minor for each in mine if each.stage == "reversed")
        if back or any(each.stage == "accepted" for each in mine):
            return Standing(loss=max(0, taken - back), fees=fees)
        return Standing(suspense=taken, fees=fees)

    def cases_of(self, transaction_id: str, code: str) -> set[str]:
        """The references of the cases about a payment."""
        return {
            each.chargeback_ref
            for each in self.notices.values()
            if each.transaction_id == transaction_id or each.vendor_tx_code == code
        }

    def taken_of(self, transaction_id: str, code: str) -> int:
        """What the acquirer has of one payment."""
        return sum(self.of_case(ref).taken for ref in self.cases_of(transaction_id, code))

    def most_of(self, transaction_id: str, code: str) -> int:
        """The most that each case about a payment ever took, together."""
        cases = self.cases_of(transaction_id, code)
        mine = [each for each in self.notices.values() if each.stage in _TAKING]
        return sum(max(each.amount.minor for each in mine if each.chargeback_ref == ref) for ref in cases)


def is_stage(op: Op) -> bool:
    """Whether an operation is the acquirer's."""
    return op[0] in _STAGES


async def opayo_rows(site: Site) -> list[dict[str, Any]]:
    """Opayo's own ledger of transactions."""
    rows: list[dict[str, Any]] = (await site.http.get(f"{site.urls['opayo']}/_sandbox/ledger")).json()[
        "transactions"
    ]
    return rows


def cash_reference(transaction_id: str, document: str) -> str:
    """The reference of a document in SYSPRO that was made of a transaction's id."""
    return f"{transaction_id.replace('-', '')[:28]}-{document}"


def reversal_id(transaction_id: str) -> str:
    """The id under which a voided payment goes back."""
    return own_id("void", transaction_id)
