"""A whole site under a seed, with everything going wrong that can: no promise is broken, and a seed repeats itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

import psycopg
import pytest

from service.cli.simulate import replay, report
from service.cli.simulation import database
from service.cli.simulation.run import Options, simulate
from service.flow import post
from service.flow.stage import Stage
from service.flow.trip import Trip
from tests.databases import PREFIX

SEEDS = 20
EVENTS = 100


@pytest.fixture(scope="module")
def simulated_url(database_server: str, worker_id: str) -> Iterator[str]:
    """A database of this process's own, with the simulation's clock in it."""
    name = f"{PREFIX}_simulation_{worker_id}_{secrets.token_hex(4)}"
    yield database.create(database_server, name)
    with psycopg.connect(database_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(url: str, options: Options) -> str:
    outcome = simulate(url, options)
    assert not outcome.broken, "\n".join(report(outcome))
    return outcome.digest


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_a_seed_breaks_no_promise(simulated_url: str, seed: int) -> None:
    transport = "enet" if seed % 5 == 0 else "harmony"
    run(simulated_url, Options(seed=seed, events=EVENTS, transport=transport))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 301))
def test_a_long_seed_breaks_no_promise(simulated_url: str, seed: int) -> None:
    transport = "enet" if seed % 3 == 0 else "harmony"
    run(simulated_url, Options(seed=seed, events=300, transport=transport))


def test_the_same_seed_gives_the_same_trace(simulated_url: str) -> None:
    options = Options(seed=11, events=40)
    first, second = simulate(simulated_url, options), simulate(simulated_url, options)
    different = [pair for pair in zip(first.trace, second.trace, strict=False) if pair[0] != pair[1]]
    assert different[:1] == []
    assert first.digest == second.digest
    assert first.digest != simulate(simulated_url, Options(seed=12, events=40)).digest


def test_it_notices_a_road_that_does_not_look(simulated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_away(trips: Sequence[Trip], stage: Stage) -> None:
        """The second step of posting, left out."""

    monkeypatch.setattr(post, "look", look_away)
    names = {
        each.name for seed in (3, 4) for each in simulate(simulated_url, Options(seed=seed, events=60)).broken
    }
    assert "I1" in names


def test_a_broken_seed_says_how_to_replay_it() -> None:
    assert replay(Options(seed=7, events=300, transport="enet")) == (
        "opayo-syspro simulate --seed 7 --events 300 --transport enet"
    )
