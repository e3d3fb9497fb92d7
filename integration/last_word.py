"""The last word before a request leaves: a caller's question, asked when its first byte is about to be written.

Between a caller's own check and the wire lie waits: for a free connection, for a logon, for a process that was frozen
and woke up. What must not be sent late is asked about here, where nothing lies between the answer and the send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_QUESTION: ContextVar[Callable[[], None] | None] = ContextVar("question", default=None)


@contextmanager
def asked_last(question: Callable[[], None]) -> Iterator[None]:
    """Ask a question before every request that is sent in the block.

    Args:
        question: raises what the sender shall see when nothing may be sent any more.
    """
    token = _QUESTION.set(question)
    try:
        yield
    finally:
        _QUESTION.reset(token)


def ask() -> None:
    """Ask the question of the block we are in, if there is one.

    Raises:
        Exception: whatever the question raises; nothing was sent.
    """
    question = _QUESTION.get()
    if question is not None:
        question()
