"""Outgoing pushes: one POST, one answer; a failure of the line is an answer of 0."""

from __future__ import annotations

import httpcore
import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What a receiver said: HTTP status (0 when no answer came) and body."""

    status: int
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        """The status is 2xx."""
        return 200 <= self.status < 300


class Pusher:
    """Posts to receivers over a small pool of kept connections."""

    def __init__(self, timeout: float) -> None:
        self._timeout = {"connect": timeout, "read": timeout, "write": timeout, "pool": None}
        self._pool = httpcore.AsyncConnectionPool(max_connections=16, keepalive_expiry=2.0)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """POST ``body``; never raises for what the receiver or the line does."""
        pairs: list[tuple[bytes | str, bytes | str]] = [*headers.items()]
        try:
            response = await self._pool.request(
                "POST", url, headers=pairs, content=body, extensions={"timeout": self._timeout}
            )
        except Exception:  # noqa: BLE001 - whatever a receiver that is killed does to the line, its event is sent again
            return Answer(0)
        return Answer(response.status, response.content)

    async def close(self) -> None:
        """Close every kept connection."""
        await self._pool.aclose()
