"""Connections against servers that really misbehave: how answers end, what is too much, what is used again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration import http_wire
from integration.http_message import Lost, Reply, Request, request
from integration.http_wire import Connection
from tests.connectors.odd_server import answering, reply, then_close, wired

GET = request("GET", "/", {}, b"", "host: x\r\n")
HEAD = request("HEAD", "/", {}, b"", "host: x\r\n")
POST = request("POST", "/", {}, b"{}", "host: x\r\n")
OK = reply("200 OK")


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: they tell a protocol of the end of a connection in their own ways."""
    return "asyncio", {"use_uvloop": request.param}


# --- how an answer ends ---------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "status", "body", "kept"),
    [
        pytest.param(OK, 200, b"{}", True, id="length"),
        pytest.param(CHUNKED + b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", 200, b"abcde", True, id="chunks"),
        pytest.param(CHUNKED + b"2\r\nab\r\n0\r\nx-late: 1\r\n\r\n", 200, b"ab", True, id="chunks, trailers"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True, id="204"),
        pytest.param(
            b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", 304, b"", True, id="304 with a length"
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"{}", True, id="100 first"),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 3 + OK,
            200,
            b"{}",
            True,
            id="103 thrice first",
        ),
        pytest.param(reply("200 OK", b"{}", "connection: close"), 200, b"{}", False, id="told to close"),
        pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200, b"{}", False, id="HTTP/1.0"),
    ],
)
async def test_an_answer_ends_where_its_head_says(raw: bytes, status: int, body: bytes, kept: bool) -> None:
    async with wired(answering(raw)) as (server, wire):
        for _ in range(2):
            told = await wire.exchange(GET, 5)
            assert (told.status, told.body) == (status, body)
            assert "x-late" not in told.headers
            assert "link" not in told.headers
    assert server.connections == (1 if kept else 2)


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    raw = b"HTTP/1.1 200 OK\r\n\r\nall there is"
    async with wired(then_close(raw)) as (server, wire):
        for _ in range(2):
            assert (await wire.exchange(GET, 5)).body == b"all there is"
    assert server.connections == 2


async def test_an_answer_to_head_has_no_body_whatever_its_head_says() -> None:
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\ncontent-encoding: gzip\r\n\r\n"
    async with wired(answering(raw)) as (_, wire):
        for _ in range(2):
            told = await wire.exchange(HEAD, 5)
            assert (told.body, told.headers["content-length"]) == (b"", "500")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200", id="half a head"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="an interim answer only"),
        pytest.param(OK[:-1], id="half a body"),
        pytest.param(CHUNKED + b"2\r\nab\r\n", id="chunks without the last"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc", id="two lengths"
        ),
        pytest.param(CHUNKED[:-2] + b"content-length: 2\r\n\r\n2\r\nab\r\n0\r\n\r\n", id="length and chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", id="a negative length"),
        pytest.param(
            b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", id="another protocol"
        ),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="another version"),
        pytest.param(b"220 mail.example ESMTP\r\n", id="another service"),
        pytest.param(reply("200 OK", b"{}", "content-encoding: gzip"), id="a broken encoding"),
    ],
)
async def test_an_answer_that_is_cut_off_or_contradicts_itself_is_lost(raw: bytes) -> None:
    async with wired(then_close(raw)) as (server, wire):
        with pytest.raises(Lost):
            await wire.exchange(POST, 5)
    assert len(server.requests) == 1


async def test_headers_are_latin_1_lower_case_and_joined_when_repeated() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9 \r\nVia: a\r\nVIA: b\r\ncontent-length: 0\r\n\r\n"
    async with wired(answering(raw)) as (_, wire):
        told = await wire.exchange(GET, 5)
    assert told.headers == {"x-name": "café", "via": "a, b", "content-length": "0"}


