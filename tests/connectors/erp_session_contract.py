"""How a transport of the port `ERP` must keep its session."""

from __future__ import annotations

import asyncio

import pytest

from integration.errors import (
    Misconfigured,
    SessionLost,
    Throttled,
)
from tests.connectors.erp_site import (
    Site,
    payment,
)


class KeepsItsSession:
    """One operator, one session, given back."""

    async def test_a_session_killed_mid_way_is_renewed_and_the_call_sent_again(self, site: Site) -> None:
        erp = site.erp()
        await erp.profile()
        site.fault("session-killed")
        await erp.post(payment(), "p")
        assert len(site.books("ar_payments")) == 1
        assert site.evictions == 0

    async def test_a_second_logon_of_the_operator_is_survived(self, site: Site) -> None:
        first, second = site.erp(), site.erp()
        for erp in (first, second, first):
            assert await erp.customer("1") is not None
        assert await second.find([payment()]) == {}

    async def test_a_session_that_keeps_being_ended_is_reported_and_nothing_posts(self, site: Site) -> None:
        site.fault("session-killed", times=2)
        with pytest.raises(SessionLost):
            await site.erp().post(payment(), "p")
        assert site.evictions == 1
        assert site.books("ar_payments") == []

    async def test_calls_at_once_share_a_session_and_its_renewal(self, site: Site) -> None:
        erp = site.erp()
        await erp.profile()
        for session in site.sandbox.sessions.active():
            site.sandbox.sessions.logoff(session.token)
        many = [payment(f"P{n}", 100, f"WEB-{n}") for n in range(12)]
        await asyncio.gather(*(erp.post(each, each.reference) for each in many))
        assert len(site.books("ar_payments")) == 12
        assert site.sandbox.sessions.evictions == 0

    async def test_closing_gives_the_seat_back_and_may_be_done_twice(self, site: Site) -> None:
        erp = site.erp()
        await erp.profile()
        assert len(site.sandbox.sessions.active()) == 1
        await erp.close()
        await erp.close()
        assert site.sandbox.sessions.active() == []

    async def test_closing_never_raises(self, site: Site) -> None:
        erp = site.erp()
        await erp.profile()
        site.fault("drop", writes_only=False)
        await erp.close()

    async def test_a_wrong_password_is_a_misconfiguration(self, site: Site) -> None:
        with pytest.raises(Misconfigured) as caught:
            await site.erp(operator_password="wrong-horse").profile()
        assert caught.value.error_code == "syspro.invalid-credentials"
        assert "wrong-horse" not in f"{caught.value} {caught.value.evidence}"

    async def test_full_licence_seats_are_waited_for(self, site: Site) -> None:
        site.sandbox.config.settings.seats = 0
        with pytest.raises(Throttled):
            await site.erp().post(payment(), "p")
