"""Connections that carry HTTP/1.1: a stack of single ones to one origin, each with one request at a time.

It exists for its price: a pool that looks at every connection on every request, or a client that parses addresses
and copies headers for each, costs ten times the CPU of the exchange itself. It sends a request once and never again.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct, structs

from integration import last_word
from integration.http_message import BODY_LIMIT, HEAD_LIMIT, Lost, Reply, Request, decoded

# Servers commonly keep an idle connection for five seconds.
_KEPT_SECONDS = 4.0
_CONNECT_SECONDS = 5.0


class NeverSent(Exception):
    """No connection: nothing of the request left this machine."""


class Origin(Struct, frozen=True, kw_only=True):
    """Where the connections lead.

    Attributes:
        host: name or address, for the connection and the server's certificate.
        secure: how certificates are verified; `None` for plain HTTP.
        address: where to connect, when the name must not be asked for again; the certificate is the host's.
    """

    host: str
    port: int
    secure: ssl.SSLContext | None = None
    address: str = ""


class Connection(asyncio.Protocol):
    """One connection.

    Attributes:
        keep: whether it may carry another request after the answer that was read.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._poll = select.poll()
        self._reply: asyncio.Future[Reply] | None = None
        self._bodiless = False
        self.keep = False
        self._idle_since = 0.0
        self._received = 0
        self._begin()

    # --- sending ----------------------------------------------------------------------------------

    def fresh(self) -> bool:
        """Whether the server can be expected to read one more request."""
        return (
            self.keep
            and not self._transport.is_closing()
            and self._loop.time() - self._idle_since < _KEPT_SECONDS
            # A busy loop may not have read yet that the server closed: that would lose the next answer.
            and not self._poll.poll(0)
        )

    async def exchange(self, request: Request, seconds: float) -> Reply:
        """Send a request and read the whole answer.

        Raises:
            NeverSent: the server closed the connection before anything was written.
            Lost: the answer did not come, or not in time, or is none.
        """
        if self._transport.is_closing():
            raise NeverSent("closed at once")
        last_word.ask()
        self._begin()
        self._received = 0
        self._reply = self._loop.create_future()
        self._bodiless = request.bodiless
        self.keep = False
        late = self._loop.call_later(seconds, self._fail, f"it did not come within {seconds:g} s")
        self._transport.write(request.data)
        try:
            return await self._reply
        finally:
            late.cancel()

    def close(self) -> None:
        """Close at once; an answer that is still awaited is lost."""
        self.keep = False
        self._transport.abort()

    # --- what the transport tells -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read a part of the answer."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            reason = error.__context__ if isinstance(error.__context__, Lost) else "it is no HTTP"
            self._fail(str(reason))
        else:
            self._received += len(data)
            # The parser tells nothing of a header line, or of an extension of a chunk, before its end.
            if self._received > (HEAD_LIMIT + BODY_LIMIT if self._has_head else HEAD_LIMIT):
                self._fail("it is too large")

    def eof_received(self) -> None:
        """End an answer that ends with its connection."""
        if self._has_head and not ("content-length" in self._headers or "transfer-encoding" in self._headers):
            self._complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._fail("the connection was closed before its end")

    # --- what the parser tells --------------------------------------------------------------------

    def _begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._has_head = False
        self._head_size = 0

    def on_message_begin(self) -> None:
        """Start afresh; after interim answers too."""
        if self._reply is None or self._reply.done():
            raise Lost("nobody asked for it")
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are left unread."""
        if self._has_head:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > HEAD_LIMIT:
            raise Lost("its headers are too large")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Decide how the answer ends."""
        if self._parser.get_status_code() < 200:
            return
        self._has_head = True
        if self._bodiless:
            # The parser would wait for the body that the head speaks of: this connection is not kept.
            self._complete()
        elif int(self._headers.get("content-length", "0") or "0") > BODY_LIMIT:
            raise Lost("it is too large")
        else:
            self.keep = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        self._body += data

    def on_message_complete(self) -> None:
        """Give the answer back, unless it was an interim one."""
        if self._has_head:
            self._complete()

    # --- outcomes ---------------------------------------------------------------------------------

    def _complete(self) -> None:
        if self._reply is None or self._reply.done():
            return
        try:
            body = decoded(bytes(self._body), self._headers.get("content-encoding", ""))
        except Lost as error:
            self._fail(str(error))
            return
        # An answer that overtook its request leaves the rest of the request on the way.
        self.keep = self.keep and not self._transport.get_write_buffer_size()
        self._idle_since = self._loop.time()
        self._reply.set_result(Reply(self._parser.get_status_code(), self._headers, body))

    def _fail(self, why: str) -> None:
        self.close()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Lost(why))


class Wire:
    """Up to `slots` connections to one origin; the one that was used last is used next."""

    def __init__(self, origin: Origin, slots: int) -> None:
        self._origin = origin
        self._room = asyncio.Semaphore(slots)
        self._idle: list[Connection] = []
        self._closed = False

    def pin(self, address: str) -> None:
        """Connect to an address in place of the host's name, from the next connection on."""
        self._origin = structs.replace(self._origin, address=address)

    async def exchange(self, request: Request, seconds: float) -> Reply:
        """Send a request, once, and read the whole answer, both within `seconds` of having a connection.

        Raises:
            NeverSent: there is no connection to be had within five seconds.
            Lost: there is no usable answer.
        """
        async with self._room:
            connection = self._kept() or await self._connected(min(_CONNECT_SECONDS, seconds))
            try:
                reply = await connection.exchange(request, seconds)
            except BaseException:
                connection.close()
                raise
            if connection.keep and not self._closed:
                self._idle.append(connection)
            else:
                connection.close()
            return reply

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.fresh():
                return connection
            connection.close()
        return None

    async def _connected(self, seconds: float) -> Connection:
        origin = self._origin
        try:
            async with asyncio.timeout(seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection,
                    origin.address or origin.host,
                    origin.port,
                    ssl=origin.secure,
                    server_hostname=origin.host if origin.secure else None,
                )
        except (OSError, UnicodeError) as error:
            raise NeverSent(type(error).__name__) from error
        return connection

    def close(self) -> None:
        """Close what is idle; a connection in use closes with its request."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
