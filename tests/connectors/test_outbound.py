"""Addresses that others give us: only public ones are called, and the one that was checked."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from integration.errors import Rejected, Unreachable
from integration.http import Call, HttpClient
from integration.outbound import check_url, is_public, resolve
from tests.connectors.serving import served


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)  # fmt: skip
def test_what_is_not_of_the_internet_is_not_public_however_it_is_wrapped(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_what_is_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "//a/b", "https://", "ftp://a/b", "file:///etc/passwd", "https://a:0/", "https://a:99999/",
        "https://a:b@c/", "https://a@c/", "https://a/#b", "https://a/ b", "https://a/\r\nx: y", "https://\u00e4/",
        "https://a/" + "b" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Rejected):
        check_url(url)


async def test_a_public_number_needs_https_and_an_allowed_network_does_not() -> None:
    assert await resolve("https://93.184.216.34/hook") == "93.184.216.34"
    with pytest.raises(Rejected):
        await resolve("http://93.184.216.34/hook")
    assert await resolve("http://127.0.0.1:8/hook", ["127.0.0.0/8"]) == "127.0.0.1"
    with pytest.raises(Rejected):
        await resolve("https://127.0.0.1/hook", ["10.0.0.0/8"])


async def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [(socket.AF_INET, 1, 6, "", (each, 443)) for each in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(Rejected, match=r"10\.0\.0\.1"):
        await resolve("https://two.example/hook")


async def test_a_name_without_an_address_may_have_one_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(Unreachable):
        await resolve("https://nobody.example/hook")


async def test_the_call_goes_to_the_address_that_was_checked_under_the_name_that_was_given() -> None:
    hosts: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            hosts.append(dict(scope["headers"])[b"host"].decode())
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async with served(app) as url:
        port = url.rpartition(":")[2]
        client = HttpClient("Subscriber", f"http://nobody.example:{port}")
        client.pin("127.0.0.1")
        answer = await client.send(Call(method="POST", path="/hook", body=b"{}"))
        await client.close()
    assert (answer.status, hosts) == (204, [f"nobody.example:{port}"])
