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

import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import Struct

from integration.errors import IntegrationError, OutcomeUnknown, Rejected, Throttled, Unreachable
from integration.http_message import Lost, Request, Unsendable, request
from integration.http_wire import NeverSent, Origin, Wire
from integration.redaction import redact

T = TypeVar("T")

_SAME_FOR_ALL = "accept: */*\r\naccept-encoding: identity\r\nuser-agent: opayo-syspro\r\n"


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
        self._prefix = url.raw_path.decode("ascii").rstrip("/")
        self._fixed = f"host: {url.netloc.decode('ascii')}\r\n{_SAME_FOR_ALL}"
        self._credentials = _credentials(url)
        self._wire = Wire(_origin(url), slots)

    def pin(self, address: str) -> None:
        """Connect to this address of the host, which was resolved and checked, and to no other."""
        self._wire.pin(address)

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

    def _request(self, call: Call) -> Request:
        target = (self._prefix + call.path) or "/"
        if call.params:
            # A blank is %20: SYSPRO's tokens end in blanks, and not every server reads a plus as one.
            target += "?" + urlencode(call.params, quote_via=quote, safe="")
        headers = {**call.headers, **self._credentials}
        if call.body:
            headers.setdefault("content-type", call.content_type)
        return request(call.method, target, headers, call.body, self._fixed)

    async def _send(self, call: Call) -> Answer:
        try:
            reply = await self._wire.exchange(self._request(call), call.timeout or self._timeout)
        except NeverSent as error:
            raise Unreachable(
                f"{self.system} cannot be reached{_concerning(call)}: {error}",
                code=f"{self.system.lower()}.unreachable",
            ) from error
        except Lost as error:
            raise _lost(self.system, call, f"no usable answer arrived ({error})") from error
        except Unsendable as error:
            raise Rejected(f"The call to {self.system}{_concerning(call)} was not sent: {error}") from error
        return Answer(
            system=self.system, call=call, status=reply.status, headers=reply.headers, body=reply.body
        )

    async def close(self) -> None:
        """Give the connections back."""
        self._wire.close()


@cache
def _certificates() -> ssl.SSLContext:
    """One for all clients: reading the machine's authorities takes time and a megabyte."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _origin(url: httpx.URL) -> Origin:
    secure = url.scheme == "https"
    return Origin(
        host=url.raw_host.decode("ascii"),
        port=url.port or (443 if secure else 80),
        secure=_certificates() if secure else None,
    )


def _credentials(url: httpx.URL) -> Mapping[str, str]:
    """A name and password in the address are sent as HTTP's own, before any others."""
    if not url.userinfo:
        return {}
    pair = f"{url.username}:{url.password}".encode()
    return {"authorization": f"Basic {b64encode(pair).decode('ascii')}"}
