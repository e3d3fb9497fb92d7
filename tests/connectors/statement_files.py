"""Files for tests, generated: tables with our own headers and others', workbooks, and archives made to do harm."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence

import xlsxwriter  # type: ignore[import-untyped]

from integration.statements.layout import StatementLayout, read_layout
from integration.statements.reading import Reading, open_file, read
from service import resources

SETTLEMENT = [
    "batch_id",
    "acquirer",
    "merchant_number",
    "batch_completed_at",
    "line_no",
    "vendor_tx_code",
    "vps_tx_id",
    "transaction_type",
    "currency",
    "gross_amount",
    "fee_amount",
    "net_amount",
    "card_scheme",
    "last4",
    "auth_code",
    "settlement_reference",
    "funding_date",
]
CHARGEBACK = [
    "chargeback_ref",
    "acquirer",
    "merchant_number",
    "stage",
    "reason_code",
    "reason_text",
    "received_on",
    "respond_by",
    "original_vendor_tx_code",
    "original_vps_tx_id",
    "auth_code",
    "card_scheme",
    "last4",
    "original_amount",
    "disputed_amount",
    "currency",
    "posted_on",
]
ACQUIRER = ["Merchant Number", "Batch Number", "Batch Date", "Transaction Reference", "CR", "DR", "Fee"]
MYOPAYO = ["Transaction Code", "VPSTxId", "Transaction Type", "Amount", "Currency", "Date/Time", "Status"]
BANK = ["Date", "Description", "Amount", "CR/DR", "Balance"]
ID = "90544699-1BA3-4471-8AC5-32D0305DD51C"

Cells = Sequence[Sequence[object]]


def layouts() -> list[StatementLayout]:
    """Those that come with the product."""
    folder = "templates/statements"
    return [read_layout(resources.document(f"{folder}/{name}.yaml")) for name in resources.names(folder)]


def settled(number: int, gross: str = "10.00", fee: str = "0.14", net: str = "9.86") -> list[object]:
    """A line of our own settlement file."""
    batch = ["101", "Elavon", "1234567", "2025-06-03T00:01:00.000+01:00", number]
    amounts = ["GBP", gross, fee, net]
    return [*batch, f"SO-{number}", ID, "Payment", *amounts, "Visa", "0006", "99972", "", "2025-06-05"]


def notice(ref: str = "CB-1", stage: str = "first_chargeback", code: str = "SO-1") -> list[object]:
    """A line of our own chargeback file."""
    head = [ref, "Elavon", "1234567", stage, "10.4", "Other fraud", "2025-06-10", "2025-07-01", code, ID]
    return [*head, "99972", "Visa", "0006", "10.00", "10.00", "GBP", "2025-06-11"]


def table(header: Sequence[str], rows: Cells, delimiter: str = ",", end: str = "\r\n") -> str:
    """A CSV file's text."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows([header, *rows])
    return buffer.getvalue()


def workbook(header: Sequence[str], rows: Cells) -> bytes:
    """An XLSX file; numbers are numbers, texts texts, and none a formula."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Export")
        for place, row in enumerate([header, *rows]):
            for column, cell in enumerate(row):
                sheet.write(place, column, cell)
    return buffer.getvalue()


def archive(parts: dict[str, bytes], *, typed: bool = True) -> bytes:
    """A zip archive; one that says it is a workbook unless told otherwise."""
    whole = ({"[Content_Types].xml": b"<Types/>"} if typed else {}) | parts
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in whole.items():
            made.writestr(name, content)
    return buffer.getvalue()


def sheet_of(cells: str) -> bytes:
    """A workbook with one sheet of hand-written XML."""
    good = io.BytesIO(workbook(SETTLEMENT, [settled(1)]))
    out = io.BytesIO()
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for part in source.infolist():
            content = source.read(part)
            if part.filename.endswith("sheet1.xml"):
                content = (
                    '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
                    f"<sheetData>{cells}</sheetData></worksheet>"
                ).encode()
            made.writestr(part.filename, content)
    return out.getvalue()


def reading(content: bytes | str) -> Reading:
    """A file read by the layouts of the product."""
    return read(open_file(content.encode() if isinstance(content, str) else content), layouts())
