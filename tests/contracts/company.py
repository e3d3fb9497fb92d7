"""A served SYSPRO company that pairs reach by their settings, with every call of theirs kept."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from integration.canonical.documents import ErpDocument
from integration.errors import IntegrationError
from integration.http import Answer, Call, HttpClient
from integration.ports import ERP
from integration.sandbox.connection import Send
from integration.sandbox.faults import Receive, Scope
from integration.sandbox.syspro import SysproSandbox, SysproSandboxConfig
from integration.sandbox.syspro.config import Settings
from service.app import connect
from service.store.pairs import Operator, PairSettings
from tests.connectors.erp_site import TODAY
from tests.connectors.serving import served
from tests.flow.site import pair_settings

FACES = {"harmony": "/api/harmony/2.0", "enet": "/SYSPROWCFService/Rest"}


class Company:
    """A company and the pairs that were joined to it.

    Attributes:
        calls: every call that they made.
        most_writes: the most writes that were under way at once.
        longest: bytes of a query that its host takes; `too_long` is the status of a longer one.
    """

    def __init__(self, sandbox: SysproSandbox, calls: list[Call]) -> None:
        self.url = ""
        self.sandbox = sandbox
        self.calls = calls
        self.opened: list[ERP] = []
        self.most_writes = 0
        self.longest = 16_000
        self.too_long = 414
        self._writes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The company's own application, its writes under way counted."""
        writes = "/Transaction/" in scope.get("path", "") or scope.get("method") == "POST"
        self._writes += writes
        self.most_writes = max(self.most_writes, self._writes)
        try:
            if len(scope.get("query_string", b"")) > self.longest:
                await send({"type": "http.response.start", "status": self.too_long, "headers": []})
                await send({"type": "http.response.body", "body": b"Request-URI Too Long"})
            else:
                await self.sandbox.app(scope, receive, send)
        finally:
            self._writes -= writes

    def joined(self, transport: str, enet: Mapping[str, object] | None = None, **settings: Any) -> ERP:
        """The ERP of a pair with these settings, read as the API reads them."""
        document = msgspec.to_builtins(pair_settings("north", self.url, self.url, None))
        quick = {
            "look_again_after": [0.0, 0.01],
            "read_again_after": [0.0],
            "query_seconds": 5.0,
            "post_seconds": 5.0,
        }
        document["syspro"] |= {
            **quick, "base_url": self.url + FACES[transport], "transport": transport, "enet": enet or {}, **settings,
        }  # fmt: skip
        pair = msgspec.convert(document, PairSettings)
        erp = connect(pair).erp(Operator(operator="OPAYO1", password="sandbox-1"))
        self.opened.append(erp)
        return erp

    async def wire(self, erp: ERP, document: ErpDocument) -> str:
        """The text of the calls that a posting made, whatever became of it; empty when there were none."""
        before = len(self.calls)
        with suppress(IntegrationError):
            await erp.post(document, f"key-{len(self.calls)}")
        return "\n".join(text for call in self.calls[before:] for text in _texts(call) if call.write)

    def asked(self, path: str) -> list[Call]:
        """The calls made so far of a path."""
        return [call for call in self.calls if call.path == path]


def values(text: str, element: str) -> set[str]:
    """The values an element was sent with, over either transport."""
    found = re.findall(rf"<{element}>([^<]*)<|\"{element}\":\s*\"([^\"]*)\"", text)
    return {left or right for left, right in found}


def _texts(call: Call) -> Iterator[str]:
    yield call.path
    yield urlencode(call.params)
    yield from map(str, call.params.values())
    yield (call.body or b"").decode()


@asynccontextmanager
async def a_company(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    """Serve a company whose idempotency store is off, and keep the calls made to it."""
    calls: list[Call] = []
    send = HttpClient.send

    async def kept(client: HttpClient, call: Call) -> Answer:
        calls.append(call)
        return await send(client, call)

    monkeypatch.setattr(HttpClient, "send", kept)
    settings = Settings(idempotency=False, accounting_date=TODAY.isoformat())
    sandbox = SysproSandbox(SysproSandboxConfig(settings=settings))
    company = Company(sandbox, calls)
    async with served(company) as company.url:
        try:
            yield company
        finally:
            for erp in company.opened:
                await erp.close()
