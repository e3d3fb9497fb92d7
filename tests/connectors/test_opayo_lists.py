"""Reporting's lists through the gateway: paged by fifty, never cut short in silence, every error code of its class."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from integration.canonical.listing import ListedTransaction, ListingWindow
from integration.canonical.money import Money
from integration.errors import (
    IntegrationError,
    InvalidPayment,
    Misconfigured,
    Rejected,
    Throttled,
    TooManyRows,
    Transient,
    Unreachable,
)
from integration.opayo.refusals import reporting_error
from integration.opayo.uk_time import uk_text, utc
from tests.connectors.opayo_world import World, opayo, refund
from tests.connectors.test_opayo_odd_answers import ID, saying

NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)
WINDOW = ListingWindow(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1))


async def _day(world: World, count: int) -> None:
    world.sandbox.parts.clock.set(NOW)
    for number in range(count):
        await world.pay(f"SO-{number:03d}", 1_000 + number)


async def test_a_window_is_read_in_pages_of_fifty_to_its_last_row() -> None:
    async with opayo() as world:
        await _day(world, 53)
        first = await world.gateway.listed(WINDOW)
        assert (first.total, len(first.rows), first.next_row) == (53, 50, 51)
        rest = await world.gateway.listed(msgspec.structs.replace(WINDOW, first_row=51))
        assert (rest.total, len(rest.rows), rest.next_row) == (53, 3, None)
        assert [row.vendor_tx_code for row in (*first.rows, *rest.rows)] == [f"SO-{n:03d}" for n in range(53)]
        row = rest.rows[-1]
        assert (row.amount, row.kind, row.succeeded) == (Money(1_052, "GBP"), "payment", True)
        assert row.started_at is not None
        assert (row.started_text[:13], row.started_at.hour) == ("02/06/2025 10", 9)


async def test_both_ends_belong_to_a_window_and_an_empty_one_has_no_rows() -> None:
    async with opayo() as world:
        await _day(world, 1)
        (row,) = (await world.gateway.listed(WINDOW)).rows
        assert row.started_at is not None
        exact = ListingWindow(start=row.started_at, end=row.started_at)
        assert (await world.gateway.listed(exact)).rows == (row,)
        later = ListingWindow(start=NOW + timedelta(days=1), end=NOW + timedelta(days=2))
        empty = await world.gateway.listed(later)
        assert (empty.total, empty.rows, empty.next_row) == (0, (), None)


async def test_what_was_made_of_a_payment_is_listed_with_it() -> None:
    async with opayo() as world:
        await _day(world, 2)
        (original, other) = (await world.gateway.listed(WINDOW)).rows
        paid = await world.gateway.detail(original.transaction_id)
        given_back = await world.gateway.relate(refund(paid, "RF-1", 300))
        (found,) = await world.gateway.related(original.transaction_id, NOW - timedelta(days=1))
        assert (found.transaction_id, found.kind) == (given_back.transaction_id, "refund")
        assert await world.gateway.related(other.transaction_id, NOW) == ()
        assert await world.gateway.related(ID, NOW) == ()


def _list(rows: str, total: int = 1) -> tuple[int, str, bytes]:
    text = (
        f"<vspaccess><errorcode>0000</errorcode><transactions><totalrows>{total}</totalrows>"
        f"<startrow>1</startrow><endrow>1</endrow>{rows}</transactions></vspaccess>"
    )
    return 200, "text/xml", text.encode()


ROW = (
    f"<transaction><!-- a remark --><rownumber>1</rownumber><vpstxid>{{{ID.lower()}}}</vpstxid>"
    "<vendortxcode>SO-1</vendortxcode><transactiontype>Payment</transactiontype><result>SUCCESS</result>"
    "<amount>1,234.50</amount><currency>GBP</currency><started>02/06/2025 10:00:00.123</started></transaction>"
)


async def test_a_row_is_read_whatever_its_spelling() -> None:
    async with saying(reporting=_list(ROW)) as gateway:
        (row,) = (await gateway.listed(WINDOW)).rows
    assert row == ListedTransaction(
        transaction_id=ID,
        vendor_tx_code="SO-1",
        kind="payment",
        succeeded=True,
        amount=Money(123_450, "GBP"),
        started_at=NOW.replace(microsecond=123_000),
        started_text="02/06/2025 10:00:00.123",
    )


async def test_a_row_that_makes_no_sense_is_named_and_the_others_are_taken() -> None:
    odd = "<transaction><rownumber>2</rownumber><vpstxid>none</vpstxid></transaction>"
    async with saying(reporting=_list(ROW + odd, 2)) as gateway:
        page = await gateway.listed(WINDOW)
    assert [row.vendor_tx_code for row in page.rows] == ["SO-1"]
    assert page.unreadable == ("row 2 has no transaction id",)


async def test_a_row_without_a_readable_amount_is_taken_without_it() -> None:
    async with saying(reporting=_list(ROW.replace("1,234.50", "?"))) as gateway:
        assert (await gateway.listed(WINDOW)).rows[0].amount is None


@pytest.mark.parametrize(
    "answer",
    [
        _list(ROW, 2),
        _list("", 1),
        (200, "text/xml", _list(ROW)[2][:-40]),
        (200, "text/xml", b"<vspaccess><errorcode>0000</errorcode></vspaccess>"),
        (200, "text/xml", b"<vspaccess><errorcode>0000</errorcode><transactions/></vspaccess>"),
        (200, "text/html", b"<html>maintenance</html>"),
        (200, "text/xml", b""),
    ],
    ids=["fewer rows than promised", "no rows", "truncated", "no list", "no count", "a page", "nothing"],
)
async def test_an_answer_that_was_cut_short_is_no_short_list(answer: tuple[int, str, bytes]) -> None:
    async with saying(reporting=answer) as gateway:
        with pytest.raises(Unreachable):
            await gateway.listed(WINDOW)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0008", Misconfigured),
        ("0010", Misconfigured),
        ("0011", Misconfigured),
        ("0044", Misconfigured),
        ("2128", Misconfigured),
        ("4020", Misconfigured),
        ("0009", Transient),
        ("2015", Transient),
        ("2245", Transient),
        ("2213", Throttled),
        ("0235", TooManyRows),
        ("0001", Rejected),
        ("0013", Rejected),
        ("0038", Rejected),
        ("0039", Rejected),
        ("0099", Rejected),
        ("2222", Rejected),
        ("2231", Rejected),
        ("2236", Rejected),
        ("2243", Rejected),
        ("3001", Rejected),
        ("3009", Rejected),
    ],
)
def test_an_error_code_of_reporting_leads_to_what_can_be_done_about_it(
    code: str, kind: type[IntegrationError]
) -> None:
    error = reporting_error(code, "4929000000006 is wrong", "its list")
    assert type(error) is kind
    assert "4929000000006" not in str(error)
    assert error.evidence["opayo_reporting_code"] == code


async def test_nothing_that_succeeded_is_an_empty_list_and_no_error() -> None:
    nothing = (200, "text/xml", b"<vspaccess><errorcode>2212</errorcode><error>none</error></vspaccess>")
    async with saying(reporting=nothing) as gateway:
        assert (await gateway.listed(WINDOW)).total == 0


async def test_what_is_no_transaction_id_is_not_asked_for() -> None:
    async with opayo() as world:
        with pytest.raises(InvalidPayment):
            await world.gateway.related("SO-1", NOW)


def test_times_are_the_kingdoms_own_and_read_as_they_were_written() -> None:
    for moment in (NOW, datetime(2025, 12, 2, 9, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC)):
        assert utc(uk_text(moment)) == moment
    # The second of two like hours is read as the first: which one it was is not in the text.
    assert utc(uk_text(datetime(2025, 10, 26, 1, 30, tzinfo=UTC))) == datetime(
        2025, 10, 26, 0, 30, tzinfo=UTC
    )
