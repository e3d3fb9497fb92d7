"""Files that arrive: a day of the acquirer's, dropped over real SSH, is taken once, archived, and harmless twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from integration.canonical.chargeback import ChargebackNotice
from integration.errors import Misconfigured, Unreachable
from integration.sandbox.sftp import SftpSandbox
from integration.sandbox.sftp.day_files import fee_of
from integration.statements.refusal import FileRefused
from service.jobs.schedule import JOBS
from service.store import pairs
from service.store.tables import alerts, inbox
from service.store.tables_files import dropped_files, file_rows, files
from tests.connectors import statement_files as made
from tests.flow.site import site
from tests.journeys.file_site import VENDOR, Acquirer, a_day


@pytest.fixture
async def acquirer(database_url: str) -> AsyncIterator[Acquirer]:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(SftpSandbox().served())
        north = await stack.enter_async_context(site(database_url, shop=False))
        joined = Acquirer(north, server)
        await joined.configure()
        yield joined


async def test_a_days_files_are_taken_once_archived_and_harmless_when_dropped_again(
    acquirer: Acquirer,
) -> None:
    names = await a_day(acquirer)
    assert [name.split("-")[0] for name in names] == ["chargebacks", "settlement", "transactions"]

    assert await acquirer.poll() == {"taken": 0, "known": 0, "refused": 0, "waiting": 3}
    assert await acquirer.poll() == {"taken": 3, "known": 0, "refused": 0, "waiting": 0}

    assert acquirer.server.names(VENDOR) == []
    assert len(acquirer.server.names(VENDOR, "archive")) == 3
    kinds = {row["kind"]: row for row in await acquirer.rows(files)}
    assert {kind: (row["rows_new"], row["rows_bad"]) for kind, row in kinds.items()} == {
        "settlement": (3, 0), "chargeback": (2, 0), "transaction": (1, 0),
    }  # fmt: skip
    assert all(row["archived_at"] for row in kinds.values())
    settled = [row for row in await acquirer.rows(file_rows) if row["kind"] == "settlement"]
    assert {row["vendor_tx_code"]: row["amount_minor"] for row in settled} == {
        "SO-1": 10_000, "SO-2": 2_550, "SO-3": 799,
    }  # fmt: skip
    fees = sum(row["document"]["line"]["fee"]["minor"] for row in settled)
    assert fees == sum(fee_of(row) for row in acquirer.site.opayo.parts.store.batches[0].rows)

    before = await acquirer.rows(inbox)
    for path in (acquirer.server.folder(VENDOR) / "archive").iterdir():
        acquirer.server.leave(VENDOR, f"again-{path.name}", path.read_bytes())
    await acquirer.poll()
    assert await acquirer.poll() == {"taken": 0, "known": 3, "refused": 0, "waiting": 0}
    assert await acquirer.rows(inbox) == before
    assert {row["deliveries"] for row in await acquirer.rows(files)} == {2}
    assert acquirer.server.names(VENDOR) == []
    assert await acquirer.rows(dropped_files) == []


async def test_notices_of_chargebacks_reach_the_inbox_each_as_a_message_of_its_own(
    acquirer: Acquirer,
) -> None:
    await a_day(acquirer)
    await acquirer.poll()
    await acquirer.poll()

    told = [row for row in await acquirer.rows(inbox) if row["kind"].startswith("chargeback.")]
    assert {row["kind"] for row in told} == {"chargeback.first_chargeback", "chargeback.representment"}
    assert len({row["transaction_id"] for row in told}) == 2
    for row in told:
        notice = msgspec.json.decode(row["body"], type=ChargebackNotice)
        assert (row["source"], notice.vendor_tx_code, notice.amount.minor) == ("file", "SO-1", 10_000)
        assert row["event_id"] in {each["row_hash"] for each in await acquirer.rows(file_rows)}


async def test_a_transaction_that_only_an_export_told_of_is_read_at_opayo_and_posted(
    acquirer: Acquirer,
) -> None:
    await acquirer.site.pay("SO-9", 1_234)
    row = ["SO-9", "", "Payment", "99.99", "GBP", "02/06/2025 10:00:00", "Ok"]
    await acquirer.upload("export.csv", made.table(made.MYOPAYO, [row]))

    await acquirer.site.walk()

    payment = await acquirer.site.payment("SO-9")
    assert (payment.state, payment.amount_minor) == ("confirmed", 1_234)
    assert await acquirer.site.ar_payments("SO-9") == [1_234]


async def test_an_export_of_another_vendor_ends_in_dead_letters(acquirer: Acquirer) -> None:
    row = ["SO-X", "", "Payment", "1.00", "GBP", "02/06/2025 10:00:00", "Ok"]
    await acquirer.upload("export.csv", made.table(made.MYOPAYO, [row]))

    await acquirer.site.walk()

    (message,) = await acquirer.rows(inbox)
    assert (message["state"], message["error"]["code"]) == ("dead_letter", "opayo.not-found")


async def test_the_same_row_in_another_file_is_counted_and_not_taken_again(acquirer: Acquirer) -> None:
    first, second = made.notice("CB-1"), made.notice("CB-2")
    await acquirer.upload("monday.csv", made.table(made.CHARGEBACK, [first]))
    taken = await acquirer.upload(
        "tuesday.csv", made.table(made.CHARGEBACK, [second, first, second]).encode("utf-16")
    )

    assert taken.counts is not None
    assert (taken.counts.new, taken.counts.known, taken.counts.bad) == (1, 2, 0)
    assert len(await acquirer.rows(inbox)) == len(await acquirer.rows(file_rows)) == 2
    monday, tuesday = sorted(await acquirer.rows(files), key=lambda row: row["file_id"])
    known = [(each["line"], each["file_id"]) for each in tuesday["known"]["rows"]]
    assert known == [(3, monday["file_id"]), (4, tuesday["file_id"])]


async def test_ten_who_bring_the_same_file_at_once_bring_it_once(acquirer: Acquirer) -> None:
    content = made.table(made.CHARGEBACK, [made.notice(f"CB-{number}") for number in range(20)])

    taken = await asyncio.gather(*(acquirer.upload("a.csv", content) for _ in range(10)))

    assert sorted(each.new for each in taken) == [False] * 9 + [True]
    assert len(await acquirer.rows(inbox)) == len(await acquirer.rows(file_rows)) == 20
    (file,) = await acquirer.rows(files)
    assert (file["deliveries"], file["rows_new"]) == (10, 20)


async def test_a_refused_file_leaves_its_reason_and_nothing_else_and_may_be_taken_later(
    acquirer: Acquirer,
) -> None:
    row = made.settled(1)
    text = made.table([f"our {name}" for name in made.SETTLEMENT], [row])
    with pytest.raises(FileRefused, match="No layout"):
        await acquirer.upload("a.csv", text)

    (file,) = await acquirer.rows(files)
    assert (file["state"], file["error"]["code"]) == ("refused", "file.layout-unknown")
    assert await acquirer.rows(file_rows) == await acquirer.rows(inbox) == []

    layout = msgspec.to_builtins(next(each for each in made.layouts() if each.name == "settlement"))
    for column in (*layout["columns"].values(), *layout["amounts"].values()):
        column["header"] = [f"our {name}" for name in column["header"]]
    await acquirer.configure(own_layouts=[layout | {"name": "own"}])
    assert (await acquirer.upload("a.csv", text)).new
    (file,) = await acquirer.rows(files)
    assert (file["state"], file["layout"], file["error"], file["deliveries"]) == ("taken", "own", None, 2)


async def test_a_dropped_file_that_is_refused_is_archived_with_an_alert(acquirer: Acquirer) -> None:
    acquirer.server.leave(VENDOR, "a.csv", b"\x00\x01\x02" * 40)
    acquirer.server.leave(
        VENDOR, "b.csv", made.table(made.SETTLEMENT, [made.settled(1), made.settled(2, net="1")]).encode()
    )
    await acquirer.poll()

    assert await acquirer.poll() == {"taken": 1, "known": 0, "refused": 1, "waiting": 0}

    assert [name.split("-")[0] for name in acquirer.server.names(VENDOR, "archive")].count("refused") == 1
    assert {row["code"] for row in await acquirer.rows(alerts)} == {"file.not-a-table", "file.bad-rows"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_with_a_card_number_is_refused_and_nothing_of_it_is_kept(
    acquirer: Acquirer, form: str
) -> None:
    row = made.notice()
    row[5] = "card 4929 0000 0000 6 stolen"
    content = (
        made.workbook(made.CHARGEBACK, [row])
        if form == "xlsx"
        else made.table(made.CHARGEBACK, [row]).encode("utf-16")
    )
    acquirer.server.leave(VENDOR, f"a.{form}", content)
    acquirer.server.leave(VENDOR, "4929000000006.csv", content)
    await acquirer.poll()

    assert (await acquirer.poll())["refused"] == 1

    (file,) = await acquirer.rows(files)
    assert (file["state"], file["error"]["code"]) == ("refused", "cards.refused")
    kept = [str(await acquirer.rows(table)) for table in (files, file_rows, inbox, alerts, dropped_files)]
    assert not any("4929" in text for text in kept)


async def test_a_file_that_still_grows_waits_until_it_has_come_to_rest(acquirer: Acquirer) -> None:
    text = made.table(made.SETTLEMENT, [made.settled(number) for number in range(1, 7)]).encode()
    third = len(text) // 3
    acquirer.server.leave_growing(VENDOR, "a.csv", [text[:third], text[third : 2 * third], text[2 * third :]])

    told = [await acquirer.poll() for _ in range(4)]

    assert [each["waiting"] for each in told] == [1, 1, 1, 0] or [each["waiting"] for each in told] == [
        1,
        1,
        0,
        0,
    ]
    assert [row["rows_new"] for row in await acquirer.rows(files)] == [6]


async def test_a_connection_that_breaks_takes_nothing_in_part_and_the_next_poll_takes_it_whole(
    acquirer: Acquirer,
) -> None:
    acquirer.server.leave(
        VENDOR, "a.csv", made.table(made.CHARGEBACK, [made.notice(f"CB-{n}") for n in range(400)]).encode()
    )
    await acquirer.poll()
    acquirer.server.order("drop-mid-transfer")
    with pytest.raises(Unreachable):
        await acquirer.poll()
    assert await acquirer.rows(files) == []

    assert (await acquirer.poll())["taken"] == 1
    assert len(await acquirer.rows(inbox)) == 400


async def test_a_crash_between_commit_and_archive_is_repaired_by_the_next_poll(
    acquirer: Acquirer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_day(acquirer)
    await acquirer.poll()
    with monkeypatch.context() as patch:
        patch.setattr("integration.sftp.client.SftpDrop.archive", _dies)
        with pytest.raises(Died):
            await acquirer.poll()
    before = await acquirer.rows(inbox)
    assert len(await acquirer.rows(files)) == 1

    outcome = await acquirer.poll()

    assert (outcome["known"], outcome["taken"]) == (1, 2)
    assert acquirer.server.names(VENDOR) == []
    after = {row["inbox_id"] for row in await acquirer.rows(inbox)}
    assert {row["inbox_id"] for row in before} <= after
    assert len(after) == 3


class Died(Exception):
    """The process ends here."""


async def _dies(*_: object) -> None:
    raise Died


async def test_a_server_with_another_host_key_raises_an_alert_and_gets_no_password(
    acquirer: Acquirer,
) -> None:
    acquirer.server.change_host_key()

    with pytest.raises(Misconfigured):
        await acquirer.poll()

    (alert,) = await acquirer.rows(alerts)
    assert (alert["code"], alert["severity"]) == ("sftp.host-key", "critical")
    assert acquirer.server.logins == []


async def test_the_pairs_secrets_are_sealed(acquirer: Acquirer) -> None:
    async with acquirer.site.engine.connect() as connection:
        shown = await pairs.shown(connection, acquirer.site.pair)

    assert acquirer.server.config.vendors[VENDOR] not in str(shown)
    assert "file drop" in {job.name for job in JOBS}


async def test_without_a_folder_there_is_nothing_to_do(acquirer: Acquirer) -> None:
    await acquirer.configure(host="")

    assert await acquirer.poll() == {"folder": "none"}
