"""Addresses that others give us to call: only public ones, unless a network is allowed by name.

A name is resolved once, every address it has is checked, and the call goes to the address that was checked: a name
that resolves to something else a moment later leads nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from integration.errors import Rejected, Unreachable

Address = IPv4Address | IPv6Address

_LONGEST = 2000
_TRANSLATED = ip_network("64:ff9b::/96")
_HINT = "Use an https address that is reachable from the internet, or let the operator allow its network."


def check_url(url: str) -> SplitResult:
    """The parts of an address that may be called as far as its form tells.

    Raises:
        Rejected: it is no web address, or holds a name and password or a fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("it is no address", url) from error
    if len(url) > _LONGEST or not url.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        raise _refused("it is too long, or holds characters that no address has", url)
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise _refused("it is no https address", url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused("it holds a name, a password or a fragment", url)
    return parts


async def resolve(url: str, allowed: Sequence[str] = ()) -> str:
    """The one address that may be connected to for a URL.

    Args:
        url: where somebody wants to be called.
        allowed: networks (`10.1.0.0/16`) that may be called though they are not public, over plain HTTP too.

    Raises:
        Rejected: an address of its name is not public, or plain HTTP would leave the allowed networks.
        Unreachable: its name has no address now.
    """
    parts = check_url(url)
    host = parts.hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, parts.port or (443 if parts.scheme == "https" else 80), type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The name {host} has no address", code="subscriber.name") from error
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    networks = [ip_network(each, strict=False) for each in allowed]
    for address in addresses:
        if any(_plain(address) in network for network in networks):
            continue
        if parts.scheme != "https":
            raise _refused("plain HTTP is for allowed networks only", url)
        if not is_public(address):
            raise _refused(f"{host} leads to {address}, which is not public", url)
    return str(addresses[0])


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large, whatever it is wrapped in."""
    plain = _plain(address)
    if isinstance(plain, IPv6Address):
        wrapped = plain.sixtofour or (plain.teredo[1] if plain.teredo else None)
        if wrapped is not None and not is_public(wrapped):
            return False
        if plain in _TRANSLATED:
            return is_public(IPv4Address(int(plain) & 0xFFFFFFFF))
    return plain.is_global and not plain.is_multicast and not plain.is_reserved and not plain.is_unspecified


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _refused(why: str, url: str) -> Rejected:
    return Rejected(
        f"This address is not called: {why}",
        code="subscriber.address",
        hint=_HINT,
        evidence={"host": url.partition("://")[2].partition("/")[0].rpartition("@")[2][:100]},
    )
