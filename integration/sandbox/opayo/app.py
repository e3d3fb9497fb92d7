"""The stand-in as one ASGI application: routing, start and stop, faults around it."""

from __future__ import annotations

import asyncio
from typing import Any

from integration.sandbox.faults import FaultOptions, FaultPlan, FaultyApp
from integration.sandbox.opayo import acs, hosted_page, reporting
from integration.sandbox.opayo.classic_fields import ClassicError
from integration.sandbox.opayo.classic_ops import PREFIX as CLASSIC_PREFIX
from integration.sandbox.opayo.clock import SandboxClock
from integration.sandbox.opayo.config import OpayoSandboxConfig
from integration.sandbox.opayo.control import PREFIX as CONTROL_PREFIX
from integration.sandbox.opayo.control import Control
from integration.sandbox.opayo.parts import Parts
from integration.sandbox.opayo.pi import PREFIX as PI_PREFIX
from integration.sandbox.opayo.wire import TEXT, Request, Response, json_reply, read_request

_ERROR = b'{"description":"An internal error has occurred","code":9999}'
_READ_POSTS = (reporting.PATH, "/api/v1/merchant-session-keys", "/api/v1/card-identifiers")


def opayo_writes(method: str, path: str, body: bytes) -> bool:
    """Take POSTs and DELETEs for writes, but for those that move no money: sessions, cards, Reporting."""
    return method in {"POST", "DELETE"} and not path.startswith(_READ_POSTS)


class OpayoSandbox:
    """A stand-in for Opayo.

    Args:
        config: its settings.
        clock: its time; the machine's when absent.

    Attributes:
        config: its settings.
        plan: its faults, for tests in the same process; over HTTP they are at ``/_sandbox/faults``.
        parts: store, clock, faces and senders, for tests in the same process.
        app: the ASGI application, lifespan included, faults around it.
    """

    def __init__(self, config: OpayoSandboxConfig | None = None, clock: SandboxClock | None = None) -> None:
        self.config = config or OpayoSandboxConfig()
        self.plan = FaultPlan(self.config.seed, self.config.supports)
        self.plan.is_write = opayo_writes
        self.parts = Parts(self.config, self.plan, clock)
        self.control = Control(self.parts)
        self._ticker: asyncio.Task[None] | None = None
        options = FaultOptions(error_body=_ERROR, exempt=(hosted_page.PATH, acs.PATH))
        self.app = FaultyApp(self._serve, self.plan, options)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        self._start()
        self.parts.settlement.tick()
        response = await self._answer(await read_request(scope, receive))
        for message in response.messages():
            await send(message)

    async def _answer(self, request: Request) -> Response:
        path = request.path
        if path.startswith(PI_PREFIX):
            return self.parts.pi.answer(request)
        if path == reporting.PATH:
            return self.parts.reporting.answer(request) if request.method == "POST" else _not_allowed()
        if path.startswith(CONTROL_PREFIX):
            return await self.control.answer(request)
        if path.startswith(CLASSIC_PREFIX):
            return await self._classic(request)
        if path == acs.PATH and request.method == "POST":
            return acs.answer_acs(request, self.parts.store)
        return json_reply(404, {"status": 404, "error": "Not Found"})

    async def _classic(self, request: Request) -> Response:
        if request.path == hosted_page.PATH:
            return await hosted_page.answer_page(request, self.parts.server)
        if request.path == f"{CLASSIC_PREFIX}vspserver-register.vsp" and request.method == "POST":
            return self.parts.server.register(request)
        answer = self.parts.classic.answer(request)
        if answer is not None:
            return answer
        if request.method != "POST":
            return Response(405, b"", TEXT)
        return ClassicError("ERROR", "5001", "The service requested does not exist.").reply()

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
                await send({"type": "lifespan.startup.complete"})
                continue
            await self.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return

    def _start(self) -> None:
        if self._ticker is None:
            self.parts.sender.start()
            self._ticker = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Stop the clock's watch and every background send."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
            self._ticker = None
        await self.parts.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.config.tick_seconds)
            self.parts.tick()


def _not_allowed() -> Response:
    return json_reply(405, {"status": 405, "error": "Method Not Allowed"})
