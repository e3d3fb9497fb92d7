"""The bad rows of a file as a file of their own: to correct in a spreadsheet, and to send again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from integration.statements.reading import BadRow
from integration.statements.values import neutral

REASON, LINE = "What is wrong", "Line in the first file"


def bad_rows_file(header: Sequence[str], bad: Sequence[BadRow]) -> bytes:
    """A CSV file (UTF-8 with its mark, as spreadsheets want it) of the bad rows and why each was not taken.

    Its two further columns are passed over when it comes back. What a spreadsheet would take for a formula stands
    behind an apostrophe, which is taken away again when it comes back.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([*map(neutral, header), LINE, REASON])
    for row in bad:
        cells = [neutral(cell) for cell in row.cells[: len(header)]]
        cells += [""] * (len(header) - len(cells))
        why = "; ".join(
            f"{problem.field}: {problem.what}. {problem.how}".removeprefix(": ") for problem in row.problems
        )
        writer.writerow([*cells, row.line, neutral(why)])
    return buffer.getvalue().encode("utf-8-sig")
