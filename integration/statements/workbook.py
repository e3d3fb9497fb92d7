"""A workbook (XLSX) becomes lines of cells, after everything that could make reading it dangerous was looked at."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineWorkbook

from integration.statements.refusal import FileRefused, Limits
from integration.statements.text import Line
from integration.statements.values import Number

SIGNATURE = b"PK\x03\x04"
_EMPTY_ARCHIVE = b"PK\x05\x06"
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xd0\xcf\x11\xe0")
_ARCHIVE_NAMES = (".zip", ".xlsx", ".xlsm", ".xls", ".gz", ".7z", ".rar", ".bz2", ".tar", ".xz", ".docx")
_CHUNK = 1 << 16
_REFERENCE = re.compile(rb"\br\s*=\s*[\"']\s*\$?([A-Za-z]{1,4})\$?(\d{1,9})\s*[\"']")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\b[^>]*?\br\s*=\s*[\"']\s*(\d{1,12})")
_SHEETS = 20
# Above it a part that packs very well is a bomb; below, it is a small file of equal rows.
_LARGE = 1_000_000

Cell = str | int | float | bool | date | datetime | time | timedelta


def is_workbook(content: bytes) -> bool:
    """Whether the bytes are an archive, as every XLSX is."""
    return content.startswith((SIGNATURE, _EMPTY_ARCHIVE))


def sheets_of(content: bytes, limits: Limits) -> Iterator[list[Line]]:
    """The lines of every sheet of a workbook.

    Raises:
        FileRefused: it is damaged, encrypted, no workbook, or made to do harm.
    """
    _inspect(content, limits)
    book = _opened(content)
    if len(book.sheet_names) > _SHEETS:
        raise _too_large(f"The workbook has more than {_SHEETS} sheets")
    for name in book.sheet_names:
        yield _lines(book, name, limits)


def _opened(content: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except BaseException as error:  # noqa: BLE001 - see `_translated`
        raise _translated(error) from None


def _lines(book: CalamineWorkbook, name: str, limits: Limits) -> list[Line]:
    try:
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height > limits.rows or sheet.total_width > limits.columns:
            raise _too_large(f"Sheet `{name}` has more than {limits.rows} rows or {limits.columns} columns")
        rows: list[list[Cell]] = list(sheet.to_python(skip_empty_area=False))
    except FileRefused:
        raise
    except BaseException as error:  # noqa: BLE001 - see `_translated`
        raise _translated(error) from None
    return [Line(number, [_text(cell) for cell in row]) for number, row in enumerate(rows, 1)]


def _translated(error: BaseException) -> BaseException:
    # A panic of the reader's native code arrives as an exception that is no `Exception`.
    if isinstance(error, Exception) or type(error).__name__ == "PanicException":
        return FileRefused(
            "The workbook cannot be read",
            code="file.workbook-damaged",
            hint="Open it in a spreadsheet, save it as XLSX or CSV, and send that.",
        )
    return error


def _text(cell: Cell) -> str:
    """A cell as a text file would write it: dates as ISO, numbers with the fifteen digits that a spreadsheet keeps."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        # 129.95 may be stored as 129.94999999999999; the sixteenth digit is never the file's.
        return Number(f"{cell:.15g}")
    if isinstance(cell, int):
        return Number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell).strip().replace("\r\n", "\n")


def _inspect(content: bytes, limits: Limits) -> None:
    """Unpack every part once, within bounds, and look at what it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_parts(parts, limits)
            for part in parts:
                _check_content(part, archive, limits)
    except FileRefused:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        raise FileRefused(
            "The workbook is damaged or was cut off",
            code="file.truncated",
            hint="Fetch or export the file again.",
        ) from None
    except (NotImplementedError, RuntimeError):
        raise FileRefused(
            "The workbook is packed in a way that spreadsheets do not use",
            code="file.workbook-damaged",
            hint="Save it as XLSX or CSV and send that.",
        ) from None


def _check_parts(parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    names = [part.filename for part in parts]
    for name in names:
        if _leads_out(name):
            raise FileRefused(
                "The archive holds a part whose name leads out of it",
                code="file.unsafe-name",
                hint="This is no ordinary export. Find out who sent it.",
            )
    if len(parts) > limits.parts or len(set(names)) != len(names):
        raise _too_large("The workbook has too many parts, or one part twice")
    if any(part.flag_bits & 0x1 for part in parts):
        raise FileRefused(
            "The workbook is protected by a password",
            code="file.encrypted",
            hint="Save it without one and send it again.",
        )
    if any(part.filename.lower().endswith(_ARCHIVE_NAMES) for part in parts):
        raise _nested()
    if "[Content_Types].xml" not in names:
        raise FileRefused(
            "The file is an archive and no workbook",
            code="file.not-a-table",
            hint="Unpack it and send the CSV or XLSX files in it.",
        )
    unpacked = sum(part.file_size for part in parts)
    dense = any(
        part.file_size > _LARGE and part.file_size > limits.ratio * max(part.compress_size, 1)
        for part in parts
    )
    if unpacked > limits.unpacked or dense:
        raise FileRefused(
            "The workbook unpacks to far more than it is: it is refused as a zip bomb",
            code="file.zip-bomb",
            hint="Save it as CSV and send that.",
            evidence={"unpacked": unpacked},
        )


def _leads_out(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or ":" in path or ".." in path.split("/") or "\0" in name


def _check_content(part: zipfile.ZipInfo, archive: zipfile.ZipFile, limits: Limits) -> None:
    # Reading to the end also proves the checksum: a size that was lied about ends here.
    content = bytearray()
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            content += chunk
    if content.startswith(_ARCHIVES):
        raise _nested()
    if not part.filename.lower().endswith((".xml", ".rels")):
        return
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content[:4096]:
        raise FileRefused("The workbook declares entities", code="file.workbook-damaged")
    if posixpath.dirname(part.filename).lower().endswith("worksheets"):
        _check_extent(bytes(content), limits)


def _check_extent(sheet: bytes, limits: Limits) -> None:
    """One cell far out makes the reader lay out everything before it."""
    cells = {(found[1], int(found[2])) for found in _REFERENCE.finditer(sheet)}
    rows = [row for _, row in cells] + [int(found[1]) for found in _ROW_NUMBER.finditer(sheet)]
    widest = max((_column(letters) for letters, _ in cells), default=0)
    if max(rows, default=0) > limits.rows or widest > limits.columns:
        raise _too_large(f"A sheet has cells beyond row {limits.rows} or column {limits.columns}")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _nested() -> FileRefused:
    return FileRefused(
        "The file holds another archive",
        code="file.nested-archive",
        hint="Unpack it and send the CSV or XLSX files in it.",
    )


def _too_large(title: str) -> FileRefused:
    return FileRefused(title, code="file.too-large", hint="Delete what is empty, or split the file.")
