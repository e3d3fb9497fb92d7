"""One building for the run, and an office in it per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.office import Building, Office, building, office
from tests.databases import create_database, drop_database


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all: the served service lives in it."""
    return "asyncio"


@pytest.fixture(scope="session")
async def shared(
    anyio_backend: str, database_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Building]:
    """The served service with its database."""
    url = create_database(database_server)
    async with building(url, tmp_path_factory.mktemp("service")) as made:
        yield made
    drop_database(url)


@pytest.fixture
async def desk(shared: Building) -> AsyncIterator[Office]:
    """Two pairs, north and south, served over HTTP, with a key for every role."""
    async with office(shared) as made:
        yield made
