"""A read that got no usable answer is made once more at once; longer waits belong to the road."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from integration.errors import Unreachable

T = TypeVar("T")

_PAUSE = 0.05


async def patiently(read: Callable[[], Awaitable[T]]) -> T:
    """Make a read, and after `Unreachable` make it again; never for a write.

    Raises:
        Unreachable: both attempts failed.
    """
    try:
        return await read()
    except Unreachable:
        await asyncio.sleep(_PAUSE)
        return await read()
