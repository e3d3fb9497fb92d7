"""Sweeps and backfills over the API: what they found, and the switches of a person; and by the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
import msgspec
import pytest

from integration.errors import Rejected
from service.cli.backfill import Wanted, fill, moment
from service.flow import sweep_runs
from service.settings import Settings
from service.store.tables import audit
from service.store.tables_sweeps import sweep_runs as runs
from tests.api.office import Office


async def _an_hour_ago(desk: Office, *codes: str) -> None:
    """Payments of an hour ago that nobody told us of."""
    clock = desk.site.opayo.parts.clock
    clock.set(datetime.now(UTC) - timedelta(hours=1))
    for code in codes:
        await desk.site.pay(code, 1_500)
    clock.set(datetime.now(UTC))


async def _work(desk: Office) -> None:
    await sweep_runs.work(desk.site.stages, "north")


async def test_a_sweep_is_started_and_says_what_only_it_found(desk: Office) -> None:
    await _an_hour_ago(desk, "SO-1", "SO-2")
    begun = await desk.post("sweeps", {"hours": 24, "open_rows": True}, "north operator")
    assert (begun["state"], begun["kind"], begun["windows_done"]) == ("running", "asked", 0)
    again = await desk.call("POST", "sweeps", "north operator", json={})
    assert (again.status_code, again.json()["code"]) == (422, "sweep.under-way")

    await _work(desk)

    done = await desk.get(f"sweeps/{begun['run_id']}", "north viewer")
    assert (done["state"], done["windows_done"], done["covered_to"]) == ("done", 1, done["to_at"])
    assert (done["counts"]["new"], done["counts"]["alone"]) == (2, 2)
    found = await desk.get("sweeps/found", "north viewer")
    assert sorted(row["vendor_tx_code"] for row in found["items"]) == ["SO-1", "SO-2"]
    assert {(row["amount_minor"], row["currency"], row["payment_state"]) for row in found["items"]} == {
        (1_500, "GBP", None)
    }
    first = await desk.get("sweeps/found?limit=1")
    second = await desk.get(f"sweeps/found?limit=1&cursor={first['next_cursor']}")
    assert {first["items"][0]["vendor_tx_code"], second["items"][0]["vendor_tx_code"]} == {"SO-1", "SO-2"}
    assert (await desk.get("sweeps?kind=asked&status=done"))["items"] == [done]
    assert (await desk.get("sweeps?kind=backfill"))["items"] == []
    actions = [row["action"] for row in await desk.rows(audit)]
    assert actions == ["sweep.asked", "sweep.open_rows_asked", "sweep.finished"]


async def test_a_backfill_is_paused_resumed_and_cancelled(desk: Office) -> None:
    body = {"from_at": "2025-01-01T00:00:00Z", "to_at": "2025-03-01T00:00:00+00:00"}
    begun = await desk.post("backfills", body)
    assert (begun["kind"], begun["mode"], begun["dry_run"], begun["windows"]) == (
        "backfill",
        "record",
        False,
        9,
    )
    number = begun["run_id"]

    assert (await desk.post(f"sweeps/{number}/pause"))["state"] == "paused"
    await _work(desk)
    assert (await desk.get(f"sweeps/{number}"))["counts"]["pages"] == 0
    assert (await desk.post(f"sweeps/{number}/resume"))["state"] == "running"
    assert (await desk.post(f"sweeps/{number}/cancel"))["state"] == "cancelled"
    refused = await desk.call("POST", f"sweeps/{number}/resume")
    assert (refused.status_code, refused.json()["code"]) == (422, "sweep.wrong-state")
    assert (await desk.call("POST", f"sweeps/{number + 1}/pause")).status_code == 404
    assert (await desk.call("GET", f"sweeps/{number + 1}")).status_code == 404


async def test_a_backfill_needs_an_admin_and_a_range_that_can_be_listed(desk: Office) -> None:
    body = {"from_at": "2025-01-01T00:00:00Z", "to_at": "2025-03-01T00:00:00Z"}
    assert (await desk.call("POST", "backfills", "north operator", json=body)).status_code == 403
    backwards = await desk.call("POST", "backfills", json={**body, "to_at": "2024-01-01T00:00:00Z"})
    assert (backwards.status_code, backwards.json()["code"]) == (422, "sweep.no-range")
    without_zone = await desk.call("POST", "backfills", json={**body, "to_at": "2025-03-01T00:00:00"})
    assert without_zone.status_code == 400


async def test_no_pair_sees_the_sweeps_of_another(desk: Office) -> None:
    begun = await desk.post("sweeps", {})
    path = f"/api/v1/pairs/south/sweeps/{begun['run_id']}"
    assert (await desk.call("GET", path, "south admin")).status_code == 404
    assert (await desk.get("/api/v1/pairs/south/sweeps", "south admin"))["items"] == []


async def test_the_command_line_fills_a_range_and_says_how_far_it_is(
    desk: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await _an_hour_ago(desk, "SO-1")
    day = datetime.now(UTC) - timedelta(days=2)
    settings = Settings(vault_keys=json.loads(desk.environment["OPAYO_SYSPRO_VAULT_KEYS"]), pace=600)
    wanted = Wanted(pair="north", start=f"{day:%Y-%m-%d}", end="", mode="", resume=None, dry_run=True)
    await fill(settings, desk.environment["DATABASE_URL"], wanted)
    assert "done: 1 of 1 windows, 1 rows, 1 new, 1 would be taken" in capsys.readouterr().out
    run = await fill(
        settings, desk.environment["DATABASE_URL"], msgspec.structs.replace(wanted, dry_run=False)
    )
    assert "1 new, 1 taken" in capsys.readouterr().out
    assert [(row["dry_run"], row["state"]) for row in await desk.rows(runs)] == [
        (True, "done"),
        (False, "done"),
    ]

    again = msgspec.structs.replace(wanted, start="", resume=run.run_id)
    with pytest.raises(Rejected, match="is done and cannot become running"):
        await fill(settings, desk.environment["DATABASE_URL"], again)
    with pytest.raises(click.UsageError, match="no day or moment"):
        await fill(
            settings, desk.environment["DATABASE_URL"], msgspec.structs.replace(wanted, start="someday")
        )


def test_a_day_on_the_command_line_is_one_of_the_united_kingdom() -> None:
    assert moment("2026-07-01") == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert moment("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
