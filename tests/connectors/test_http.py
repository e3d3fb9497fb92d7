"""The door to HTTP against a server that really misbehaves: what a failure means, and how connections are kept."""

from __future__ import annotations

import asyncio
import socket

import msgspec
import pytest

from integration.errors import IntegrationError, OutcomeUnknown, Rejected, Throttled, Unreachable
from integration.http import Answer, Call, HttpClient, Spent
from tests.connectors.odd_server import Behaviour, answering, drop, half, never, reply, serving

READ = Call(method="GET", path="/thing", about="payment SO-1")
WRITE = Call(method="POST", path="/thing", body=b"{}", write=True, about="payment SO-1")


async def failure(url: str, call: Call, timeout: float = 5.0) -> IntegrationError:
    """The error a call ends in, whether it is raised or lies in the answer."""
    client = HttpClient("Opayo", url, timeout=timeout)
    try:
        answer = await client.send(call)
        if error := answer.failure():
            return error
        answer.decode(dict)
    except IntegrationError as error:
        return error
    finally:
        await client.close()
    raise AssertionError("the call succeeded")


@pytest.mark.parametrize(
    ("behave", "read", "write"),
    [
        pytest.param(drop, Unreachable, OutcomeUnknown, id="dropped"),
        pytest.param(half, Unreachable, OutcomeUnknown, id="half an answer"),
        pytest.param(never, Unreachable, OutcomeUnknown, id="late"),
        pytest.param(answering(b"\x00garbage\r\n\r\n"), Unreachable, OutcomeUnknown, id="no HTTP"),
        *(
            (answering(reply("200 OK", body)), Unreachable, OutcomeUnknown)
            for body in (b'{"h', b"\xff", b"[]")
        ),
        *((answering(reply(f"{status} X")), Unreachable, OutcomeUnknown) for status in (408, 500, 502, 504)),
        *((answering(reply(f"{status} X")), Throttled, Throttled) for status in (429, 503)),
    ],
)
async def test_a_failure_means_what_was_sent_and_what_could_have_changed(
    behave: Behaviour, read: type[IntegrationError], write: type[IntegrationError]
) -> None:
    timeout = 0.2 if behave is never else 5.0
    async with serving(behave) as (server, url):
        assert type(await failure(url, READ, timeout)) is read
        assert type(await failure(url, WRITE, timeout)) is write
        assert len(server.requests) == 2, "the door itself never sends again"


async def test_a_refused_connection_has_sent_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = await failure(url, WRITE)
    assert type(error) is Unreachable
    assert error.error_code == "opayo.unreachable"


async def test_an_error_names_the_document_and_the_call_without_its_secrets() -> None:
    async with serving(drop) as (_, url):
        call = msgspec.structs.replace(WRITE, path="/thing?UserId=s3cret&Operator=X")
        error = await failure(url, call)
    assert "payment SO-1" in error.title
    assert error.evidence["call"] == "POST /thing?UserId=…&Operator=X"
    assert "s3cret" not in str(error)


