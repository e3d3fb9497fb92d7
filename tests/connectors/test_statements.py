"""Files are read by layouts: the same rows come out of every encoding, order and form, or one clear refusal."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from integration.canonical.statement import BankRow, SettlementRow, TransactionRow
from integration.statements import values
from integration.statements.corrected import bad_rows_file
from integration.statements.layout import read_layout
from integration.statements.reading import Reading
from integration.statements.refusal import FileRefused
from tests.connectors import statement_files as made
from tests.connectors.statement_files import reading

LAYOUT = next(layout for layout in made.layouts() if layout.name == "acquirer_statement")
ROWS = [
    made.settled(1),
    made.settled(2, "-3.00", "0.00", "-3.00"),
    made.settled(3, "1,234.50", "17.28", "1217.22"),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]


def hashes(read: Reading) -> list[str]:
    return sorted(row.row_hash for row in read.rows)


EXPECTED = hashes(reading(made.table(made.SETTLEMENT, ROWS)))


def test_our_settlement_file_gives_lines_with_their_batch() -> None:
    read = reading(made.table(made.SETTLEMENT, ROWS))

    assert (read.layout, read.kind, read.bad, read.totals.state) == ("settlement", "settlement", (), "none")
    first = read.rows[0].row
    assert isinstance(first, SettlementRow)
    assert (first.batch_id, first.acquirer, first.line.vendor_tx_code) == ("101", "Elavon", "SO-1")
    assert (first.line.gross, first.line.fee, first.line.net) == tuple(
        Money(n, "GBP") for n in (1000, 14, 986)
    )
    assert first.completed_at == datetime.datetime(2025, 6, 2, 23, 1, tzinfo=datetime.UTC)
    assert first.funding_date == datetime.date(2025, 6, 5)
    assert read.totals.found == {"gross GBP": "1241.50", "fee GBP": "17.42", "net GBP": "1224.08"}


@settings(max_examples=40, deadline=None)
@given(
    columns=st.permutations(range(len(made.SETTLEMENT))),
    order=st.permutations(range(len(ROWS))),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    before=st.integers(0, 5),
)
def test_order_encoding_delimiter_and_line_ends_change_no_row(
    columns: list[int], order: list[int], encoding: str, delimiter: str, end: str, before: int
) -> None:
    header = [made.SETTLEMENT[place] for place in columns]
    rows = [[ROWS[row][place] for place in columns] for row in order]
    text = f"Statement{delimiter}{end}" * before + made.table(header, rows, delimiter, end)

    assert hashes(reading(text.encode(encoding))) == EXPECTED


def test_a_workbook_gives_the_same_rows_as_the_text_file() -> None:
    floats = [[Decimal(str(cell).replace(",", "")) if place in (9, 10, 11) else cell for place, cell in enumerate(row)]
              for row in ROWS]  # fmt: skip

    assert hashes(reading(made.workbook(made.SETTLEMENT, floats))) == EXPECTED


def test_headers_may_be_written_as_people_write_them() -> None:
    header = [name.replace("_", " ").title() for name in made.SETTLEMENT]

    assert hashes(reading(made.table(header, ROWS))) == EXPECTED


def test_an_acquirers_statement_has_credits_and_debits_and_a_control_line() -> None:
    rows = [
        ["1234567", "101", "02/06/25", "SO-1", "1,234.50", "", "17.28"],
        ["1234567", "101", "02/06/25", "SO-2", "", "10.00", "0"],
        ["Total", "2", "", "", "1,234.50", "10.00", ""],
    ]
    read = reading(made.table(made.ACQUIRER, rows))

    assert [row.row.line.gross.minor for row in read.rows if isinstance(row.row, SettlementRow)] == [
        123450,
        -1000,
    ]
    assert (read.totals.state, read.totals.told, read.totals.count) == ("agree", {"gross": "1224.50"}, 2)


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (["Total", "2", "", "", "1,234.50", "10.00", ""], "file.totals-differ"),
        (["Total", "1", "", "", "1,234.51", "", ""], "file.totals-differ"),
        (["Total", "one", "", "", "1,234.50", "", ""], "file.totals-unreadable"),
        (["Total", "1", "", "", "n/a", "", ""], "file.totals-unreadable"),
    ],
)
def test_a_file_whose_control_line_does_not_agree_is_refused_whole(last: list[str], code: str) -> None:
    rows = [["1234567", "101", "02/06/25", "SO-1", "1,234.50", "", "17.28"], last]

    with pytest.raises(FileRefused) as refused:
        reading(made.table(made.ACQUIRER, rows))

    assert refused.value.error_code == code


def test_a_row_whose_amount_cannot_be_read_leaves_the_control_line_unproved_and_the_good_rows_taken() -> None:
    rows = [
        ["1234567", "101", "02/06/25", "SO-1", "10.00", "", ""],
        ["1234567", "101", "02/06/25", "SO-2", "x", "", ""],
        ["Total", "2", "", "", "15.00", "", ""],
    ]
    read = reading(made.table(made.ACQUIRER, rows))

    assert (len(read.rows), len(read.bad), read.totals.state) == (1, 1, "unproved")


def test_rows_after_the_control_line_are_refused() -> None:
    row = ["1234567", "101", "02/06/25", "SO-1", "10.00", "", ""]

    with pytest.raises(FileRefused, match="after the control line"):
        reading(made.table(made.ACQUIRER, [row, ["Total", "1", "", "", "10.00", "", ""], row]))


def test_a_notice_of_a_chargeback_is_read_with_its_days() -> None:
    (row,) = reading(made.table(made.CHARGEBACK, [made.notice()])).rows

    assert isinstance(row.row, ChargebackNotice)
    assert (row.row.chargeback_ref, row.row.stage, row.row.amount) == (
        "CB-1",
        "first_chargeback",
        Money(1000, "GBP"),
    )
    assert row.row.respond_by == datetime.date(2025, 7, 1)


def test_an_export_of_myopayo_gives_codes_and_ids() -> None:
    row = ["SO-1", f"{{{made.ID.lower()}}}", "Payment", "£10.00", "GBP", "30/03/2025 02:30:00", "Ok"]
    (found,) = reading(made.table(made.MYOPAYO, [row])).rows

    assert isinstance(found.row, TransactionRow)
    assert (found.row.vendor_tx_code, found.row.transaction_id) == ("SO-1", made.ID)
    assert found.row.at == datetime.datetime(2025, 3, 30, 1, 30, tzinfo=datetime.UTC)


def test_a_banks_statement_says_credit_or_debit_and_may_have_equal_lines() -> None:
    rows = [["02-Jun-25", "ELAVON", "10.00", "CR", ""], ["02-Jun-25", "ELAVON", "10.00", "CR", ""],
            ["2025-06-03", "FEE", "2.50", "dr", "17.50"]]  # fmt: skip
    read = reading(made.table(made.BANK, rows))

    assert [row.row.amount.minor for row in read.rows if isinstance(row.row, BankRow)] == [1000, 1000, -250]
    assert len(set(hashes(read))) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [("1234.50", "1234.50"), ("1,234.50", "1234.50"), ("(1,234.50)", "-1234.50"), ("12.30-", "-12.30"),
     ("-12.30", "-12.30"), ("£12.30", "12.30"), ("GBP 12.30", "12.30"), ("12.30 DR", "-12.30"), ("12.30CR", "12.30"),
     ("1 234.50", "1234.50"), (".50", "0.50"), ("−5", "-5")],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(text: str, value: str) -> None:
    assert values.amount(text, LAYOUT) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1.2.3",
        "1,23",
        "12,34.5",
        "1.234,50",
        "--1",
        "(-1)",
        "-1-",
        "(1",
        "1)",
        "1e5",
        "=1+1",
        "1" * 16,
    ],
)
def test_what_is_no_amount_for_certain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no amount|decimals|thousands|negative|too large"):
        values.amount(text, LAYOUT)


@given(st.integers(-(10**12), 10**12))
def test_an_amount_comes_back_from_every_way_of_writing_it(minor: int) -> None:
    money = Money(minor, "GBP")
    plain = Money(abs(minor), "GBP").decimal()
    ways = [money.plain(), f"{money.decimal():,f}", f"({plain:,f})" if minor < 0 else f"{plain:f} CR",
            f"{plain:f} DR" if minor < 0 else f"+{plain:f}", values.Number(money.plain())]  # fmt: skip

    assert {values.amount(way, LAYOUT) for way in ways} == {money.decimal()}


@given(st.dates(datetime.date(2000, 1, 1), datetime.date(2069, 12, 31)))
def test_a_day_comes_back_from_every_way_of_writing_it(day: datetime.date) -> None:
    ways = [f"{day:%d/%m/%y}", f"{day:%d.%m.%Y}", f"{day.day}-{day.month}-{day.year}", f"{day:%d %b %Y}",
            f"{day:%Y/%m/%d}", f"{day:%Y%m%d}", f"{day}", f"{day}T00:00:00", f"{day:%d/%m/%Y} 11:59 PM"]  # fmt: skip

    assert {values.day(way, LAYOUT) for way in ways} == {day}


@pytest.mark.parametrize(
    "text", ["31/02/2025", "1/13/2025", "02/06/125", "02/06/71", "2025-6-1", "5 5 5", "0"]
)
def test_what_is_no_day_for_certain_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, it is a problem of the row
        values.day(text, LAYOUT)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)"])
def test_a_formula_is_kept_as_text_marked_and_neutral_in_what_we_export(text: str) -> None:
    row = made.notice()
    row[5] = text
    (found,) = reading(made.table(made.CHARGEBACK, [row])).rows
    assert isinstance(found.row, ChargebackNotice)
    assert (found.row.reason_text, found.marked) == (text, ("reason_text",))

    bad = reading(made.table(made.CHARGEBACK, [[*row[:3], "lost", *row[4:]]]))
    exported = bad_rows_file(bad.header, bad.bad)
    assert f"'{text}" in exported.decode("utf-8-sig").replace('""', '"')
    again = exported.decode("utf-8-sig").replace(",lost,", ",first_chargeback,")
    assert hashes(reading(again)) == [found.row_hash]


def test_numbers_are_no_formulas() -> None:
    assert not any(values.is_formula(text) for text in ("-12.30", "+1,234.50", "-", "12", "", "a=b"))


def test_bad_rows_come_back_as_a_file_that_says_what_to_correct() -> None:
    rows = [made.settled(1), made.settled(2, net="1.00"), [*made.settled(3)[:-1], "31/02/2025"]]
    read = reading(made.table(made.SETTLEMENT, rows))

    assert [row.line for row in read.bad] == [3, 4]
    assert [problem.code for row in read.bad for problem in row.problems] == [
        "row.net-differs",
        "row.bad-date",
    ]
    text = bad_rows_file(read.header, read.bad).decode("utf-8-sig")
    assert "net is 1.00, and gross less fee 9.86" in text
    corrected = text.replace(",1.00,", ",9.86,").replace("31/02/2025", "2025-06-05")
    assert hashes(reading(corrected)) == hashes(
        reading(made.table(made.SETTLEMENT, [made.settled(2), made.settled(3)]))
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "remittance"}, "kind"),
        ({"columns": {"colour": {"header": ["x"]}}}, "no field colour"),
        ({"amounts": {}}, "needs amount"),
        ({"amounts": {"amount": {"style": "two_columns", "credit": ["CR"]}}}, "no header for amount.debit"),
        ({"currency": ""}, "a currency"),
        ({"time_zone": "Europe/Atlantis"}, "no time zone"),
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused(changes: dict[str, object], says: str) -> None:
    good: dict[str, object] = {
        "name": "own", "title": "Ours", "kind": "bank", "currency": "GBP",
        "columns": {"booked_on": {"header": ["When"]}}, "amounts": {"amount": {"header": ["What"]}},
    }  # fmt: skip
    assert read_layout(good).name == "own"

    with pytest.raises(ValueError, match=says):
        read_layout(good | changes)
