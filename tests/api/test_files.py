"""Uploads over the API: previewed, taken row by row or refused with a clear code, corrected and sent again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from service.store.tables import inbox
from service.store.tables_files import file_rows, files
from tests.api.office import Office
from tests.connectors import statement_files as made

GOOD = made.table(made.SETTLEMENT, [made.settled(1), made.settled(2)])
MIXED = made.table(made.SETTLEMENT, [made.settled(1), made.settled(2, net="1.00")])


async def send(
    desk: Office, content: bytes | str, name: str = "a.csv", path: str = "files", **more: Any
) -> httpx.Response:
    body = content if isinstance(content, bytes) else content.encode()
    return await desk.call(
        "POST", path, more.pop("key", "north operator"), files={"file": (name, body)}, **more
    )


async def test_a_file_is_taken_row_by_row_and_told_with_its_totals(desk: Office) -> None:
    answer = (await send(desk, MIXED, "June 2025.csv")).json()

    assert answer["new"] is True
    file = answer["file"]
    assert (file["name"], file["kind"], file["state"]) == ("June 2025.csv", "settlement", "taken")
    assert (file["rows_new"], file["rows_known"], file["rows_bad"]) == (1, 0, 1)
    assert (file["taken_by"], file["totals"]["found"]["gross GBP"]) == ("north operator", "20.00")
    (problem,) = file["bad"][0]["problems"]
    assert (file["bad"][0]["line"], problem["field"], problem["code"]) == (3, "net", "row.net-differs")

    again = (await send(desk, MIXED, "another name.csv")).json()
    assert (again["new"], again["file"]["file_id"], again["file"]["deliveries"]) == (
        False,
        file["file_id"],
        2,
    )
    assert [each["file_id"] for each in (await desk.get("files"))["items"]] == [file["file_id"]]
    assert (await desk.get("files?status=refused"))["items"] == []
    (row,) = (await desk.get(f"files/{file['file_id']}/rows"))["items"]
    assert (row["line"], row["document"]["line"]["vendor_tx_code"]) == (2, "SO-1")


async def test_bad_rows_are_downloaded_corrected_and_uploaded(desk: Office) -> None:
    first = (await send(desk, MIXED)).json()["file"]

    download = await desk.call("GET", f"files/{first['file_id']}/bad-rows")
    assert download.headers["content-disposition"] == 'attachment; filename="a-bad-rows.csv"'
    assert "gross less fee" in download.text
    second = (await send(desk, download.text.replace(",1.00,", ",9.86,"), "corrected.csv")).json()["file"]

    assert (second["rows_new"], second["rows_bad"]) == (1, 0)
    assert len(await desk.rows(file_rows)) == 2


async def test_a_preview_keeps_nothing(desk: Office) -> None:
    told = (await send(desk, MIXED, path="files/preview", key="north viewer")).json()

    assert (told["layout"], told["rows"], told["bad_rows"], len(told["sample"])) == ("settlement", 1, 1, 1)
    assert await desk.rows(files) == []


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.csv", "file.empty"),
        (made.archive({"xl/worksheets/sheet1.xml": b"0" * 20_000_000}), "bomb.xlsx", "file.zip-bomb"),
        (made.archive({"../../etc/cron.d/x": b"x"}), "climbs.xlsx", "file.unsafe-name"),
        (GOOD[:-40], "cut.csv", "file.truncated"),
        (GOOD, "../../etc/passwd", "file.unsafe-name"),
        (GOOD, "a\\..\\b.csv", "file.unsafe-name"),
        (GOOD, "4929000000006.csv", "cards.refused"),
        (GOOD.replace("Visa", "4929 0000 0000 6").encode("utf-16"), "a.csv", "cards.refused"),
        (b"a;b\n1;2\n", "other.csv", "file.layout-unknown"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_with_its_code(
    desk: Office, content: bytes | str, name: str, code: str
) -> None:
    answer = await send(desk, content, name)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["hint"]
    assert "4929" not in answer.text
    assert await desk.rows(file_rows) == await desk.rows(inbox) == []
    assert all(row["state"] == "refused" for row in await desk.rows(files))


async def test_a_file_may_be_larger_than_other_bodies_up_to_a_limit(desk: Office) -> None:
    large = made.table(made.SETTLEMENT, [made.settled(number) for number in range(1, 8_001)])
    assert len(large) > 1_100_000

    assert (await send(desk, large)).json()["file"]["rows_new"] == 8_000
    assert (await send(desk, b"x" * 11_000_000)).status_code == 413


async def test_a_workbook_is_taken_and_its_bytes_are_not_searched_for_card_numbers(desk: Office) -> None:
    book = made.workbook(made.SETTLEMENT, [made.settled(1)]) + b" cvv=123 "

    answer = await send(desk, book, "a.xlsx")

    assert answer.json().get("code", "") != "cards.refused"


async def test_another_pair_sees_no_file(desk: Office) -> None:
    file = (await send(desk, GOOD)).json()["file"]
    theirs = f"/api/v1/pairs/south/files/{file['file_id']}"

    assert (await desk.get("/api/v1/pairs/south/files", "south viewer"))["items"] == []
    for path in (theirs, f"{theirs}/bad-rows"):
        assert (await desk.call("GET", path, "south viewer")).status_code == 404
    assert (await desk.get(f"{theirs}/rows", "south viewer"))["items"] == []


async def test_layouts_are_shown_and_a_pair_may_have_its_own(desk: Office) -> None:
    shipped = (await desk.get("files/layouts"))["items"]
    assert {"settlement", "chargeback", "bank_statement"} <= {each["name"] for each in shipped}

    settings = (await desk.get("/api/v1/pairs/north", "north admin"))["settings"]
    own = next(each for each in shipped if each["name"] == "bank_statement") | {"name": "our_bank"}
    own["columns"]["description"]["header"] = ["Buchungstext"]
    wanted = settings | {"files": settings["files"] | {"own_layouts": [own]}}
    broken = settings | {"files": {"own_layouts": [own | {"kind": "novel"}]}}
    assert (await desk.call("PUT", "/api/v1/pairs/north", json=broken)).status_code == 400
    assert (await desk.call("PUT", "/api/v1/pairs/north", json=wanted)).status_code == 200
    try:
        bank = made.table(["Date", "Buchungstext", "Amount", "CR/DR"], [["02/06/25", "x", "1.00", "CR"]])
        assert (await send(desk, bank)).json()["file"]["layout"] == "our_bank"
    finally:
        await desk.call("PUT", "/api/v1/pairs/north", json=settings)
