"""What only the server's own connection can do: cut it without a word, or leave a header out.

Both of uvicorn's HTTP/1.1 implementations bind ``send`` to a cycle that holds transport and headers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


def leave_date_to_us(send: Send) -> None:
    """Keep uvicorn from putting its own date before ours into this one answer."""
    cycle = getattr(send, "__self__", None)
    headers = getattr(cycle, "default_headers", None)
    if cycle is not None and headers is not None:
        cycle.default_headers = [(name, value) for name, value in headers if name.lower() != b"date"]


def abort(send: Send) -> None:
    """Cut the TCP connection without a word.

    Marking the cycle disconnected keeps uvicorn from answering 500 in our name before the loss is reported.
    """
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if cycle is None or transport is None:
        raise ConnectionResetError("The sandbox dropped the connection.")
    cycle.disconnected = True
    transport.abort()
