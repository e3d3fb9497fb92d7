"""Faults acted on the wire: an ASGI wrapper that delays, drops, garbles and refuses as its plan says.

It also answers ``/_sandbox/faults`` itself, so that every sandbox is controlled alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from integration.sandbox.connection import Message, Send, abort, leave_date_to_us
from integration.sandbox.fault_plan import (
    ALL_FAULTS,
    EVENT_FAULTS,
    PROFILES,
    STORM,
    SYSTEM_FAULTS,
    TRANSPORT_FAULTS,
    FaultMatch,
    FaultOrder,
    FaultPlan,
    FiredFault,
    Scalar,
)

__all__ = [
    "ALL_FAULTS",
    "CONTROL_PREFIX",
    "EVENT_FAULTS",
    "PROFILES",
    "STORM",
    "SYSTEM_FAULTS",
    "TRANSPORT_FAULTS",
    "FaultMatch",
    "FaultOptions",
    "FaultOrder",
    "FaultPlan",
    "FaultyApp",
    "FiredFault",
    "Scalar",
    "sandbox_fault",
]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

CONTROL_PREFIX = "/_sandbox/"


class FaultOptions(msgspec.Struct, frozen=True):
    """How a system words the faults that need words.

    Attributes:
        error_body: body of a 5xx answer.
        error_content_type: its media type.
        exempt: path prefixes that never fault, such as pages meant for a shopper's browser.
    """

    error_body: bytes = b'{"message":"The service is unavailable."}'
    error_content_type: bytes = b"application/json"
    exempt: tuple[str, ...] = ()


class _Rates(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /_sandbox/faults/rates``."""

    seed: int | None = None
    rates: dict[str, float] | None = None
    profile: str | None = None
    slow_seconds: float | None = None


class _Captured:
    """A response kept back instead of sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return next((int(m["status"]) for m in self.messages if m["type"] == "http.response.start"), 500)

    @property
    def content_type(self) -> bytes:
        for message in self.messages:
            for name, value in message.get("headers", ()):
                if name.lower() == b"content-type":
                    return bytes(value)
        return b"application/octet-stream"

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.messages if m["type"] == "http.response.body")


def sandbox_fault(scope: Scope) -> FiredFault | None:
    """Read the system-level fault of a request inside the wrapped application."""
    fault = scope.get("state", {}).get("sandbox_fault")
    return fault if isinstance(fault, FiredFault) else None


class FaultyApp:
    """A pure ASGI wrapper that acts a :class:`FaultPlan` around ``app``.

    Transport faults are acted here, the connection being dropped for real under uvicorn; system faults
    are handed on in ``scope["state"]["sandbox_fault"]``. Paths under ``/_sandbox/`` never fault.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan, options: FaultOptions | None = None) -> None:
        self.app = app
        self.plan = plan
        self.options = options or FaultOptions()
        self._acts: dict[str, Callable[[_Call], Awaitable[None]]] = {
            "drop": self._drop,
            "commit-then-drop": self._commit_then_drop,
            "5xx": self._fail,
            "garbage": self._garble,
            "delay": self._delay,
            "slow": self._slow,
            "clock-skew": self._skew,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.startswith("/_sandbox/faults"):
            await self._control(scope, await _read(receive), send)
            return
        if path.startswith((CONTROL_PREFIX, *self.options.exempt)):
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        call = _Call(self.app, scope, _replay(body, receive), send)
        fault = self.plan.draw(scope["method"], path, body or unquote_to_bytes(scope["query_string"]))
        if fault is None:
            await call.run(send)
            return
        act = self._acts.get(fault.name)
        if act is None:
            scope.setdefault("state", {})["sandbox_fault"] = fault
            await call.run(send)
            return
        call.fault = fault
        await act(call)

    def _seconds(self, call: _Call) -> float:
        seconds = call.fault.parameters.get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else self.plan.slow_seconds

    async def _drop(self, call: _Call) -> None:
        abort(call.send)

    async def _commit_then_drop(self, call: _Call) -> None:
        await call.run(_Captured().send)
        abort(call.send)

    async def _delay(self, call: _Call) -> None:
        await asyncio.sleep(self._seconds(call))
        await call.run(call.send)

    async def _slow(self, call: _Call) -> None:
        captured = _Captured()
        await call.run(captured.send)
        await asyncio.sleep(self._seconds(call))
        for message in captured.messages:
            await call.send(message)

    async def _skew(self, call: _Call) -> None:
        seconds = call.fault.parameters.get("seconds", 3600)
        ahead = time.time() + (seconds if isinstance(seconds, int | float) else 3600)
        date = (b"date", formatdate(ahead, usegmt=True).encode())
        leave_date_to_us(call.send)

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), date]}
            await call.send(message)

        await call.run(send)

    async def _fail(self, call: _Call) -> None:
        if call.fault.parameters.get("committed"):
            await call.run(_Captured().send)
        status = call.fault.parameters.get("status", 503)
        code = status if isinstance(status, int) else 503
        await _answer(call.send, code, self.options.error_body, self.options.error_content_type)

    async def _garble(self, call: _Call) -> None:
        captured = _Captured()
        await call.run(captured.send)
        body = captured.body[: len(captured.body) // 2] + b"\x00<gar"
        await _answer(call.send, captured.status, body, captured.content_type)

    async def _control(self, scope: Scope, body: bytes, send: Send) -> None:
        try:
            status = self._apply(scope["method"], scope["path"].rstrip("/"), body)
        except (ValueError, msgspec.MsgspecError) as error:
            await _answer(send, 422, msgspec.json.encode({"error": str(error)}))
            return
        payload = self._state() if status < 300 else {"error": "No such control."}
        await _answer(send, status, msgspec.json.encode(payload))

    def _apply(self, method: str, path: str, body: bytes) -> int:
        if path == "/_sandbox/faults/rates" and method == "PUT":
            self._set_rates(msgspec.json.decode(body, type=_Rates))
            return 200
        if path != "/_sandbox/faults":
            return 404
        if method == "POST":
            self.plan.order(msgspec.json.decode(body, type=FaultOrder))
            return 201
        if method == "DELETE":
            self.plan.clear()
            return 200
        return 200 if method == "GET" else 405

    def _set_rates(self, wanted: _Rates) -> None:
        if wanted.profile is not None:
            self.plan.set_profile(wanted.profile)
        if wanted.rates is not None:
            self.plan.set_rates(wanted.rates)
        if wanted.seed is not None:
            self.plan.reseed(wanted.seed)
        if wanted.slow_seconds is not None:
            self.plan.slow_seconds = wanted.slow_seconds

    def _state(self) -> dict[str, object]:
        plan = self.plan
        return {
            "seed": plan.seed,
            "rates": plan.rates,
            "slow_seconds": plan.slow_seconds,
            "orders": plan.orders,
            "fired": plan.fired,
            "calls": plan.calls,
            "supports": sorted(plan.supports),
        }


class _Call:
    """One request on its way to the application."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = app
        self.scope = scope
        self.receive = receive
        self.send = send
        self.fault = FiredFault("none")

    async def run(self, send: Send) -> None:
        await self.app(self.scope, self.receive, send)


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return again


async def _answer(send: Send, status: int, body: bytes, content_type: bytes = b"application/json") -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if status == 204 else body})
