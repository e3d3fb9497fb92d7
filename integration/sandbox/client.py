"""A small HTTP client for the sandboxes' own calls: webhooks they send and the merchant's shopping."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Any, Self

import httpcore
import msgspec


class Unreachable(Exception):
    """The other side did not answer: the connection was refused, cut, or too slow."""


class Reply(msgspec.Struct, frozen=True):
    """An answer with its body, read whole."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The decoded body.

        Raises:
            ValueError: when it is not JSON.
        """
        return msgspec.json.decode(self.body)


class Client:
    """Sends requests over kept connections; use it as an asynchronous context manager.

    Attributes:
        timeout: seconds for connecting and for each read and write.
    """

    def __init__(self, timeout: float = 10.0, connections: int = 16) -> None:
        self.timeout = timeout
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=4.0,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def send(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """Send one request, once.

        Raises:
            Unreachable: when no whole answer came.
        """
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self.timeout)
        try:
            response = await self._pool.request(
                method,
                url,
                headers=list((headers or {}).items()),
                content=body,
                extensions={"timeout": limits},
            )
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            raise Unreachable(f"{method} {url}: {type(error).__name__}") from error
        return Reply(response.status, response.content)

    async def send_json(
        self, method: str, url: str, value: object, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send one request with a JSON body, once.

        Raises:
            Unreachable: when no whole answer came.
        """
        members = {"content-type": "application/json", **(headers or {})}
        return await self.send(method, url, msgspec.json.encode(value), members)
