"""What was read lately and seldom changes: customers, stock items, rates. A quarter of an hour, per process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_SECONDS = 15 * 60
_MOST = 20_000


class Memo:
    """Remembers answers that were found; what was not found is asked again, since a person may be adding it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, seconds: float = _SECONDS) -> None:
        self._monotonic = monotonic
        self._seconds = seconds
        self._kept: dict[tuple[str, str], tuple[float, object]] = {}
        self._asking: dict[tuple[str, str], asyncio.Future[object]] = {}

    async def get(self, kind: str, key: str, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        """The remembered answer, else the one that `ask` gives; one question at a time per key."""
        place = (kind, key)
        kept = self._kept.get(place)
        if kept is not None and kept[0] > self._monotonic():
            return kept[1]  # type: ignore[return-value]
        if place in self._asking:
            return await asyncio.shield(self._asking[place])  # type: ignore[arg-type]
        asking = asyncio.ensure_future(ask())
        self._asking[place] = asking  # type: ignore[assignment]
        try:
            answer = await asyncio.shield(asking)
        finally:
            del self._asking[place]
        if answer is not None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[place] = (self._monotonic() + self._seconds, answer)
        return answer

    def forget(self) -> None:
        """Drop everything: a person asked for a replay, so what was known may be what was wrong."""
        self._kept.clear()
