"""Bytes of a text file become lines of cells: encoding, delimiter, quoting, and signs that the file was cut off."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

from msgspec import Struct

from integration.statements.refusal import FileRefused, Limits

DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def decode(content: bytes) -> str:
    """The text of a file: by its mark of byte order, else UTF-8, else Windows-1252, else Latin-1.

    Raises:
        FileRefused: the bytes are no text.
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            return _marked(content[len(mark) :], name)
    if wide := _wide(content):
        return _plain(_strict(content, wide))
    try:
        return _plain(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        if _cut_off(content, error):
            raise FileRefused(
                "The file ends in the middle of a character: it was cut off", code="file.truncated"
            ) from None
    try:
        return _plain(content.decode("cp1252"))
    except UnicodeDecodeError:
        return _plain(content.decode("latin-1"))


def _marked(content: bytes, name: str) -> str:
    if not name:
        raise FileRefused(
            "The file is written in UTF-32",
            code="file.encoding",
            hint="Save it as UTF-8 and send it again.",
        )
    return _plain(_strict(content, name))


def _strict(content: bytes, name: str) -> str:
    try:
        return content.decode(name)
    except UnicodeDecodeError:
        raise FileRefused(
            f"The file says that it is {name.upper()} and holds bytes that are not",
            code="file.encoding",
            hint="It may have been cut off, or changed on its way. Export it anew, as UTF-8.",
        ) from None


def _wide(content: bytes) -> str:
    """UTF-16 without its mark: every other byte of its first line is a NUL."""
    head = content[:200]
    if len(head) < 8 or b"\0" not in head:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 3 and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 3 and odd == 0 else ""


def _cut_off(content: bytes, error: UnicodeDecodeError) -> bool:
    # An unfinished character at the very end, after others that were right, is UTF-8 cut off, not another encoding.
    return error.reason == "unexpected end of data" and any(byte > 0x7F for byte in content[: error.start])


def _plain(text: str) -> str:
    text = text.removesuffix("\x1a")  # how DOS ended a file
    if _CONTROL.search(text):
        raise _no_text()
    return text


def _no_text() -> FileRefused:
    return FileRefused(
        "The file is neither a text file nor a workbook",
        code="file.not-a-table",
        hint="Send the export as CSV or XLSX.",
    )


class Line(Struct, frozen=True):
    """A line of a table: its number in the file, from 1, and its cells without blanks around them."""

    number: int
    cells: list[str]


def lines_of(text: str, delimiter: str) -> list[Line]:
    """The cells of every line.

    Raises:
        FileRefused: a quote is never closed, or is none of a CSV file.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[Line] = []
    before = 0
    try:
        for cells in reader:
            found.append(Line(before + 1, [cell.strip() for cell in cells]))
            before = reader.line_num
    except csv.Error as error:
        raise _quoting(str(error), reader.line_num) from None
    return found


def check_lines(text: str, limits: Limits) -> None:
    """Refuse what is too long to be a table.

    Raises:
        FileRefused: a line is too long, or there are too many.
    """
    pieces = _LINE_END.split(text)
    if any(len(piece) > limits.line for piece in pieces):
        raise FileRefused(
            f"A line of the file has more than {limits.line} characters",
            code="file.line-too-long",
            hint="Line ends may be missing, or it is no table. Export it anew.",
        )
    if len(pieces) > limits.rows:
        raise FileRefused(
            f"The file has more than {limits.rows} lines",
            code="file.too-large",
            hint="Split it into several files.",
        )


def _quoting(reason: str, line: int) -> FileRefused:
    if "unexpected end" in reason:
        return FileRefused(
            "The file ends inside quotes: it was cut off, or a quote is never closed",
            code="file.truncated",
            hint="Fetch or export the file again.",
        )
    return FileRefused(
        f"The quotes in line {line} are not those of a CSV file",
        code="file.quoting",
        hint="Inside quotes, a quote is written twice. Export it anew.",
        evidence={"line": line},
    )


def is_unfinished(text: str, lines: Sequence[Line], width: int) -> bool:
    """Whether the last line has no end and fewer cells than the header: the rest of the file is missing."""
    ended = text.endswith(("\n", "\r"))
    last = next((line.cells for line in reversed(lines) if any(line.cells)), [])
    return not ended and 0 < len(last) < width