class Transport(asyncio.Transport):
    """Takes what is written and is never closed by the other side."""

    def __init__(self, pair: socket.socket) -> None:
        super().__init__({"socket": pair})

    def write(self, data: bytes | bytearray | memoryview) -> None: ...
    def abort(self) -> None: ...
    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


async def _read_in_pieces(raw: bytes, cuts: list[int]) -> Reply:
    with contextlib.closing(socket.socketpair()[0]) as pair:
        connection = Connection()
        connection.connection_made(Transport(pair))
        waiting = asyncio.create_task(connection.exchange(Request(b""), 5))
        await asyncio.sleep(0)
        places = [0, *sorted(cut % len(raw) for cut in cuts), len(raw)]
        for start, end in itertools.pairwise(places):
            connection.data_received(raw[start:end])
        return await waiting


@given(
    body=st.binary(min_size=1, max_size=30),
    chunked=st.booleans(),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_an_answer_is_the_same_however_it_is_cut_up_on_its_way(
    body: bytes, chunked: bool, cuts: list[int]
) -> None:
    interim = b"HTTP/1.1 100 Continue\r\nx-interim: 1\r\n\r\n"
    chunks = b"1\r\n" + body[:1] + b"\r\n"
    chunks += f"{len(body) - 1:x}\r\n".encode() + body[1:] + b"\r\n0\r\n\r\n" if body[1:] else b"0\r\n\r\n"
    raw = interim + (CHUNKED + chunks if chunked else reply("200 OK", body))
    told = asyncio.run(_read_in_pieces(raw, cuts))
    assert (told.status, told.body) == (200, body)
    assert "x-interim" not in told.headers


# --- what is too much -----------------------------------------------------------------------------


async def endless(first: bytes, more: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(first)
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(more * 1000)
            await writer.drain()


@pytest.mark.parametrize(
    ("first", "more"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nx: ", b"a" * 16, id="one endless header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"x-y: z\r\n", id="endless headers"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="endless interim answers"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 16, id="an endless body"),
        pytest.param(CHUNKED, b"1\r\na\r\n", id="endless chunks"),
        pytest.param(CHUNKED + b"1;", b"a" * 16, id="an endless extension of a chunk"),
        pytest.param(CHUNKED + b"0\r\nx: ", b"a" * 16, id="an endless trailer"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b"a" * 16, id="a body told to be huge"
        ),
    ],
)
async def test_an_answer_without_end_is_given_up(
    first: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_wire, "BODY_LIMIT", 300_000)

    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        await endless(first, more, writer)

    async with wired(behave) as (_, wire):
        with pytest.raises(Lost, match="too large"):
            await wire.exchange(GET, 30)


async def test_headers_beyond_the_limit_are_refused_however_fast_they_come() -> None:
    lines = "".join(f"x-{number}: {'a' * 100}\r\n" for number in range(1000))
    with pytest.raises(Lost, match="headers are too large"):
        await _read_in_pieces(f"HTTP/1.1 204 No Content\r\n{lines}\r\n".encode(), [])


async def test_the_limit_is_for_each_answer_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_wire, "BODY_LIMIT", 60_000)
    body = b"a" * 50_000
    async with wired(answering(reply("200 OK", body))) as (server, wire):
        for _ in range(4):
            assert (await wire.exchange(GET, 30)).body == body
    assert server.connections == 1


async def test_a_large_answer_within_the_limit_is_read_whole_and_the_next_one_too() -> None:
    body = bytes(range(256)) * 8_000
    async with wired(answering(reply("200 OK", body))) as (server, wire):
        for _ in range(2):
            assert (await wire.exchange(GET, 30)).body == body
    assert server.connections == 1


async def test_a_trickling_answer_does_not_outlast_the_time_for_the_whole() -> None:
    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        for byte in OK * 1000:
            if writer.is_closing():
                return
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

    async with wired(behave) as (server, wire):
        with pytest.raises(Lost, match=r"within 0\.1 s"):
            await wire.exchange(GET, 0.1)
        while server.open:
            await asyncio.sleep(0.005)
