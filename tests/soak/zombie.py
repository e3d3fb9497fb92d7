"""A worker that is stopped at its k-th boundary, as a machine that freezes is, and woken when another did its work."""

from __future__ import annotations

import asyncio
import os
import signal

import structlog

from service.flow import post
from tests.journeys.crash import BOUNDARIES_PASSED, PACE, Boundaries, _work

# A process may send what it announced for half of the time for which a successor looks: also at this pace.
_ANNOUNCED = post._ANNOUNCED_SECONDS / PACE**0.5


class _Freezing(Boundaries):
    def cross(self) -> None:
        self._passed += 1
        if self._passed == self._die_at:
            os.kill(os.getpid(), signal.SIGSTOP)


def freeze_at(url: str, keys: list[str], pair: str, boundary: int) -> int:
    """Work the pair's lanes in a forked child that stops itself; its pid once it stands still, 0 when it never did."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # That its transaction is gone is what it finds, and no news.
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
            post._ANNOUNCED_SECONDS = _ANNOUNCED
            asyncio.run(_work(url, keys, pair, _Freezing(boundary), 40))
            code = BOUNDARIES_PASSED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return child
    assert os.WEXITSTATUS(status) == BOUNDARIES_PASSED
    return 0


def wake(child: int) -> None:
    """Let it go on, and wait for its end."""
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    assert os.WEXITSTATUS(status) == BOUNDARIES_PASSED, "the sleeper failed when it woke up"
