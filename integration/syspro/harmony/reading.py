"""Reading: what changes nothing is asked again at once when its answer was lost, a few times.

A batch's look-up takes many reads; were each lost answer to fail the whole, a bad hour would stop the road.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from integration.errors import Throttled, Transient
from integration.http import Answer, Call
from integration.syspro.config import SysproConfig
from integration.syspro.harmony.session import HarmonySession

T = TypeVar("T")


class Reader:
    """Makes reads in one operator's session."""

    def __init__(self, config: SysproConfig, session: HarmonySession) -> None:
        self._pauses = config.read_again_after
        self._session = session

    async def fetch(self, call: Call, parse: Callable[[Answer], T]) -> T:
        """The parsed answer to a read.

        Raises:
            Transient: the last try failed too, or SYSPRO named the time to wait.
            IntegrationError: what `parse` makes of an answer that says no.
        """
        for pause in self._pauses:
            try:
                return parse(await self._session.send(call))
            except Transient as error:
                if isinstance(error, Throttled) and error.retry_after is not None:
                    raise
                await asyncio.sleep(pause)
        return parse(await self._session.send(call))