@pytest.mark.parametrize(("asked", "kept"), [("17", 17), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
async def test_the_seconds_that_a_server_asks_for_are_kept(asked: str, kept: int | None) -> None:
    async with serving(answering(reply("503 X", b"{}", f"Retry-After: {asked}"))) as (_, url):
        error = await failure(url, WRITE)
    assert isinstance(error, Throttled)
    assert error.retry_after == kept


async def test_a_connection_is_kept_and_used_again() -> None:
    async with serving(answering(reply("200 OK"))) as (server, url):
        client = HttpClient("Opayo", url)
        for _ in range(5):
            assert (await client.send(READ)).status == 200
        await client.close()
    assert (server.connections, len(server.requests)) == (1, 5)


async def test_a_kept_connection_that_the_server_closed_is_not_used_again() -> None:
    async def answer_and_close(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(reply("200 OK"))
        await writer.drain()
        writer.close()

    async with serving(answer_and_close) as (server, url):
        client = HttpClient("Opayo", url)
        for _ in range(5):
            assert (await client.send(WRITE)).status == 200
            while server.open:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
        await client.close()
    assert (server.connections, len(server.requests)) == (5, 5)


async def test_a_connection_that_failed_is_not_kept() -> None:
    answers = [drop, answering(reply("200 OK")), half, answering(reply("200 OK"))]

    async def behave(request: bytes, writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(request, writer)

    async with serving(behave) as (server, url):
        client = HttpClient("Opayo", url)
        for _ in range(2):
            with pytest.raises(Unreachable):
                await client.send(READ)
            assert (await client.send(READ)).status == 200
        await client.close()
    assert len(server.requests) == 4


async def test_no_more_connections_are_opened_than_there_are_slots() -> None:
    gate = asyncio.Event()
    waiting = 0

    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 3:
            gate.set()
        await gate.wait()
        writer.write(reply("200 OK"))

    async with serving(behave) as (server, url):
        client = HttpClient("Opayo", url, slots=3)
        answers = await asyncio.gather(*(client.send(READ) for _ in range(20)))
        await client.close()
    assert [answer.status for answer in answers] == [200] * 20
    assert server.most_open == server.connections == 3


async def test_a_cancelled_call_gives_its_slot_back() -> None:
    async def behave(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/slow" in request:
            await asyncio.sleep(30)
        writer.write(reply("200 OK"))

    async with serving(behave) as (server, url):
        client = HttpClient("Opayo", url, slots=1)
        slow = asyncio.create_task(client.send(Call(method="GET", path="/slow")))
        while not server.requests:
            await asyncio.sleep(0.001)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert (await client.send(READ)).status == 200
        await client.close()


async def test_every_call_is_observed_with_its_outcome() -> None:
    answers = [answering(reply("200 OK")), answering(reply("404 X")), drop]
    spent: list[Spent] = []

    async def behave(request: bytes, writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(request, writer)

    async with serving(behave) as (_, url):
        client = HttpClient("Shop", url, observe=spent.append)
        await client.send(READ)
        await client.send(READ)
        with pytest.raises(OutcomeUnknown):
            await client.send(WRITE)
        await client.close()
    assert [one.outcome for one in spent] == ["200", "404", "OutcomeUnknown"]
    assert {one.system for one in spent} == {"Shop"}


async def test_path_query_headers_and_body_arrive_as_given() -> None:
    async with serving(answering(reply("200 OK"))) as (server, url):
        client = HttpClient("Shop", url + "/")
        await client.send(
            Call(
                method="PUT",
                path="/orders/1",
                params={"search": "a b&c"},
                headers={"authorization": "Bearer t"},
                body=b"<x/>",
                content_type="text/xml",
            )
        )
        await client.close()
    sent = server.requests[0].lower()
    assert sent.startswith(b"put /base/orders/1?search=a")
    assert b"b%26c http/1.1" in sent
    assert b"authorization: bearer t\r\n" in sent
    assert b"content-type: text/xml\r\n" in sent
    assert sent.endswith(b"\r\n\r\n<x/>")


@pytest.mark.parametrize(
    ("base", "path", "line"),
    [
        ("", "/a", b"GET /a "),
        ("/", "/a", b"GET /a "),
        ("/deep/base/", "", b"GET /deep/base "),
        ("", "", b"GET / "),
    ],
)
async def test_the_path_follows_the_base(base: str, path: str, line: bytes) -> None:
    async with serving(answering(reply("200 OK"))) as (server, url):
        client = HttpClient("Shop", url.removesuffix("/base") + base)
        await client.send(Call(method="GET", path=path))
        await client.close()
    assert server.requests[0].startswith(line)


async def test_a_name_and_password_in_the_address_are_sent_as_such() -> None:
    async with serving(answering(reply("200 OK"))) as (server, url):
        client = HttpClient("Shop", url.replace("//", "//joe:s%20t@"))
        await client.send(msgspec.structs.replace(READ, headers={"authorization": "Bearer t"}))
        await client.close()
    assert server.requests[0].lower().count(b"authorization") == 1
    assert b"authorization: Basic am9lOnMgdA==\r\n" in server.requests[0]
    assert b"joe" not in server.requests[0]


@pytest.mark.parametrize(
    "call",
    [
        Call(method="GET", path="/thing HTTP/1.1\r\nx: s3cret", about="payment SO-1"),
        Call(method="GET", path="/with s3cret blank", about="payment SO-1"),
        Call(method="POST", path="/t", headers={"x": "s3cret\r\ny: z"}, write=True, about="payment SO-1"),
        Call(method="POST", path="/t", headers={"x y": "s3cret"}, write=True, about="payment SO-1"),
    ],
)
async def test_a_call_that_could_be_read_as_two_is_refused_before_it_is_sent(call: Call) -> None:
    async with serving(answering(reply("200 OK"))) as (server, url):
        client = HttpClient("Shop", url)
        with pytest.raises(Rejected) as refused:
            await client.send(call)
        await client.close()
    assert server.connections == 0
    assert "payment SO-1" in refused.value.title
    assert "s3cret" not in str(refused.value)


async def test_a_redirect_is_answered_and_not_followed() -> None:
    async with serving(answering(reply("302 Found", b"", "Location: http://evil.example/"))) as (server, url):
        client = HttpClient("Shop", url)
        assert (await client.send(READ)).status == 302
        await client.close()
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 400, 401, 404, 422])
def test_what_a_document_is_answered_is_no_failure_of_the_server(status: int) -> None:
    assert Answer(system="Opayo", call=WRITE, status=status, headers={}, body=b"").failure() is None
