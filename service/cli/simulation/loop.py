"""An event loop whose clock is virtual: it moves only when nothing is left to do. It watches no sockets."""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

from service.cli.simulation.process import PROCESS, Process, Step

START = 10_000.0

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(Exception):
    """Nothing is due, nothing is under way, and yet somebody waits."""


class Clock(selectors.BaseSelector):
    """A selector that watches nothing, and moves the clock to the next moment at which something is due."""

    def __init__(self, moved: Callable[[float], None]) -> None:
        self.now = START
        self._moved = moved
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Know a socket: the loop's own is the only one."""
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, int(fileobj), events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget a socket."""
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """The sockets that are known."""
        return self._keys

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """What is known of a socket."""
        return self._keys[fileobj]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let time pass until something is due.

        Raises:
            Stuck: nothing ever will be.
        """
        if timeout is None:
            raise Stuck(
                "nothing is due, and nothing under way: somebody waits for a lock that is never given back"
            )
        if timeout > 0:
            self.now += timeout
            self._moved(self.now)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of a simulation. Steps of a process that is frozen are kept until it thaws."""

    def __init__(self, moved: Callable[[float], None]) -> None:
        self._calendar = Clock(moved)
        super().__init__(self._calendar)
        self.set_task_factory(cast(Any, _of_its_process))

    def time(self) -> float:
        """Virtual seconds."""
        return self._calendar.now

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As asyncio's, under the eyes of the process it belongs to."""
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=context)
        mine = contextvars.copy_context() if context is None else context
        return super().call_soon(self._step, process, (callback, args, mine), context=mine)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's, under the eyes of the process it belongs to."""
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=context)
        mine = contextvars.copy_context() if context is None else context
        return super().call_at(when, self._step, process, (callback, args, mine), context=mine)

    def _step(self, process: Process, step: Step) -> None:
        if process.may_step(step):
            callback, args, _ = step
            callback(*args)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Runs at once: a thread would have a time of its own."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            future.set_exception(error)
        return future


def _of_its_process(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    context: contextvars.Context | None = None,
) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, context=context)
    process = PROCESS.get() if context is None else context.get(PROCESS)
    if process is not None:
        process.tasks[task] = None
        task.add_done_callback(process.forget)
    return task
