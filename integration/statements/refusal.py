"""Why a whole file is refused, and how much of one is taken at all."""

from __future__ import annotations

from msgspec import Struct

from integration.errors import Rejected


class FileRefused(Rejected):
    """A file of which no row is taken; nothing of it goes any further."""

    code = "file.refused"
    hint = "Nothing of the file was taken. Correct it and send it again."


class Limits(Struct, frozen=True, kw_only=True):
    """How much a file may be.

    Attributes:
        size: bytes of the file as it comes.
        unpacked: bytes of a workbook's parts once unpacked, all together.
        ratio: how much smaller packing may make a large part.
        parts: of a workbook.
        rows: of the table, its header and what stands before it included.
        columns: of the table.
        line: characters of one line of text.
        cell: characters of one cell.
    """

    size: int = 10_000_000
    unpacked: int = 60_000_000
    ratio: int = 200
    parts: int = 500
    rows: int = 100_000
    columns: int = 200
    line: int = 65_536
    cell: int = 4_000


LIMITS = Limits()
