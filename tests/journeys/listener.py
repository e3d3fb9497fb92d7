"""A subscriber for tests: a real web server that keeps what came, checks its signature, and fails to order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import text

from service.core.events import EVENT_TYPES
from service.flow import deliver
from service.store import subscribers
from service.store.subscribers import NewSubscriber
from tests.connectors.serving import served
from tests.flow.site import Site

LOCAL = ("127.0.0.0/8",)


@dataclass
class Listener:
    """What a subscriber heard.

    Attributes:
        answers: what it answers next: a status, or `drop` for no answer at all; then 204.
        seconds: how long it thinks about each.
    """

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    at_once: int = 0
    most_at_once: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        event = json.loads(body)
        self.heard.append(event)
        self.bodies.append(body)
        self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        answer = self.answers.pop(0) if self.answers else 204
        try:
            if self.seconds:
                await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if answer == "drop":
            raise ConnectionResetError
        assert isinstance(answer, int)
        if 200 <= answer < 300:
            self.taken.append(event)
        headers = [(b"location", f"{self.url}/elsewhere".encode())] if 300 <= answer < 400 else []
        await send({"type": "http.response.start", "status": answer, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def types(self, subject: str = "") -> list[str]:
        """The types of what was taken, in order; of one subject, or of all."""
        return [each["type"] for each in self.taken if not subject or each["subject"] == subject]

    def about(self, type_: str) -> list[dict[str, Any]]:
        """The data of the events of a type that were taken."""
        return [each["data"] for each in self.taken if each["type"] == type_]


def genuine(header: str, body: bytes, secret: str, tolerance: int = 300) -> bool:
    """Whether a body was signed with a secret, lately; written from the handbook, not from the code."""
    parts = [part.partition("=") for part in header.split(",")]
    timestamp = next(value for name, _, value in parts if name == "t")
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(timestamp)) <= tolerance
    return fresh and any(hmac.compare_digest(value, expected) for name, _, value in parts if name == "v1")


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """A listener for the time of a `with` block."""
    listener = Listener()
    async with served(listener, http="httptools") as url:
        listener.url = f"{url}/hook"
        yield listener


async def subscribe(
    site: Site, url: str, types: list[str], *, name: str = "till", secret: str = "whsec_till_0123456789"
) -> str:
    """Subscribe to events of the site's pair, which may be called on this machine."""
    allow_local(site)
    new = NewSubscriber(
        pair=site.pair, subscriber=f"sub_{name}", name=name, url=url, types=types, secrets=[secret]
    )
    async with site.engine.begin() as connection:
        await subscribers.add(connection, site.vault, new)
    return new.subscriber


def allow_local(site: Site) -> None:
    """Let subscribers be on this machine."""
    site.stages.shared = msgspec.structs.replace(site.stages.shared, private_networks=LOCAL)


async def deliver_all(site: Site, turns: int = 1) -> dict[str, object]:
    """Take some turns of the job; gives the last outcome."""
    outcome: dict[str, object] = {}
    for _ in range(turns):
        outcome = await deliver.deliver(site.stages, site.pair)
    return outcome


async def rows(site: Site, statement: str) -> list[dict[str, Any]]:
    """Rows of the site's database."""
    async with site.engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(text(statement))).mappings()]


def known(types: list[str]) -> bool:
    """Whether the handbook has all of these types."""
    return all(each in EVENT_TYPES for each in types)
