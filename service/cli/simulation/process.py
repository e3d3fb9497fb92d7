"""A process of the simulation: tasks, a database pool and sessions that live and die together."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from service.cli.simulation.network import App
    from service.flow.stages import Stages

PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("simulated_process", default=None)

Step = tuple[Callable[..., object], tuple[Any, ...], contextvars.Context]


@dataclass(eq=False)
class Process:
    """One worker and API process.

    Attributes:
        skew: seconds by which its clock is ahead.
        frozen: it takes no step; what should have happened meanwhile is in `kept`.
        doom: what is to happen instead of one of its next steps, and after how many.
    """

    name: str
    skew: float = 0.0
    alive: bool = True
    frozen: bool = False
    doom: Callable[[], None] | None = None
    doom_in: int = 0
    tasks: dict[asyncio.Task[Any], None] = field(default_factory=dict)
    kept: list[Step] = field(default_factory=list)
    engine: AsyncEngine = field(init=False)
    stages: Stages = field(init=False)
    app: App = field(init=False)

    def may_step(self, step: Step) -> bool:
        """Whether a step may be taken now; it is kept for later when the process is frozen."""
        if self.doom is not None and not self.frozen:
            self.doom_in -= 1
            if self.doom_in <= 0:
                act, self.doom = self.doom, None
                act()
        if self.frozen:
            self.kept.append(step)
            return False
        return True

    def freeze(self) -> None:
        """Stop, as a machine does that is out of breath; the process does not notice."""
        self.frozen = True

    def thaw(self, loop: asyncio.AbstractEventLoop) -> None:
        """Go on where it stopped, with everything that came meanwhile."""
        self.frozen = False
        steps, self.kept = self.kept, []
        for callback, args, context in steps:
            loop.call_soon(callback, *args, context=context)

    def forget(self, task: asyncio.Task[Any]) -> None:
        """A task ended."""
        self.tasks.pop(task, None)

    def inside(self) -> contextvars.Context:
        """A context in which whatever runs belongs to this process."""
        context = contextvars.copy_context()
        context.run(PROCESS.set, self)
        return context

    def end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take no step any more but those that clear up, cut off from everything outside."""
        self.alive, self.doom = False, None
        self.thaw(loop)
        for task in list(self.tasks):
            task.cancel()
