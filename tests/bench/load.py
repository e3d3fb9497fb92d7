"""Load: signed events over raw connections, closed loop or at a fixed rate."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from urllib.parse import urlsplit

SECRET = "whsec_test_0123456789"


def request(url: str, number: int, run: str) -> bytes:
    """One event's whole HTTP request, signed now."""
    code = f"{run.upper()}-{number:06d}"
    body = json.dumps(
        {
            "eventId": f"evt_{code}",
            "eventType": "payment.authorised",
            "transactionId": str(uuid.uuid4()).upper(),
            "vendorTxCode": code,
            "vendorName": "sandbox",
        }
    ).encode()
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /webhooks/opayo/bench HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nx-opayo-sandbox-event-id: evt_{code}\r\n"
        f"x-opayo-sandbox-timestamp: {stamp}\r\nx-opayo-sandbox-signature: v1={digest}\r\n\r\n"
    )
    return head.encode() + body


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.split(b"\r\n", 1)[0].decode())
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    await reader.readexactly(length)


async def closed_loop(url: str, requests: list[bytes], connections: int = 48) -> float:
    """Send all requests as fast as the other side answers; the seconds it took."""
    waiting = iter(requests)
    where = urlsplit(url)

    async def work() -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for data in waiting:
            await _send(reader, writer, data)
        writer.close()

    started = time.monotonic()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.monotonic() - started


async def open_loop(url: str, requests: list[bytes], per_second: float) -> float:
    """Send requests at a fixed rate whatever the answers do; the seconds it took."""
    where = urlsplit(url)
    idle: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()
    for _ in range(64):
        idle.put_nowait(await asyncio.open_connection(where.hostname, where.port))

    async def one(data: bytes) -> None:
        connection = await idle.get()
        try:
            await _send(*connection, data)
        except (asyncio.IncompleteReadError, ConnectionError):
            # The server closes what was idle for five seconds; the event is then sent again, as Opayo would.
            connection = await asyncio.open_connection(where.hostname, where.port)
            await _send(*connection, data)
        idle.put_nowait(connection)

    started = time.monotonic()
    sent = []
    for number, data in enumerate(requests):
        await asyncio.sleep(max(0.0, started + number / per_second - time.monotonic()))
        sent.append(asyncio.create_task(one(data)))
    await asyncio.gather(*sent)
    return time.monotonic() - started
