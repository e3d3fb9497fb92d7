"""`doctor`: whatever is broken lights one lamp, its own; what cannot be asked for it is not checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from integration import http
from integration.sandbox.syspro.sessions import LogonRefused
from service.cli.lights import company, network, opayo, shop, syspro
from service.cli.lights.board import Light
from service.cli.lights.examination import DATABASE, PAIRS, PUBLIC_URL, SETTINGS
from service.flow.evictions import Evictions, subject_of
from tests.api.doctor_faults import EVERY_FAULT
from tests.api.office import Office
from tests.api.test_commands import run
from tests.api.ward import PATHS, ward
from tests.connectors.tls import Authority, authority, behind_tls
from tests.contracts.handbook import DOCS

TRANSPORTS = ("harmony", "enet")


def all_red(lights: dict[str, Light]) -> list[str]:
    return [name for name, light in lights.items() if light.red]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_light_is_green_where_everything_is_right(desk: Office, transport: str) -> None:
    found = await (await ward(desk, transport)).lights()

    assert [light for light in found.values() if not light.green] == []
    assert len(found) >= 15
    assert found[syspro.COMPANY].found == "company EDU1, GBP"
    seats = {"harmony": "1 logged on at once", "enet": "1 logged on at once; 1 of 20 seats are taken"}
    assert found[syspro.SEATS].found == seats[transport]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("fault", EVERY_FAULT)
async def test_a_fault_lights_its_own_lamp_and_no_other(desk: Office, transport: str, fault: str) -> None:
    arrange, lamp = EVERY_FAULT[fault]
    patient = await ward(desk, transport)
    arrange(patient)

    found = await patient.lights()

    assert all_red(found) == [lamp]
    assert found[lamp].advice
    dark = [light for light in found.values() if light.state == "not checked"]
    assert all(light.found for light in dark)
    # A session whose token was garbled on the way cannot be given back.
    assert desk.site.syspro.sessions.active() == [] or fault == "garbled answers"


# --- certificates ---------------------------------------------------------------------------------


@pytest.fixture
def signer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that this machine trusts."""
    made = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.trusted))
    http._certificates.cache_clear()
    yield made
    http._certificates.cache_clear()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("days", "red"), [(60, []), (9, [syspro.TLS])])
async def test_a_certificate_is_green_until_it_is_about_to_expire(
    desk: Office, signer: Authority, transport: str, days: int, red: list[str]
) -> None:
    patient = await ward(desk, transport)
    port = int(desk.site.urls["syspro"].rpartition(":")[2])
    async with behind_tls(port, signer.server(days)) as secure:
        patient.change("syspro", base_url=secure + PATHS[transport])
        found = await patient.lights()

    assert all_red(found) == red
    assert "certificate" in found[syspro.TLS].found
    assert found[company.STOCK].green


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_certificate_that_nobody_trusts_lights_the_lamp_of_tls(
    desk: Office, tmp_path: Path, transport: str
) -> None:
    patient = await ward(desk, transport)
    port = int(desk.site.urls["syspro"].rpartition(":")[2])
    async with behind_tls(port, authority(tmp_path).server(60)) as secure:
        patient.change("syspro", base_url=secure + PATHS[transport])
        found = await patient.lights()

    assert all_red(found) == [syspro.TLS]
    assert found[syspro.CONNECTION].state == "not checked"


# --- who else works as our operators --------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_operator_thrown_out_at_work_is_told_until_somebody_says_that_it_is_mended(
    desk: Office, transport: str
) -> None:
    evictions = Evictions()
    for _ in range(3):
        evictions.note("north", "OPAYO1")
    await evictions.report(desk.site.engine)
    patient = await ward(desk, transport)

    (alert,) = (await desk.get("alerts"))["items"]
    assert (alert["code"], alert["subject"], alert["times"]) == (Evictions.code, subject_of("OPAYO1"), 3)
    assert "3 times" in alert["title"]
    found = await patient.lights()
    assert all_red(found) == [syspro.CLASH]
    assert "OPAYO1" in found[syspro.CLASH].advice
    await desk.post(f"alerts/{alert['alert_id']}/acknowledge")
    assert all_red(await patient.lights()) == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_running_service_is_not_taken_for_a_stranger(desk: Office, transport: str) -> None:
    patient = await ward(desk, transport)
    patient.syspro.config.settings.rivals = ["OPAYO1"]
    async with desk.site.engine.begin() as connection:
        worker = await connection.scalar(
            text("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        )
    try:
        found = await patient.lights()
    finally:
        async with desk.site.engine.begin() as connection:
            await connection.execute(text("DELETE FROM procrastinate_workers WHERE id = :id"), {"id": worker})

    assert all_red(found) == []
    assert found[syspro.CLASH].state == "not checked"
    assert "Pause the lanes" in found[syspro.CLASH].advice


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nobody_is_thrown_out_when_the_doctor_may_not_log_on(desk: Office, transport: str) -> None:
    patient = await ward(desk, transport)
    patient.log_on = False
    sessions = patient.syspro.sessions
    assert not isinstance(sessions.logon("OPAYO1", "sandbox-1", "EDU1", ""), LogonRefused)

    found = await patient.lights()

    assert (len(sessions.active()), sessions.evictions) == (1, 0)
    assert all_red(found) == []
    assert found[syspro.CONNECTION].green
    assert found[syspro.logon("OPAYO1")].found == "nobody was logged on, as was asked"


# --- the command ----------------------------------------------------------------------------------


async def test_the_exit_code_says_whether_a_light_is_red(desk: Office) -> None:
    async with (await ward(desk, "enet")).saved():
        code, out, errors = await run(desk, "doctor", "--json", "--pair", "north")
        desk.site.syspro.config.settings.closed_periods = ["C"]
        red_code, table, red_errors = await run(desk, "doctor", "--pair", "north")

    lights = msgspec.json.decode(out, type=list[Light])
    assert (code, [light.name for light in lights if light.red]) == (0, []), errors
    assert [light.name for light in lights if light.state == "not checked"] == [PUBLIC_URL]
    assert red_code == 1, red_errors
    assert table.splitlines()[-1].endswith("lights is red, 1 not checked"), table


def test_every_light_is_explained_in_the_handbook() -> None:
    page = (DOCS / "doctor.md").read_text("utf-8")
    systems = (network.names(system) for system in ("Opayo", "SYSPRO", "shop"))
    named = {name.split(" ", 1)[1] for three in systems for name in three}
    named |= {DATABASE, PAIRS, SETTINGS, PUBLIC_URL, opayo.PI, opayo.REPORTING, opayo.ADDRESS, opayo.SECRET}
    named |= {
        "SYSPRO logon …",
        syspro.COMPANY,
        syspro.SEATS,
        syspro.CLASH,
        *company.NAMES,
        shop.SHOP,
        shop.SECRET,
    }
    assert {name for name in named if f"| `{name}` |" not in page} == set()
