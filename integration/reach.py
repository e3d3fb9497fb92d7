"""Is a system there at all? Name, port, certificate, an answer, and what time its server thinks it is.

Nothing is logged on to and nothing is changed: one connection is opened to look at the certificate, and one call is
made whose answer, whatever it is, carries the server's date.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from integration.errors import IntegrationError
from integration.http import Call, HttpClient

Trouble = Literal["name", "refused", "silent", "network", "certificate", "tls", "answer"]


class Reach(Struct, frozen=True, kw_only=True):
    """What an address led to.

    Attributes:
        trouble: why it led nowhere; `None` when something answered.
        said: the cause in the words of whoever noticed it.
        certificate_until: when the server's certificate expires; `None` without TLS.
        ahead: by how much the server's clock is ahead of ours, to a second; `None` when it told no date.
    """

    host: str
    port: int
    secure: bool
    trouble: Trouble | None = None
    said: str = ""
    certificate_until: datetime | None = None
    ahead: timedelta | None = None

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether the address never leaves this machine."""
        return is_local(self.host)


def is_local(host: str) -> bool:
    """Whether a host is this machine by its very name or number."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> Reach:
    """An address as it would be reached, before anybody tried."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return Reach(host=parts.hostname or "", port=parts.port or (443 if secure else 80), secure=secure)


async def reach(system: str, url: str, patience: float) -> Reach:
    """What an address leads to; `patience` in seconds for each of the two connections."""
    asked = origin(url)
    try:
        until = await _connected(asked, patience)
    except (OSError, TimeoutError, UnicodeError) as error:
        trouble, said = _trouble(error)
        return _with(asked, trouble=trouble, said=said)
    client = HttpClient(system, url, timeout=patience, slots=1)
    try:
        before = datetime.now(UTC)
        answer = await client.send(Call(method="GET", path="", about="whether anybody is there"))
        half = (datetime.now(UTC) - before) / 2
    except IntegrationError as error:
        return _with(asked, trouble="answer", said=error.title, until=until)
    finally:
        await client.close()
    return _with(asked, until=until, ahead=_ahead(answer.headers.get("date", ""), before + half))


def _with(
    asked: Reach,
    *,
    trouble: Trouble | None = None,
    said: str = "",
    until: datetime | None = None,
    ahead: timedelta | None = None,
) -> Reach:
    return Reach(
        host=asked.host,
        port=asked.port,
        secure=asked.secure,
        trouble=trouble,
        said=said,
        certificate_until=until,
        ahead=ahead,
    )


async def _connected(asked: Reach, patience: float) -> datetime | None:
    """Connect, shake hands if it is TLS, and give the end of the certificate's life."""
    context = ssl.create_default_context() if asked.secure else None
    async with asyncio.timeout(patience):
        _, writer = await asyncio.open_connection(asked.host, asked.port, ssl=context)
    shown = writer.get_extra_info("peercert") or {}
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
    until = shown.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None


def _trouble(error: OSError | UnicodeError) -> tuple[Trouble, str]:
    match error:
        case ssl.SSLCertVerificationError():
            return "certificate", error.verify_message
        case ssl.SSLError():
            return "tls", error.reason or type(error).__name__
        case UnicodeError():
            return "name", "it is no name"
        case socket.gaierror():
            return "name", error.strerror or "the name is not known"
        case ConnectionRefusedError():
            return "refused", "connection refused"
        case TimeoutError():
            return "silent", "no answer"
    return "network", error.strerror or type(error).__name__


def _ahead(text: str, now: datetime) -> timedelta | None:
    try:
        # The header tells whole seconds, and its moment lies somewhere in that second.
        theirs = parsedate_to_datetime(text) + timedelta(seconds=0.5)
    except ValueError:
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return timedelta(seconds=round((theirs - now).total_seconds()))
