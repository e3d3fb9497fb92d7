"""kill -9 of serve, worker and database under load: nothing is lost, nothing is doubled, and the road goes on."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.soak.evidence import assert_kept
from tests.soak.load import Trade, redeliver, rough_trade
from tests.soak.street import Plan, Street, report, street

KILLS = int(os.environ.get("SOAK_KILLS", "300"))
SEED = int(os.environ.get("SOAK_SEED", "7"))


@dataclass
class Range:
    """A shooting range: one victim after the other, each restarted at once."""

    street: Street
    trade: Trade
    chance: random.Random
    shots: dict[str, int] = field(default_factory=dict)
    taken: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)
    outages: int = 0

    def shoot(self, victims: Sequence[str]) -> None:
        """Kill one after the other, at moments of the seed's choosing."""
        for number, victim in enumerate(victims):
            time.sleep(self.chance.uniform(0.05, 1.5))
            if number % 25 == 12:
                self._stop_syspro(self.chance.uniform(2, 6))
            self._one(victim)

    def _stop_syspro(self, seconds: float) -> None:
        self.outages += 1
        self.street.faults("syspro", {"drop": 1.0})
        time.sleep(seconds)
        self.street.faults("syspro", {"commit-then-drop": 0.03, "5xx": 0.03, "drop": 0.02})

    def _one(self, victim: str) -> None:
        transaction_id, code = self._known()
        if victim == "database":
            sign = self.chance.choice([signal.SIGKILL, signal.SIGQUIT])
            self.street.signal_database(sign)
            started = time.monotonic()
            self.street.start_database()
        else:
            self.street.kill(victim)
            started = time.monotonic()
            self.street.start(victim)
        before = self._audit()
        self.shots[victim] = self.shots.get(victim, 0) + 1
        if victim in ("serve", "database"):
            self.taken.append(redeliver(self.street, transaction_id, code) - started)
        while self._audit() == before and time.monotonic() - started < 60 and not self.trade.over:
            time.sleep(0.02)
        self.moved.append(time.monotonic() - started)

    def _known(self) -> tuple[str, str]:
        rows = self.street.rows("SELECT transaction_id, vendor_tx_code FROM payments ORDER BY 1 LIMIT 1")
        while not rows:
            time.sleep(0.05)
            rows = self.street.rows("SELECT transaction_id, vendor_tx_code FROM payments LIMIT 1")
        return rows[0][0], rows[0][1]

    def _audit(self) -> int:
        newest: int = self.street.rows("SELECT coalesce(max(audit_id), 0) FROM audit")[0][0]
        return newest


def kill_under_load(folder: Path, victims: Sequence[str], plan: Plan) -> None:
    with street(folder, plan) as site:
        with rough_trade(site, 60 * len(victims), 5, SEED) as trade:
            shooting = Range(site, trade, random.Random(SEED))
            shooting.shoot(victims)
        rested = site.until_rest()
        books, figures = assert_kept(site)
        report(
            f"kills, {plan.workers} workers",
            seed=SEED,
            kills=shooting.shots,
            syspro_stopped=shooting.outages,
            sold=trade.sold,
            messages=site.rows("SELECT count(*), sum(deliveries) FROM inbox")[0],
            faults={name: site.fired(name) for name in ("opayo", "syspro", "shop")},
            taken_p50_s=_spread(shooting.taken, 0.5),
            taken_max_s=_spread(shooting.taken, 1),
            moved_p50_s=_spread(shooting.moved, 0.5),
            moved_p95_s=_spread(shooting.moved, 0.95),
            moved_max_s=_spread(shooting.moved, 1),
            rest_s=round(rested, 1),
            **figures,
        )
    assert len(books.payments) >= trade.sold * 0.9


def _spread(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds) or [0.0]
    if share == 0.5:
        return round(statistics.median(ordered), 2)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)


@pytest.mark.xdist_group("processes")
def test_a_few_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    kill_under_load(tmp_path, ["serve", "database", "worker-1"], Plan(workers=1, senders=1500))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("workers", [0, 1])
def test_three_hundred_kills_lose_nothing_and_double_nothing(tmp_path: Path, workers: int) -> None:
    plan = Plan(workers=workers)
    names = ["serve", "database", *(["worker-1"] if workers else [])]
    kill_under_load(tmp_path, random.Random(SEED).choices(names, k=KILLS // 2), plan)
