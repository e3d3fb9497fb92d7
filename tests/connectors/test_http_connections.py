"""Which connection carries a request, and what there is when none can be made."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration import http_wire
from integration.http_message import Lost, request
from integration.http_wire import Connection, NeverSent, Origin, Wire
from tests.connectors.odd_server import answering, drop, in_turn, port_of, reply, serving, wired

GET = request("GET", "/", {}, b"", "host: x\r\n")
POST = request("POST", "/", {}, b"{}", "host: x\r\n")
OK = reply("200 OK")


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: they tell a protocol of the end of a connection in their own ways."""
    return "asyncio", {"use_uvloop": request.param}


# --- which connection is used ---------------------------------------------------------------------


async def test_a_kept_connection_that_dies_under_a_request_loses_it_and_nothing_is_sent_again() -> None:
    async with wired(in_turn(answering(OK), drop, answering(OK))) as (server, wire):
        await wire.exchange(GET, 5)
        with pytest.raises(Lost):
            await wire.exchange(POST, 5)
        await wire.exchange(GET, 5)
    assert (server.connections, len(server.requests)) == (2, 3)


class BlockingServer(threading.Thread):
    """Answers one request on each of two connections, which it then closes, from a thread of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.may_close = threading.Event()
        self.closed = threading.Event()
        self.requests = 0

    def run(self) -> None:
        for _ in range(2):
            connection, _ = self.listener.accept()
            with connection:
                connection.recv(65_536)
                self.requests += 1
                connection.sendall(OK)
                self.may_close.wait(5)
            self.closed.set()


async def test_a_connection_closed_while_the_loop_was_busy_is_not_used() -> None:
    server = BlockingServer()
    server.start()
    wire = Wire(Origin(host="127.0.0.1", port=server.listener.getsockname()[1]), 1)
    await wire.exchange(POST, 5)
    # The loop is blocked: it cannot learn of the end of the connection before the next request is written.
    server.may_close.set()
    server.closed.wait(5)
    assert (await wire.exchange(POST, 5)).status == 200
    wire.close()
    server.join(5)
    server.listener.close()
    assert server.requests == 2


async def test_a_connection_that_says_something_unasked_is_not_used_again() -> None:
    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + reply("200 OK", b'"another answer"'))

    async with wired(behave) as (server, wire):
        for _ in range(3):
            assert (await wire.exchange(GET, 5)).body == b"{}"
    assert server.connections == 3


async def test_a_connection_that_was_idle_too_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_wire, "_KEPT_SECONDS", 0.0)
    async with wired(answering(OK)) as (server, wire):
        for _ in range(3):
            await wire.exchange(GET, 5)
    assert server.connections == 3


async def test_the_rest_of_an_overtaken_request_never_meets_the_next() -> None:
    connections = 0

    async def refuse_unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply("413 Too Large"))

    listening = await asyncio.start_server(refuse_unread, "127.0.0.1", 0)
    wire = Wire(Origin(host="127.0.0.1", port=listening.sockets[0].getsockname()[1]), 1)
    large = request("POST", "/", {}, b"a" * 20_000_000)
    for _ in range(2):
        assert (await wire.exchange(large, 5)).status == 413
    wire.close()
    listening.close()
    assert connections == 2


async def test_a_cancelled_exchange_closes_its_connection() -> None:
    async def behave(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with wired(behave, slots=1) as (server, wire):
        waiting = asyncio.create_task(wire.exchange(POST, 30))
        while not server.requests:
            await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        while server.open:
            await asyncio.sleep(0.001)
        assert waiting.cancelled()


async def test_closing_lets_a_running_exchange_end_and_keeps_nothing() -> None:
    go = asyncio.Event()

    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)

    async with wired(behave) as (server, wire):
        running = asyncio.create_task(wire.exchange(GET, 5))
        while not server.requests:
            await asyncio.sleep(0.001)
        wire.close()
        go.set()
        assert (await running).status == 200
        while server.open:
            await asyncio.sleep(0.001)


# --- no connection --------------------------------------------------------------------------------


async def test_a_connection_that_is_not_made_in_time_has_sent_nothing() -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        wire = Wire(Origin(host="127.0.0.1", port=full.getsockname()[1]), 1)
        with pytest.raises(NeverSent, match="TimeoutError"):
            await wire.exchange(POST, 0.2)


async def test_a_name_that_leads_nowhere_has_sent_nothing() -> None:
    for name in ("nowhere.invalid", "x" * 70 + ".invalid"):
        with pytest.raises(NeverSent):
            await Wire(Origin(host=name, port=80), 1).exchange(POST, 5)


def certificate(name: str, folder: Path) -> Path:
    """A self-signed certificate with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("shown", "trusted", "accepted"),
    [("localhost", True, True), ("elsewhere.example", True, False), ("localhost", False, False)],
    ids=["good", "another's name", "an unknown authority"],
)
async def test_a_server_must_prove_its_name(
    shown: str, trusted: bool, accepted: bool, tmp_path: Path
) -> None:
    path = certificate(shown, tmp_path)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(path)
    ours = ssl.create_default_context(cafile=str(path) if trusted else None)
    async with serving(answering(OK), secure) as (server, url):
        wire = Wire(Origin(host="localhost", port=port_of(url), secure=ours), 1)
        if accepted:
            for _ in range(3):
                assert (await wire.exchange(POST, 5)).body == b"{}"
            assert server.connections == 1
        else:
            with pytest.raises(NeverSent, match="SSLCertVerificationError"):
                await wire.exchange(POST, 5)
            assert server.requests == []
        wire.close()


async def test_a_connection_that_ends_before_anything_is_written_has_sent_nothing() -> None:
    async with serving(answering(OK)) as (server, url):
        made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port_of(url))
        made[0].abort()
        with pytest.raises(NeverSent):
            await made[1].exchange(POST, 5)
    assert server.requests == []
