"""2,000 payments over both changes of the clocks, five in a hundred of their messages lost: all found, none twice."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import pytest

from tests.journeys.sweep_site import AUTUMN, SPRING, hours, swept_site
from tests.journeys.test_sweep_story import lost_messages

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


@pytest.mark.parametrize("transport", ["harmony", "enet"])
@pytest.mark.parametrize("naive", [False, True], ids=["first-occurrence", "wall-clock"])
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["autumn", "spring"])
async def test_the_sweeper_finds_every_payment_whose_message_was_lost(
    database_url: str, change: datetime, naive: bool, transport: Literal["harmony", "enet"]
) -> None:
    async with swept_site(database_url, change - hours(61), transport=transport, shop=True) as made:
        made.quirks(naive_list_times=naive)
        await lost_messages(made, change, 1_000, f"{change}{naive}{transport}")
