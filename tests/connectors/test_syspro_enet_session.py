"""One operator's e.net session: one call at a time, a seat that is given back, and nothing told that is secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from integration.canonical.documents import ArPayment
from integration.errors import IntegrationError, SessionLost
from integration.syspro.enet import EnetErp
from tests.connectors.enet_site import Watch, an_enet_site, at, lost, other
from tests.connectors.erp_site import Site, payment


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with an_enet_site() as served:
        yield served


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watching = Watch()
    watching.on(monkeypatch)
    return watching


async def test_one_call_is_in_flight_whatever_is_asked_at_once(site: Site, watch: Watch) -> None:
    erp = site.erp(in_flight=8)
    wanted: list[ArPayment] = [payment(f"P{n}", 100 + n, f"WEB-{n}") for n in range(8)]
    await asyncio.gather(
        *(erp.post(each, each.reference) for each in wanted), erp.find(wanted), erp.profile()
    )
    assert watch.most == 1
    assert len(site.books("ar_payments")) == 8


def _refused(site: Site) -> None:
    del site


def _session_lost(site: Site) -> None:
    site.fault("session-killed", times=3, writes_only=False)


def _answer_lost(site: Site) -> None:
    lost(site, "commit-then-drop", "/transaction/")


def _answer_cut(site: Site) -> None:
    lost(site, "garbage", "/transaction/")


def _logon_lost(site: Site) -> None:
    lost(site, "commit-then-drop", "/logon", times=3)


def _logon_cut(site: Site) -> None:
    lost(site, "garbage", "/logon")


@pytest.mark.parametrize(
    "trouble", [_refused, _session_lost, _answer_lost, _answer_cut, _logon_lost, _logon_cut]
)
async def test_no_seat_is_left_behind_whatever_went_wrong(
    site: Site, trouble: Callable[[Site], None]
) -> None:
    trouble(site)
    erp = site.erp()
    with pytest.raises(IntegrationError):
        await erp.post(payment(customer="4242"), "k")
    await erp.close()
    assert site.sandbox.sessions.active() == []


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_posting_under_way_does_not_keep_a_closing_services_seat(
    site: Site, cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.syspro.enet.session._TURN_SECONDS", 0.05)
    erp = at(site, use_post_ld="always")
    await erp.profile()
    site.sandbox.config.settings.posting_ms = 60_000
    posting = asyncio.create_task(erp.post(payment(), "k"))
    while not erp.session.busy:
        await asyncio.sleep(0)
    if cancelled:
        posting.cancel()
    await erp.close()
    assert site.sandbox.sessions.active() == []
    await asyncio.gather(posting, return_exceptions=True)
    with pytest.raises(SessionLost):
        await erp.post(payment(), "k")


# --- secrets ----------------------------------------------------------------------------------------


async def test_no_error_evidence_or_log_line_holds_a_secret_or_a_document(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    erp = at(site, use_post_ld="never", credit_number="never")
    await erp.profile()
    tokens = [session.token for session in site.sandbox.sessions.active()]
    said: list[str] = []
    for trouble in (_answer_lost, _answer_cut, _refused, _session_lost):
        trouble(site)
        said += await _complaints(erp, payment(customer="4242" if trouble is _refused else "1"))
    site.sandbox.plan.clear()
    said += await _complaints(other(site, operator_password="wrong-horse"), payment())
    said += await _complaints(other(site, base_url=site.config.base_url + "/Nowhere"), payment())
    said += await _complaints(other(site, base_url="http://127.0.0.1:9"), payment())
    assert len(said) == 7
    assert any("Transaction/Post" in line for line in said), "the calls are named, without their secrets"
    everything = "\n".join([*said, caplog.text])
    for secret in ("sandbox-1", "wrong-horse", *tokens, "PaymentValue", "%3C"):
        assert secret not in everything


async def _complaints(erp: EnetErp, document: ArPayment) -> list[str]:
    try:
        await erp.post(document, "k")
    except IntegrationError as error:
        causes: list[str] = []
        cause: BaseException | None = error
        while cause is not None:
            causes.append(f"{cause!r} {cause}")
            cause = cause.__cause__
        return [f"{error} {error.evidence} {' '.join(causes)}"]
    return []
