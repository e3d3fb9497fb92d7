"""What must not be sent late is asked about when its first byte is about to leave, after every wait before it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from integration.errors import Transient
from integration.http import Call, HttpClient
from integration.last_word import asked_last
from tests.connectors.serving import served


class Listening:
    """A server that counts what reaches it, and answers when it is let."""

    def __init__(self) -> None:
        self.taken = 0
        self.answering = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await receive()
        self.taken += 1
        await self.answering.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def test_a_request_that_waited_for_a_connection_too_long_is_not_sent() -> None:
    server, awake = Listening(), True

    def question() -> None:
        if not awake:
            raise Transient("announced too long ago", code="road.overslept")

    async def post(client: HttpClient) -> int:
        with asked_last(question):
            return (await client.send(Call(method="POST", path="/", write=True))).status

    async with served(server) as url:
        client = HttpClient("SYSPRO", url, slots=1)
        first = asyncio.create_task(post(client))
        while not server.taken:
            await asyncio.sleep(0.005)
        second = asyncio.create_task(post(client))
        await asyncio.sleep(0)
        awake = False
        server.answering.set()

        assert await first == 200
        with pytest.raises(Transient) as refused:
            await second
        assert refused.value.error_code == "road.overslept"
        assert (await client.send(Call(method="POST", path="/", write=True))).status == 200
        await client.close()
    assert server.taken == 2
