"""A site per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.flow.site import Site, site


@pytest.fixture
async def north(database_url: str) -> AsyncIterator[Site]:
    """A pair called `north`, its stand-ins and its database."""
    async with site(database_url) as made:
        yield made
