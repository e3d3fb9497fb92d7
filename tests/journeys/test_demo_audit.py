"""The demonstration's proof finds every way in which a day can fail to add up."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from service.cli.demo_audit import (
    Audit,
    Cause,
    ErpLedger,
    GatewayLedger,
    GatewayRow,
    OrderRow,
    ReceiptRow,
    Stopped,
    audit,
)


def an_id(number: int) -> str:
    return str(UUID(int=number * 0x1000000000000001)).upper()


def taken(number: int, minor: int = 1000, currency: str = "GBP", kind: str = "Payment") -> GatewayRow:
    return GatewayRow(an_id(number), f"CODE-{number}", kind, currency, minor)


def receipt(number: int, minor: int = 1000, currency: str = "GBP") -> ReceiptRow:
    return ReceiptRow(reference=an_id(number).replace("-", "")[:30], currency=currency, minor=minor)


def sold(number: int, cancelled: str = "") -> OrderRow:
    return OrderRow(f"{number:015d}", f"CODE-{number}", cancelled, "1")


def stopped(number: int, reason: str = "stock code unknown") -> Stopped:
    return Stopped(an_id(number), cause="stock.unknown", reason=reason)


def proof(
    rows: list[GatewayRow],
    receipts: list[ReceiptRow],
    held: tuple[Stopped, ...] = (),
    dead: tuple[Stopped, ...] = (),
    orders: tuple[OrderRow, ...] = (),
) -> Audit:
    return audit(GatewayLedger(tuple(rows)), ErpLedger(orders, tuple(receipts)), held, dead)


def test_a_day_whose_payments_are_all_somewhere_passes() -> None:
    found = proof([taken(1), taken(2), taken(3)], [receipt(1)], (stopped(2),), (stopped(3),), (sold(1),))
    assert found.passed
    assert (found.payments, found.posted, found.held, found.dead_letters, found.lost) == (3, 1, 1, 1, 0)
    assert (found.captured_minor, found.posted_minor) == ({"GBP": 3000}, {"GBP": 1000})


def test_holds_declines_and_refunds_are_no_payments() -> None:
    found = proof([taken(1, minor=0), taken(2, kind="Refund"), taken(3)], [receipt(3)])
    assert found.passed
    assert found.payments == 1


def test_a_payment_that_is_nowhere_is_lost_and_named() -> None:
    found = proof([taken(1), taken(2)], [receipt(1)])
    assert not found.passed
    assert (found.lost, found.lost_codes) == (1, ("CODE-2",))


def test_a_payment_posted_twice_is_found() -> None:
    found = proof([taken(1)], [receipt(1), receipt(1)])
    assert not found.passed
    assert found.double_postings == 1


def test_a_second_live_order_is_a_double_and_a_cancelled_one_is_not() -> None:
    assert proof([taken(1)], [receipt(1)], orders=(sold(1), sold(1))).double_postings == 1
    assert proof([taken(1)], [receipt(1)], orders=(sold(1), sold(1, cancelled="Y"))).passed


def test_a_penny_of_difference_fails_the_day() -> None:
    found = proof([taken(1)], [receipt(1, minor=999)])
    assert not found.passed
    assert found.lost == found.double_postings == 0


def test_currencies_never_make_up_for_each_other() -> None:
    assert not proof([taken(1), taken(2, currency="EUR")], [receipt(1), receipt(2)]).passed


def test_a_payment_stopped_without_a_reason_fails_the_day() -> None:
    assert proof([taken(1)], [], dead=(stopped(1, "why"),)).passed
    assert not proof([taken(1)], [], dead=(stopped(1, " "),)).passed


def test_reasons_are_counted_by_cause_and_only_for_what_is_really_stopped() -> None:
    found = proof([taken(1), taken(2), taken(3)], [receipt(3)], dead=(stopped(1), stopped(2), stopped(3)))
    assert found.dead_letter_reasons == {"stock.unknown": Cause(2, "stock code unknown")}
    assert found.dead_letters == 2


def test_money_in_the_ledger_that_nobody_paid_fails_the_day() -> None:
    found = proof([taken(1)], [receipt(1), receipt(2, minor=0)])
    assert not found.passed
    assert found.surplus == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["posted", "held", "dead", "lost"]), st.integers(1, 10**9)), max_size=30
    )
)
def test_every_payment_is_counted_in_exactly_one_place(day: list[tuple[str, int]]) -> None:
    rows = [taken(number, minor) for number, (_, minor) in enumerate(day, start=1)]
    places = {name: [n for n, (where, _) in enumerate(day, start=1) if where == name] for name, _ in day}
    found = proof(
        rows,
        [receipt(n, day[n - 1][1]) for n in places.get("posted", [])],
        tuple(stopped(n) for n in places.get("held", [])),
        tuple(stopped(n) for n in places.get("dead", [])),
    )
    assert found.payments == len(day) == found.posted + found.held + found.dead_letters + found.lost
    assert found.passed == (not places.get("lost"))


def test_the_ledgers_are_read_as_the_sandboxes_write_them() -> None:
    gateway = (
        b'{"transactions":[{"transactionId":"A","vendorTxCode":"B","vendorName":"sandbox","captured":5,'
        b'"transactionType":"Payment","currency":"GBP","refunded":0,"status":"Ok"}],"events":{"sent":1},"batches":0}'
    )
    erp = (
        b'{"sales_orders":[{"SalesOrder":"1","CustomerPoNumber":"B","CancelledFlag":"","OrderStatus":"1"}],'
        b'"ar_payments":[{"Reference":"A","Currency":"GBP","minor":5,"PaymentNarration":"A"}],"journals":[]}'
    )
    assert msgspec.json.decode(gateway, type=GatewayLedger).transactions[0].captured == 5
    assert msgspec.json.decode(erp, type=ErpLedger).ar_payments[0].narration == "A"
