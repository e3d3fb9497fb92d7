"""Every due charge is taken exactly once or is in dunning with its reason, whoever is killed and whatever fails."""

from __future__ import annotations

import os
import sys

import pytest

from service.store.vault import new_key
from tests.journeys.stand_ins import stand_ins
from tests.journeys.subscription_year import Year

FAULTS = {"commit-then-drop": 0.02, "5xx": 0.02, "drop": 0.01, "garbage": 0.01}
SEED = int(os.environ.get("SOAK_SEED", "7"))


def test_a_quarter_with_kills_and_faults_takes_every_charge_once(database_url: str) -> None:
    with stand_ins() as sandbox:
        year = Year(
            url=database_url,
            keys=[new_key()],
            sandbox=sandbox,
            seed=3,
            subscriptions=5,
            months=3,
            kills=2,
            rates=FAULTS,
        )
        year.begin()
        year.live()
        states = year.reckon()
    assert year.killed == 2
    assert states["taken"] >= 10, states


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_year_of_a_hundred_subscriptions_with_twenty_kills(database_url: str) -> None:
    with stand_ins() as sandbox:
        year = Year(
            url=database_url,
            keys=[new_key()],
            sandbox=sandbox,
            seed=SEED,
            subscriptions=100,
            months=12,
            kills=20,
            rates=FAULTS,
        )
        year.begin()
        year.live()
        states = year.reckon()
    sys.stdout.write(f"{dict(states)} after {year.killed} kills on {year.days} days\n")
    assert year.killed == 20
    assert states["taken"] > 1_000, states
