"""The baseline: a script that takes the same events, makes the same calls and remembers nothing.

No database, no states, no audit, no look-ups after a crash: what it has in memory is lost with it. It uses the
product's own connectors, in batches as the road does, so that the difference is the price of durability.
`python -m tests.bench.inline STUB_URL OPERATORS IN_FLIGHT` prints its address; with
`http://nothing` for the stub it is a Litestar handler that verifies an event, masks its body and answers.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, post

from integration.canonical.documents import ArPayment, SalesOrder
from integration.canonical.money import Money
from integration.opayo import webhook
from integration.ports import ERP
from service.app import connect
from service.core.card_data import mask_bytes
from service.core.mapping import Mapping, apply
from service.core.mapping_document import MappingDocument
from service.core.source_document import payment_document
from service.flow.library import compiled
from service.resources import document
from tests.flow.site import pair_settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BATCH = 100


class Script:
    """The script's queues: one for what came in, one for each operator."""

    def __init__(self, stub: str, operators: int, in_flight: int) -> None:
        self.settings = pair_settings("bench", stub, stub, stub)
        self.connections = connect(self.settings)
        self.mappings = [
            compiled(MappingDocument.from_dict(document(f"templates/mappings/{name}.yaml")))
            for name in ("sales_order", "ar_payment")
        ]
        self.arrived: asyncio.Queue[tuple[float, str, str]] = asyncio.Queue()
        self.queues: list[asyncio.Queue[Any]] = [asyncio.Queue() for _ in range(operators)]
        self.in_flight = asyncio.Semaphore(16)
        self.posts = in_flight
        self.seconds: list[float] = []

    def start(self) -> list[asyncio.Task[None]]:
        """Start the takers of every queue."""
        posters = [asyncio.create_task(self._post_for_ever(queue)) for queue in self.queues]
        return [asyncio.create_task(self._take_for_ever()), *posters]

    async def _take_for_ever(self) -> None:
        while True:
            batch = await _batch(self.arrived)
            await asyncio.gather(*(self._take(event) for event in batch))

    async def _take(self, event: tuple[float, str, str]) -> None:
        at, transaction_id, code = event
        async with self.in_flight:
            transaction = await self.connections.gateway.transaction(transaction_id)
            assert self.connections.storefront is not None
            order = await self.connections.storefront.find_order(code)
        transaction = msgspec.structs.replace(transaction, vendor_tx_code=code)
        source = payment_document(transaction, order, self.settings.defaults, "1")
        documents = [_document(mapping, source, code) for mapping in self.mappings]
        self.queues[sum(code.encode()) % len(self.queues)].put_nowait((at, code, documents))

    async def _post_for_ever(self, queue: asyncio.Queue[Any]) -> None:
        erp = self.connections.erp(self.settings.syspro.operators[0])
        await asyncio.gather(erp.customer("1"), erp.stock_item("A100"))
        while True:
            batch = await _batch(queue)
            await self._find(erp, batch)
            await _in_turns(self.posts, (self._post(erp, documents) for _, _, documents in batch))
            await self._find(erp, batch)
            await _in_turns(self.posts, (self._tell(code) for _, code, _ in batch))
            now = time.monotonic()
            self.seconds += [now - at for at, _, _ in batch]

    async def _find(self, erp: ERP, batch: list[Any]) -> None:
        for position in (0, 1):
            await erp.find([documents[position] for _, _, documents in batch])

    async def _post(self, erp: ERP, documents: list[Any]) -> None:
        for each in documents:
            await erp.post(each, each.reference)

    async def _tell(self, code: str) -> None:
        assert self.connections.storefront is not None
        await self.connections.storefront.tell(str(int(code[-6:]) + 1), "processing", f"Paid {code}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify an event, queue it, answer; `/done` tells how many are through."""
        if scope["type"] == "lifespan":
            return
        body = (await receive()).get("body", b"")
        if scope["path"] == "/done":
            answer = msgspec.json.encode(self.seconds)
        else:
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            webhook.verified(headers, body, self.settings.opayo.webhook_secrets, datetime.now(UTC))
            event = webhook.event(headers, body, "sandbox")
            self.arrived.put_nowait((time.monotonic(), event.transaction_id, event.vendor_tx_code))
            answer = b'{"new":true}'
        await send(
            {"type": "http.response.start", "status": 200,
             "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]}
        )  # fmt: skip
        await send({"type": "http.response.body", "body": answer})


def _document(mapping: Mapping, source: dict[str, Any], code: str) -> SalesOrder | ArPayment:
    mapped = apply(mapping, source)
    values = mapped.insist(code)
    if mapped.kind == "sales_order":
        return msgspec.convert(values, SalesOrder, strict=False)
    payment = msgspec.convert(values, ArPayment, strict=False)
    assert payment.payment_value == Money(1_000, "GBP")
    return payment


async def _batch(queue: asyncio.Queue[Any]) -> list[Any]:
    batch = [await queue.get()]
    await asyncio.sleep(0.01)
    while len(batch) < BATCH and not queue.empty():
        batch.append(queue.get_nowait())
    return batch


async def _in_turns(most: int, calls: Iterable[Awaitable[None]]) -> None:
    room = asyncio.Semaphore(most)

    async def one(call: Awaitable[None]) -> None:
        async with room:
            await call

    await asyncio.gather(*(one(call) for call in calls))


def main() -> None:
    """Serve until stopped."""
    stub, operators, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    application = _stores_nothing() if stub == "http://nothing" else _Started(stub, operators, in_flight)
    config = uvicorn.Config(
        application, loop="uvloop", http="httptools", access_log=False, log_level="error",
        lifespan="off",
    )  # fmt: skip
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    uvicorn.Server(config).run([listener])


def _stores_nothing() -> Litestar:
    @post("/webhooks/opayo/{pair:str}", status_code=200)
    async def take(pair: str, request: Request[Any, Any, Any]) -> dict[str, bool]:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        webhook.verified(headers, body, ["whsec_test_0123456789"], datetime.now(UTC))
        event = webhook.event(headers, body, "sandbox")
        return {"new": bool(event.event_id and mask_bytes(body) and pair)}

    return Litestar([take], openapi_config=None, logging_config=None)


class _Started:
    """Makes the script inside the running loop, at its first request."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._script: Script | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._script is None:
            self._script = Script(*self._arguments)
            self._tasks = self._script.start()
        await self._script(scope, receive, send)


if __name__ == "__main__":
    main()
