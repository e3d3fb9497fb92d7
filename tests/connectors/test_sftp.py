"""The folder on an SFTP server, over real SSH: who the server is, who we are, and files that are not whole yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncssh
import msgspec
import pytest

from integration.errors import Misconfigured, Rejected, Unreachable
from integration.ports_files import DroppedFile
from integration.sandbox.sftp import INCOMING, SftpSandbox, SftpSandboxConfig
from integration.sftp import SftpConfig, SftpDrop


@pytest.fixture
async def server() -> AsyncIterator[SftpSandbox]:
    async with SftpSandbox(SftpSandboxConfig(slow_seconds=1, piece=1024)).served() as made:
        yield made


def config(server: SftpSandbox, **changes: Any) -> SftpConfig:
    plain = SftpConfig(
        host="127.0.0.1",
        port=server.port,
        user="sandbox",
        password="sandbox-sftp",
        host_key=server.host_key,
        folder=INCOMING,
        connect_seconds=10,
        read_seconds=10,
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
async def drop(server: SftpSandbox) -> AsyncIterator[SftpDrop]:
    made = SftpDrop(config(server))
    yield made
    await made.close()


async def listed(server: SftpSandbox, **changes: Any) -> tuple[DroppedFile, ...]:
    made = SftpDrop(config(server, **changes))
    try:
        return await made.files()
    finally:
        await made.close()


async def test_files_are_listed_fetched_and_archived(server: SftpSandbox, drop: SftpDrop) -> None:
    server.leave("sandbox", "b.csv", b"2" * 5_000)
    server.leave("sandbox", "a.csv", b"1")

    first, second = await drop.files()
    assert (first.name, first.size, second.name, second.size) == ("a.csv", 1, "b.csv", 5_000)
    assert await drop.fetch(second, 10_000) == b"2" * 5_000

    await drop.archive("b.csv", "seen-b.csv")
    assert [file.name for file in await drop.files()] == ["a.csv"]
    assert server.names("sandbox", "archive") == ["seen-b.csv"]
    assert (server.folder("sandbox") / "archive" / "seen-b.csv").read_bytes() == b"2" * 5_000


async def test_archiving_twice_is_archiving_once(server: SftpSandbox, drop: SftpDrop) -> None:
    server.leave("sandbox", "a.csv", b"1")
    await drop.archive("a.csv", "a.csv")
    await drop.archive("a.csv", "a.csv")

    assert server.names("sandbox", "archive") == ["a.csv"]


async def test_what_is_still_written_or_no_file_is_not_listed(server: SftpSandbox) -> None:
    for name in ("a.csv.part", "b.csv.filepart", ".hidden.csv", "c.tmp", "d.csv"):
        (server.folder("sandbox") / name).write_bytes(b"x")
    (server.folder("sandbox") / "folder.csv").mkdir()
    (server.folder("sandbox") / "back\\slash.csv").write_bytes(b"x")

    assert [file.name for file in await listed(server)] == ["d.csv"]


async def test_a_key_or_its_fingerprint_may_be_pinned_and_two_while_it_changes(server: SftpSandbox) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for pinned in (server.host_key, server.fingerprint, f"{other}\n{server.fingerprint}\n"):
        assert await listed(server, host_key=pinned) == ()


async def test_a_server_with_another_host_key_gets_no_password(server: SftpSandbox) -> None:
    pinned = server.host_key
    server.change_host_key()

    with pytest.raises(Misconfigured, match="another host key") as refused:
        await listed(server, host_key=pinned)

    assert refused.value.error_code == "sftp.host-key"
    assert refused.value.evidence == {"seen": server.fingerprint}
    assert server.logins == []


@pytest.mark.parametrize("pinned", ["", "nonsense", "ssh-ed25519 AAAA"])
async def test_without_a_pinned_key_nothing_is_sent(server: SftpSandbox, pinned: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        await listed(server, host_key=pinned)

    assert (refused.value.error_code, server.logins) == ("sftp.host-key", [])


async def test_a_private_key_opens_the_folder_as_well(server: SftpSandbox) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    private = key.export_private_key("pkcs8-pem", passphrase="open sesame").decode()
    server.authorised["sandbox"] = [key.convert_to_public()]

    assert await listed(server, password="", private_key=private, passphrase="open sesame") == ()
    with pytest.raises(Misconfigured) as refused:
        await listed(server, password="", private_key=private, passphrase="wrong")
    assert refused.value.error_code == "sftp.private-key"


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"user": "somebody"}])
async def test_a_login_that_is_refused_says_so(server: SftpSandbox, changes: dict[str, str]) -> None:
    with pytest.raises(Misconfigured) as refused:
        await listed(server, **changes)

    assert refused.value.error_code == "sftp.login"
    assert "wrong" not in str(refused.value)


async def test_a_folder_that_is_not_there_says_so(server: SftpSandbox) -> None:
    with pytest.raises(Misconfigured) as refused:
        await listed(server, folder="elsewhere")

    assert refused.value.error_code == "sftp.folder"


async def test_nobody_gets_out_of_their_folder(server: SftpSandbox) -> None:
    (server.root / "secret.csv").write_bytes(b"x")

    with pytest.raises(Misconfigured):
        await listed(server, folder="../../..//etc")
    assert [file.name for file in await listed(server, folder="..")] == []


async def test_a_connection_that_breaks_in_a_file_is_transient_and_the_next_fetch_has_it_whole(
    server: SftpSandbox, drop: SftpDrop
) -> None:
    server.leave("sandbox", "a.csv", b"1" * 50_000)
    (file,) = await drop.files()
    server.order("drop-mid-transfer")

    with pytest.raises(Unreachable):
        await drop.fetch(file, 100_000)

    assert await drop.fetch(file, 100_000) == b"1" * 50_000


async def test_a_server_that_is_slow_or_silent_is_given_up(server: SftpSandbox) -> None:
    server.leave("sandbox", "a.csv", b"1" * 50_000)
    slow = SftpDrop(config(server, read_seconds=0.3))
    (file,) = await slow.files()
    server.order("slow", 100)
    with pytest.raises(Unreachable):
        await slow.fetch(file, 100_000)
    await slow.close()

    server.order("no-answer")
    with pytest.raises(Unreachable):
        await listed(server, connect_seconds=0.5)


async def test_nobody_listening_is_transient(server: SftpSandbox) -> None:
    with pytest.raises(Unreachable):
        await listed(server, port=1)


async def test_a_file_that_grows_while_it_is_fetched_is_not_taken(
    server: SftpSandbox, drop: SftpDrop
) -> None:
    path = server.leave_growing("sandbox", "a.csv", [b"1" * 100, b"2" * 100])
    (file,) = await drop.files()
    path.write_bytes(b"1" * 150)

    with pytest.raises(Unreachable) as refused:
        await drop.fetch(file, 10_000)

    assert refused.value.error_code == "sftp.changed"


async def test_a_file_that_is_too_large_is_not_fetched(server: SftpSandbox, drop: SftpDrop) -> None:
    server.leave("sandbox", "a.csv", b"1" * 5_000)
    (file,) = await drop.files()

    with pytest.raises(Rejected) as refused:
        await drop.fetch(file, 4_999)

    assert refused.value.error_code == "file.too-large"
