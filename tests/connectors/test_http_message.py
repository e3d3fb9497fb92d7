"""Requests that are read as they were written, and bodies within their limits."""

from __future__ import annotations

import gzip
import zlib

import pytest
from httptools import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from integration import http_message
from integration.http_message import Lost, Unsendable, decoded, request


class Reading:
    """What a server reads out of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.targets: list[bytes] = []
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ends = 0
        parser = HttpRequestParser(self)
        parser.feed_data(data)
        self.method = parser.get_method().decode()

    def on_url(self, url: bytes) -> None:
        self.targets.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1")] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ends += 1


PACKED = gzip.compress(b"plain", mtime=0)
TEXT = st.text(st.one_of(st.characters(max_codepoint=0x120), st.sampled_from("\r\n\0 :")), max_size=12)


@given(
    target=st.one_of(TEXT.map("/".__add__), st.just("/orders?a=b")),
    headers=st.dictionaries(st.one_of(TEXT, st.sampled_from(["x-one", "x-two"])), TEXT, max_size=3),
    body=st.binary(max_size=40),
)
def test_a_request_is_refused_or_read_as_the_one_it_is(
    target: str, headers: dict[str, str], body: bytes
) -> None:
    try:
        sent = request("POST", target, headers, body, "host: here\r\n")
    except Unsendable:
        return
    read = Reading(sent.data)
    assert (read.method, read.targets, read.body, read.ends) == ("POST", [target.encode()], body, 1)
    own = {"host": "here", "content-length": str(len(body))}
    told = {name.lower(): value.strip(" \t") for name, value in headers.items()}
    assert {name.lower(): value.strip(" \t") for name, value in read.headers.items()} == told | own


@given(value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20))
def test_a_header_of_printable_letters_is_never_refused(value: str) -> None:
    assert f"x: {value}\r\n".encode() in request("GET", "/", {"x": value}, b"").data


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("get", "/", {}),
        ("GET /x HTTP/1.1\r\n\r\nGET", "/", {}),
        ("GET", "", {}),
        ("GET", "no-slash", {}),
        ("GET", "/a b", {}),
        ("GET", "/a#b", {}),
        ("GET", "/é", {}),
        ("GET", "/a\r\nx: y", {}),
        ("GET", "/", {"": "y"}),
        ("GET", "/", {"x:": "y"}),
        ("GET", "/", {"x": "a\nb"}),
        ("GET", "/", {"x": "a\0b"}),
        ("GET", "/", {"x": "€"}),
        ("GET", "/", {"Content-Length": "0"}),
        ("GET", "/", {"Transfer-Encoding": "chunked"}),
        ("GET", "/", {"Host": "elsewhere"}),
    ],
)
def test_what_would_end_a_request_early_is_refused(method: str, target: str, headers: dict[str, str]) -> None:
    with pytest.raises(Unsendable):
        request(method, target, headers, b"")


@pytest.mark.parametrize(
    ("method", "told"), [("POST", True), ("PUT", True), ("GET", False), ("DELETE", False)]
)
def test_an_empty_body_is_told_where_one_is_expected(method: str, told: bool) -> None:
    assert (b"content-length: 0\r\n" in request(method, "/", {}, b"").data) is told


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", b"plain"),
        ("identity", b"plain"),
        ("gzip", PACKED),
        ("GZIP", PACKED),
        ("deflate", zlib.compress(b"plain")),
    ],
    ids=["none", "identity", "gzip", "upper case", "deflate"],
)
def test_an_encoded_body_is_decoded(encoding: str, body: bytes) -> None:
    assert decoded(body, encoding) == b"plain"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"plain"),
        ("gzip", gzip.compress(b"plain" * 100, mtime=0)[:-9]),
        ("br", b"anything"),
        ("gzip, gzip", gzip.compress(PACKED, mtime=0)),
    ],
    ids=["not packed", "cut off", "unknown", "packed twice"],
)
def test_a_body_that_cannot_be_decoded_is_lost(encoding: str, body: bytes) -> None:
    with pytest.raises(Lost):
        decoded(body, encoding)


def test_a_small_body_that_unpacks_into_a_huge_one_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_message, "BODY_LIMIT", 10_000)
    assert len(decoded(gzip.compress(b"\0" * 10_000), "gzip")) == 10_000
    with pytest.raises(Lost):
        decoded(gzip.compress(b"\0" * 10_001), "gzip")
