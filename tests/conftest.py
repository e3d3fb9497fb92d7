"""Fixtures that every test may ask for."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.databases"]


@pytest.fixture
def anyio_backend() -> str:
    """Everything runs on asyncio, as the service does."""
    return "asyncio"
