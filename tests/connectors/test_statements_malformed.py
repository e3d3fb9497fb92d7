"""The malformed corpus: each file is taken row by row or refused with a clear code, and nothing ever crashes."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.statements.reading import open_file
from integration.statements.refusal import FileRefused, Limits
from tests.connectors import statement_files as made
from tests.connectors.statement_files import reading

GOOD = made.table(made.SETTLEMENT, [made.settled(number) for number in range(1, 6)])
BOOK = made.workbook(made.SETTLEMENT, [made.settled(1), made.settled(2)])
NAMES = made.table(made.CHARGEBACK, [[*made.notice()[:5], "Café – Zoë", *made.notice()[6:]]])


def lying() -> bytes:
    """An archive whose directory says that a part unpacks to less than it does."""
    content = bytearray(made.archive({"xl/worksheets/sheet1.xml": b"0" * 100_000}))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 10)
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(BOOK)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(mark)
        content[place + at] |= 1
    return bytes(content)


def doubled() -> bytes:
    buffer = io.BytesIO(BOOK)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    return buffer.getvalue()


def cell(reference: str) -> bytes:
    return made.sheet_of(f'<row r="1"><c r="{reference}"><v>1</v></c></row>')


REFUSED: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "nothing": (b"", "file.empty"),
    "blank lines": (b"\r\n \r\n\t\r\n", "file.empty"),
    "a mark of byte order and nothing": (b"\xef\xbb\xbf", "file.empty"),
    "binary junk": (bytes(range(256)) * 40, "file.not-a-table"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "file.not-a-table"),
    "a page": (b"<html><body>Session expired</body></html>", "file.layout-unknown"),
    "an error in JSON": (b'{"error": "no such report"}', "file.layout-unknown"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "file.not-a-table"),
    "a NUL in a cell": (GOOD.replace("SO-3", "SO\0").encode(), "file.not-a-table"),
    "a control sign": (GOOD.replace("SO-3", "SO\x07").encode(), "file.not-a-table"),
    "UTF-32": (GOOD.encode("utf-32"), "file.encoding"),
    "UTF-16 with half a sign": (GOOD.encode("utf-16")[:-1], "file.encoding"),
    "UTF-8 by its mark, Latin-1 by its bytes": (b"\xef\xbb\xbf" + NAMES.encode("cp1252"), "file.encoding"),
    "cut inside a sign": (NAMES.encode()[: NAMES.encode().index(b"\xc3\xab") + 1], "file.truncated"),
    "cut inside a row": (GOOD.encode()[:-40], "file.truncated"),
    "cut inside quotes": (GOOD.replace("SO-5", '"SO-5').encode(), "file.truncated"),
    "quotes inside quotes": (GOOD.replace("SO-3", '"SO"3').encode(), "file.quoting"),
    "a line of a megabyte": (b"a" * 1_000_000, "file.line-too-long"),
    "a cell of a megabyte": (GOOD.replace("SO-3", "S" * 1_000_000).encode(), "file.line-too-long"),
    "a million lines": (b"\n" * 200_000 + GOOD.encode(), "file.too-large"),
    "eleven megabytes": (GOOD.encode() * 12_000, "file.too-large"),
    "no header": (GOOD.split("\r\n", 1)[1].encode(), "file.layout-unknown"),
    "other columns": (b"a,b,c\n1,2,3\n", "file.layout-unknown"),
    "columns missing": (GOOD.replace("gross_amount", "brutto").encode(), "file.columns-missing"),
    "a column twice": (GOOD.replace("card_scheme", "gross_amount").encode(), "file.duplicate-header"),
    "a wrong sum": (made.table(made.BANK, [["02/06/25", "x", "1", "CR", ""], ["Total", "", "2", "CR", ""]]).encode(),
                    "file.totals-differ"),
    "workbook: cut off": (BOOK[: len(BOOK) // 2], "file.truncated"),
    "workbook: only its first bytes": (b"PK\x03\x04", "file.truncated"),
    "workbook: an empty archive": (b"PK\x05\x06" + b"\0" * 18, "file.not-a-table"),
    "workbook: changed bytes": (BOOK[:80] + b"\xff" * 60 + BOOK[140:], "file.truncated"),
    "workbook: an archive of CSV files": (lambda: made.archive({"a.csv": GOOD.encode()}, typed=False), "file.not-a-table"),
    "workbook: no sheets": (lambda: made.archive({"xl/workbook.xml": b"<workbook/>"}), "file.workbook-damaged"),
    "workbook: an archive inside": (lambda: made.archive({"xl/inner.zip": BOOK}), "file.nested-archive"),
    "workbook: an archive inside under another name": (lambda: made.archive({"xl/a.xml": BOOK}), "file.nested-archive"),
    "workbook: a bomb": (lambda: made.archive({"xl/worksheets/sheet1.xml": b"0" * 20_000_000}), "file.zip-bomb"),
    "workbook: a bomb of many parts": (
        lambda: made.archive({f"xl/{n}.xml": b"0" * 900_000 for n in range(70)}), "file.zip-bomb"),
    "workbook: too many parts": (lambda: made.archive({f"xl/{n}.xml": b"" for n in range(600)}), "file.too-large"),
    "workbook: a size that is a lie": (lying, "file.truncated"),
    "workbook: a part twice": (doubled, "file.too-large"),
    "workbook: a password": (encrypted, "file.encrypted"),
    "workbook: a name that climbs": (lambda: made.archive({"../../etc/cron.d/x": b"x"}), "file.unsafe-name"),
    "workbook: a name from the root": (lambda: made.archive({"/etc/passwd": b"x"}), "file.unsafe-name"),
    "workbook: a name of Windows": (lambda: made.archive({"..\\..\\x": b"x"}), "file.unsafe-name"),
    "workbook: entities": (
        lambda: made.archive({"xl/a.xml": b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'}), "file.workbook-damaged"),
    "workbook: a cell at the end of the world": (lambda: cell("XFD1048576"), "file.too-large"),
    "workbook: a cell far to the right": (lambda: cell("ZZ1"), "file.too-large"),
    "workbook: a row far down": (lambda: made.sheet_of("<row r='1048576'><c><v>1</v></c></row>"), "file.too-large"),
    "workbook: no table": (lambda: made.workbook(["Dear", "customer"], []), "file.layout-unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_the_corpus_is_refused_with_its_code(name: str) -> None:
    content, code = REFUSED[name]

    with pytest.raises(FileRefused) as refused:
        reading(content() if callable(content) else content)

    assert refused.value.error_code == code
    assert refused.value.title
    assert refused.value.advice


def changed(place: int, value: str) -> bytes:
    row = made.settled(2)
    row[place] = value
    return made.table(made.SETTLEMENT, [made.settled(1), row, made.settled(3)]).encode()


# Content, rows taken, and the codes of what is wrong with the others.
TAKEN: dict[str, tuple[bytes, int, list[str]]] = {
    "a header alone": (made.table(made.SETTLEMENT, []).encode(), 0, []),
    "no end of the last line": (GOOD.strip().encode(), 5, []),
    "an end as of DOS": (GOOD.encode() + b"\x1a", 5, []),
    "blank lines between": (GOOD.replace("\r\n", "\r\n\r\n").encode(), 5, []),
    "a line for Excel": (b"sep=;\r\n" + made.table(made.SETTLEMENT, [made.settled(1)], ";").encode(), 1, []),
    "Windows-1252": (NAMES.encode("cp1252"), 1, []),
    "Latin-1 with what Windows-1252 lacks": (NAMES.replace("–", "\x81").encode("latin-1"), 1, []),
    "line ends inside quotes": (NAMES.replace("Café – Zoë", '"Café\r\nZoë"').encode(), 1, []),
    "a cell too many": (GOOD.replace("SO-3", "SO,3").encode(), 4, ["row.cells"]),
    "a cell too few": (GOOD.replace("SO-3,", "").encode(), 4, ["row.cells"]),
    "thousands not quoted": (GOOD.replace("10.00,0.14", "1,010.00,0.14", 1).encode(), 4, ["row.cells"]),
    "an amount in words": (changed(9, "ten"), 2, ["row.bad-amount"]),
    "an amount with a comma for a point": (changed(9, "10,00"), 2, ["row.bad-amount"]),
    "too many decimals": (changed(9, "10.001"), 2, ["row.bad-amount"]),
    "no amount": (changed(9, ""), 2, ["row.empty"]),
    "a formula for an amount": (changed(9, "=5+5"), 2, ["row.bad-amount"]),
    "a net that does not fit": (changed(11, "9.99"), 2, ["row.net-differs"]),
    "no currency": (changed(8, "pounds"), 2, ["row.bad-currency"]),
    "a day that is none": (changed(16, "2025-02-30"), 2, ["row.bad-date"]),
    "a year that is none": (changed(16, "0025-06-05"), 2, ["row.bad-date"]),
    "a year of the last century": (changed(16, "05/06/99"), 2, ["row.bad-date"]),
    "an id that is none": (changed(6, "12345"), 2, ["row.bad-id"]),
    "a number that is none": (changed(4, "two"), 2, ["row.bad-number"]),
    "digits of a card that are more than four": (changed(13, "00061"), 2, ["row.bad-digits"]),
    "a text that is too long": (changed(15, "x" * 5_000), 2, ["row.text-too-long"]),
    "a formula for a text": (changed(15, '=HYPERLINK("http://x")'), 3, []),
    "a total that no layout knows": (GOOD.encode() + b"Total" + b"," * 16 + b"\r\n", 5, ["row.empty"]),
    "a stage that is none": (made.table(made.CHARGEBACK, [made.notice(stage="lost")]).encode(), 0, ["row.unknown-word"]),
    "no payment": (made.table(made.CHARGEBACK, [[*made.notice()[:8], "", "", *made.notice()[10:]]]).encode(),
                   0, ["row.no-reference"]),
    "both a credit and a debit": (
        made.table(made.ACQUIRER, [["1", "1", "02/06/25", "SO", "1", "2", ""]]).encode(), 0, ["row.bad-amount"]),
    "a side that is none": (made.table(made.BANK, [["02/06/25", "x", "1", "??", ""]]).encode(), 0, ["row.bad-amount"]),
    "a sign beside a side": (made.table(made.BANK, [["02/06/25", "x", "-1", "DR", ""]]).encode(), 0, ["row.bad-amount"]),
    "a code that Opayo cannot have": (
        made.table(made.MYOPAYO, [["SO 1/€", "", "Payment", "1", "GBP", "02/06/25", ""]]).encode(), 0, ["row.bad-code"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_of_the_corpus_is_taken_row_by_row(name: str) -> None:
    content, rows, codes = TAKEN[name]
    found = reading(content)

    assert len(found.rows) == rows
    assert [row.problems[0].code for row in found.bad] == codes
    assert all(problem.what and problem.how for row in found.bad for problem in row.problems)


def test_the_corpus_is_not_small() -> None:
    assert len(REFUSED) + len(TAKEN) >= 40


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_bytes_that_are_changed_anywhere_never_crash_the_reader(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([GOOD.encode(), NAMES.encode(), BOOK])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 40)))
        content[start:end] = data.draw(st.binary(max_size=12))
    code, kind = "", ""
    try:
        kind = reading(bytes(content)).kind
    except FileRefused as refused:
        code = refused.error_code
    assert code.startswith("file.") or kind in ("settlement", "chargeback")


def test_limits_are_those_of_the_caller() -> None:
    with pytest.raises(FileRefused) as refused:
        open_file(GOOD.encode(), Limits(size=100))

    assert refused.value.error_code == "file.too-large"
