"""The one door to HTTP: time-outs, single connections, redaction, and what a failure means.

A failure's class is decided here, once, from two facts: was the request sent, and was it a write?

=====================================  ==================  ==================
what happened                          read                write
=====================================  ==================  ==================
no connection (nothing was sent)       `Unreachable`       `Unreachable`
answer lost, late or nonsense          `Unreachable`       `OutcomeUnknown`
429, 503                               `Throttled`         `Throttled`
408, other 5xx                         `Unreachable`       `OutcomeUnknown`
=====================================  ==================  ==================
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpcore
import httpx
import msgspec
from msgspec import Struct

from integration.errors import IntegrationError, OutcomeUnknown, Throttled, Unreachable
from integration.redaction import RedactedUrls, redact

T = TypeVar("T")

# httpx logs whole URLs at level INFO.
logging.getLogger("httpx").addFilter(RedactedUrls())


class Call(Struct, frozen=True, kw_only=True):
    """One request to a remote system.

    Attributes:
        path: appended to the base URL.
        body: sent as it is, with `content_type`.
        write: whether the call may change something, which decides what a lost answer means.
        about: the document it concerns, for error texts (`payment SO-104233-2`); never a secret.
        timeout: seconds for the answer, in place of the client's own.
    """

    method: str
    path: str
    params: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    content_type: str = "application/json"
    write: bool = False
    about: str = ""
    timeout: float | None = None


class Spent(Struct, frozen=True, kw_only=True):
    """What a call cost, for metrics: `outcome` is the status code or the name of the error."""

    system: str
    method: str
    outcome: str
    seconds: float


class Answer(Struct, frozen=True, kw_only=True):
    """A complete answer; header names are lower case."""

    system: str
    call: Call
    status: int
    headers: Mapping[str, str]
    body: bytes

    def decode(self, kind: type[T]) -> T:
        """The body as JSON of a kind.

        Raises:
            Unreachable: a read's answer makes no sense.
            OutcomeUnknown: a write's answer makes no sense.
        """
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self.lost(
                f"the answer makes no sense (HTTP {self.status}, {len(self.body)} bytes)"
            ) from error

    def lost(self, what: str) -> IntegrationError:
        """The error for an answer that cannot be used."""
        return _lost(self.system, self.call, what)

    def failure(self) -> IntegrationError | None:
        """The error for an answer whose status says that the server, not the document, is the trouble."""
        if self.status in (429, 503):
            return Throttled(
                f"{self.system} is busy (HTTP {self.status}){_concerning(self.call)}",
                code=f"{self.system.lower()}.busy",
                retry_after=self.retry_after(),
            )
        if self.status == 408 or self.status >= 500:
            return self.lost(f"it answered HTTP {self.status}")
        return None

    def retry_after(self) -> int | None:
        """Seconds from `Retry-After`, when it holds a number."""
        text = self.headers.get("retry-after", "")
        return int(text) if text.isdigit() else None


def _concerning(call: Call) -> str:
    return f" for {call.about}" if call.about else ""


def _lost(system: str, call: Call, what: str) -> IntegrationError:
    code = system.lower()
    if call.write:
        return OutcomeUnknown(
            f"{system} may or may not have taken {call.about or redact(call.path)}: {what}",
            code=f"{code}.outcome-unknown",
            evidence={"call": f"{call.method} {redact(call.path)}"},
        )
    return Unreachable(
        f"{system} gave no usable answer{_concerning(call)}: {what}",
        code=f"{code}.unreachable",
        evidence={"call": f"{call.method} {redact(call.path)}"},
    )


class SingleConnections(httpx.AsyncBaseTransport):
    """Keeps up to `slots` connections to one origin, each carrying one request at a time.

    httpcore's shared pool looks at every connection on every request, which costs ten times the CPU at fifty
    in flight; a stack of single connections costs the same at any number.
    """

    def __init__(self, origin: httpx.URL, slots: int, ssl_context: ssl.SSLContext | None) -> None:
        self._origin = httpcore.Origin(
            origin.raw_scheme, origin.raw_host, origin.port or (443 if origin.scheme == "https" else 80)
        )
        self._ssl = ssl_context
        self._room = asyncio.Semaphore(slots)
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        async with self._room:
            connection = await self._take()
            try:
                yield connection
            except BaseException:
                await connection.aclose()
                raise
            if connection.is_idle():
                self._idle.append(connection)
            else:
                await connection.aclose()

    async def _take(self) -> httpcore.AsyncHTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            # A kept connection that the server closed meanwhile would lose the next request's answer.
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin=self._origin, ssl_context=self._ssl, keepalive_expiry=4.0, retries=0
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request on a connection of its own and read the whole answer."""
        async with self._connection() as connection:
            answer = await connection.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.content,
                    extensions=request.extensions,
                )
            )
            try:
                content = await answer.aread()
            finally:
                await answer.aclose()
        return httpx.Response(answer.status, headers=answer.headers, content=content, request=request)

    async def aclose(self) -> None:
        """Close what is idle; a connection in use closes with its request."""
        while self._idle:
            await self._idle.pop().aclose()


# What says that the request never left: nothing can have happened on the other side.
_NEVER_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpx.ConnectError, httpx.ConnectTimeout)
_LOST = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.TransportError)


class HttpClient:
    """Talks to one remote system.

    Args:
        system: its name in error texts and metrics (`Opayo`, `SYSPRO`, `Shop`).
        base_url: scheme, host and common path.
        timeout: seconds to wait for an answer; connecting has five at most.
        slots: connections kept, and so calls in flight.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        timeout: float = 30.0,
        slots: int = 16,
        observe: Callable[[Spent], None] | None = None,
    ) -> None:
        self.system = system
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._observe = observe
        url = httpx.URL(self.base_url)
        secure = ssl.create_default_context() if url.scheme == "https" else None
        self.transport = SingleConnections(url, slots, secure)
        self._client = httpx.AsyncClient(transport=self.transport, follow_redirects=False)

    async def send(self, call: Call) -> Answer:
        """Make a call and give back whatever was answered, errors included.

        Raises:
            Unreachable, OutcomeUnknown: as in the table of this module; answers with an error status are
                returned (see `Answer.failure`), since some systems say more in their body.
        """
        started = time.perf_counter()
        outcome = "error"
        try:
            answer = await self._send(call)
            outcome = str(answer.status)
            return answer
        except IntegrationError as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._observe is not None:
                self._observe(
                    Spent(
                        system=self.system,
                        method=call.method,
                        outcome=outcome,
                        seconds=time.perf_counter() - started,
                    )
                )

    def _url(self, call: Call) -> str:
        # A blank is %20: SYSPRO's tokens end in blanks, and not every server reads a plus as one.
        query = "?" + urlencode(call.params, quote_via=quote, safe="") if call.params else ""
        return self.base_url + call.path + query

    async def _send(self, call: Call) -> Answer:
        headers = dict(call.headers)
        if call.body:
            headers.setdefault("content-type", call.content_type)
        limit = call.timeout or self._timeout
        try:
            response = await self._client.request(
                call.method,
                self._url(call),
                headers=headers,
                content=call.body,
                timeout=httpx.Timeout(limit, connect=min(5.0, limit)),
            )
        except _NEVER_SENT as error:
            raise Unreachable(
                f"{self.system} cannot be reached{_concerning(call)}: {type(error).__name__}",
                code=f"{self.system.lower()}.unreachable",
            ) from error
        except _LOST as error:
            raise _lost(self.system, call, f"no answer arrived ({type(error).__name__})") from error
        return Answer(
            system=self.system,
            call=call,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()
