"""An office per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.office import Office, office


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """Two pairs, north and south, served over HTTP, with a key for every role."""
    async with office(database_url, tmp_path) as made:
        yield made
