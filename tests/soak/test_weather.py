"""What a machine does to us: the database stops and comes back, its disk is full, the clock jumps."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.core.invariants import differences
from tests.soak.evidence import assert_kept, books
from tests.soak.load import Trade, redeliver, rough_trade
from tests.soak.street import Plan, Street, report, street

PAYMENTS = int(os.environ.get("SOAK_PAYMENTS", "2000"))
# The published chaos test of others stops its database every 5 to 40 s; here the same number of stops takes minutes.
EVERY = tuple(float(each) for each in os.environ.get("SOAK_EVERY", "2,8").split(","))
DISK_MB = 160
RATE = float(os.environ.get("SOAK_RATE", "8"))


Weather = Callable[[Street, Trade], dict[str, object]]


def _walk(folder: Path, name: str, plan: Plan, weather: Weather, most: int = PAYMENTS) -> None:
    with street(folder, plan) as site:
        with rough_trade(site, min(most, PAYMENTS), RATE, 23) as trade:
            told = weather(site, trade)
            trade.join()
        rested = site.until_rest(patience=600)
        _, figures = assert_kept(site)
        report(name, sold=trade.sold, rest_s=round(rested, 1), **told, **figures)
        assert trade.sold == len(trade.sales)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_database_that_stops_every_few_seconds_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(29)

    def weather(site: Street, trade: Trade) -> dict[str, object]:
        away: list[float] = []
        while not trade.over:
            time.sleep(chance.uniform(*EVERY))
            site.signal_database(chance.choice([signal.SIGINT, signal.SIGQUIT]))
            away.append(chance.uniform(0, 2))
            time.sleep(away[-1])
            site.start_database()
        return {"stops": len(away), "away_s": round(sum(away), 1), "every_s": EVERY}

    _walk(tmp_path, "database stopped", Plan(workers=1), weather)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_clock_that_jumps_an_hour_forwards_and_back_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("0")
    jumps = (3600, 0, -3600, 0, 300, -300, 0)

    def weather(site: Street, trade: Trade) -> dict[str, object]:
        for offset in jumps:
            time.sleep(6)
            (tmp_path / "clock.new").write_text(str(offset))
            (tmp_path / "clock.new").rename(tmp_path / "clock")
        return {"jumps_s": jumps}

    _walk(tmp_path, "clock jumps", Plan(workers=1, patched=True), weather)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder whose part for the service is a RAM disk of its own, reachable for the database's account."""
    folder = Path(tempfile.mkdtemp(prefix="opayo-disk-"))
    folder.chmod(0o711)
    disk = folder / "service"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=711", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("only root may mount a disk to fill")
    yield folder
    subprocess.run(["umount", str(disk)], check=True)
    shutil.rmtree(folder)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_full_disk_stops_everything_and_loses_nothing(small_disk: Path) -> None:
    def weather(site: Street, trade: Trade) -> dict[str, object]:
        time.sleep(8)
        filled = _fill(small_disk / "service/ballast")
        time.sleep(20)
        stood = site.running_database()
        (small_disk / "service/ballast").unlink()
        if not site.running_database():
            site.start_database()
        return {"disk_mb": DISK_MB, "ballast_mb": filled, "database_stood": stood}

    _walk(small_disk, "disk full", Plan(workers=1), weather, most=400)
    log = (small_disk / "service/postgresql.log").read_text()
    assert "No space left on device" in log


def _fill(path: Path) -> int:
    """Write until nothing more fits; megabytes."""
    size = 0
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            size += file.write(b"\0" * 65_536)
    return size // 2**20


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_whole_inbox_into_an_empty_database_posts_nothing_and_ends_alike(tmp_path: Path) -> None:
    payments = min(PAYMENTS, 300)
    with street(tmp_path, Plan(workers=1)) as site:
        with rough_trade(site, payments, RATE, 31) as trade:
            trade.join()
        site.until_rest()
        before, _ = assert_kept(site)
        events = site.rows("SELECT transaction_id, vendor_tx_code FROM payments ORDER BY payment_id")
        _forget(site)
        for transaction_id, code in events:
            redeliver(site, transaction_id, code)
        site.until_rest(patience=600)
        _, figures = assert_kept(site)
        changed = differences(before, books(site))
        report("replay into an empty database", replayed=len(events), changed=len(changed), **figures)
    assert not changed, "\n".join(f"{each.name}: {each.evidence}" for each in changed[:20])


def _forget(site: Street) -> None:
    """Empty the database of everything that came of messages; settings, keys, flows and lanes stay."""
    for name in [*site.workers, "serve"]:
        site.kill(name)
    with psycopg.connect(site.database, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE inbox, payments, postings, dead_letters, alerts, audit, screening_events, procrastinate_jobs"
            " RESTART IDENTITY CASCADE"
        )
    for name in ["serve", *site.workers]:
        site.start(name)
        site.ready(name)
