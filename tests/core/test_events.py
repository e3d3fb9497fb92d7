"""Events: their types, ids and envelopes; when a delivery is tried again; what a changed row means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.erp_records import Change, ChangeKind
from integration.canonical.money import Money
from service.core.deliveries import GIVE_UP_AFTER, Try, next_try, refusal
from service.core.erp_changes import Look, Ours, bare, digest, events_of
from service.core.events import EVENT_TYPES, Event, envelope, event_id, fault_of, wants
from service.core.shipment import OpenInvoice, allocated

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
OURS = Ours(
    kind="sales_order", payment_id=7, transaction_id="T", vendor_tx_code="SO-1", order_reference="1001"
)


@pytest.mark.parametrize(
    ("patterns", "type_", "wanted"),
    [
        (["*"], "order.invoiced", True),
        (["order.*"], "order.invoiced", True),
        (["order.*"], "orders.invoiced", False),
        (["order.invoiced"], "order.invoiced", True),
        (["order"], "order.invoiced", False),
        (["payment.*", "credit_note.raised"], "credit_note.raised", True),
        ([], "order.invoiced", False),
    ],
)
def test_a_pattern_is_a_type_a_group_or_all(patterns: list[str], type_: str, wanted: bool) -> None:
    assert wants(patterns, type_) is wanted


def test_a_pattern_that_fits_nothing_is_a_fault() -> None:
    assert fault_of("order.eaten")
    assert fault_of("**")
    assert not any(fault_of(each) for each in (*EVENT_TYPES, "*", "order.*"))


def test_an_envelope_is_a_cloud_event() -> None:
    event = Event(event_id="1", type="order.invoiced", subject="order/1", data={"a": 1}, happened_at=NOW)
    assert json.loads(envelope(event, "north")) == {
        "specversion": "1.0",
        "id": "1",
        "source": "/opayo-syspro/pairs/north",
        "type": "order.invoiced",
        "subject": "order/1",
        "time": "2026-01-31T09:30:00Z",
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_ids_are_equal_for_equal_parts_only(one: list[str], other: list[str]) -> None:
    clean = [[part.replace("\x1f", "") for part in parts] for parts in (one, other)]
    assert (event_id("x", *clean[0]) == event_id("x", *clean[1])) == (clean[0] == clean[1])


# --- deliveries -----------------------------------------------------------------------------------


@given(st.integers(1, 500), st.floats(0, 1), st.integers(1, 600), st.floats(0, 1))
def test_a_next_try_lies_ahead_within_an_hour_and_never_after_three_days(
    attempts: int, jitter: float, pace: int, into: float
) -> None:
    first = NOW - GIVE_UP_AFTER / pace * into
    again = next_try(Try(attempts=attempts, first_failed_at=first, now=NOW, pace=pace, jitter=jitter))
    if again is None:
        assert first + GIVE_UP_AFTER / pace <= NOW
        return
    assert NOW < again <= min(NOW + timedelta(hours=1) / pace, first + GIVE_UP_AFTER / pace)


def test_only_two_hundreds_are_success() -> None:
    assert [bool(refusal(status)) for status in (200, 204, 299, 301, 400, 503)] == [
        False, False, False, True, True, True,
    ]  # fmt: skip


# --- rows -----------------------------------------------------------------------------------------


def look(kind: ChangeKind, now: dict[str, str], before: dict[str, str] | None = None, **more: Any) -> Look:
    return Look(now=Change(kind=kind, key="k", values=now), before=before, **more)


def types(seen: Look) -> list[str]:
    told = events_of(seen)
    assert all(each.type in EVENT_TYPES for each in told)
    return [each.type for each in told]


def order(status: str, **more: str) -> dict[str, str]:
    return {"SalesOrder": "000123", "DocumentType": "O", "OrderStatus": status, **more}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("1", "4", ["order.status_changed"]),
        ("4", "8", ["order.status_changed", "order.dispatched"]),
        ("8", "9", ["order.status_changed"]),
        ("1", "9", ["order.status_changed", "order.dispatched"]),
        ("8", "1", ["order.status_changed"]),
        ("1", "\\", ["order.status_changed", "order.cancelled"]),
        ("1", "1", []),
    ],
)
def test_an_order_is_told_by_its_status(before: str, now: str, told: list[str]) -> None:
    assert types(look("sales_order", order(now), order(before))) == told


def test_a_part_that_left_and_was_invoiced_between_two_looks_was_dispatched() -> None:
    now = order("2", LastInvoice="100")
    assert types(look("sales_order", now, order("1"))) == ["order.status_changed", "order.dispatched"]


def test_a_new_order_is_news_only_when_it_is_not_ours_and_was_not_there_before() -> None:
    assert types(look("sales_order", order("1"))) == ["order.created"]
    assert types(look("sales_order", order("8"))) == ["order.created", "order.dispatched"]
    assert types(look("sales_order", order("1"), ours=OURS, made_by_us=True)) == []
    assert types(look("sales_order", order("8"), ours=OURS)) == ["order.status_changed", "order.dispatched"]
    assert types(look("sales_order", order("8"), silent=True)) == []
    assert types(look("sales_order", {**order("1"), "DocumentType": "C"})) == []
    assert types(look("customer", {})) == []


def test_an_order_of_ours_names_its_payment() -> None:
    [told] = events_of(look("sales_order", order("4"), order("1"), ours=OURS))
    assert told.subject == "order/123"
    assert (told.data["vendor_tx_code"], told.data["order_reference"]) == ("SO-1", "1001")
    assert (told.data["previous_status"], told.data["status_name"]) == ("1", "in_warehouse")


def document(invoice: str, kind: str = "I", balance: str = "12.00", **more: str) -> dict[str, str]:
    values = {"Invoice": invoice, "DocumentType": kind, "CurrencyValue": "12.00", "InvoiceBal1": balance}
    return {**values, "SalesOrder": "", **more}


@pytest.mark.parametrize(
    ("now", "more", "told"),
    [
        (document("100", SalesOrder="123"), {}, ["order.invoiced"]),
        (document("100", SalesOrder="123", balance="0.00"), {}, ["order.invoiced", "invoice.paid"]),
        (document("100"), {}, ["invoice.raised"]),
        (document("100"), {"made_by_us": True}, []),
        (document("100", "C", "-12.00"), {}, ["credit_note.raised"]),
        (document("100", "C", "-12.00"), {"made_by_us": True}, []),
        (document("_CRD1", balance="-12.00"), {}, ["payment.posted"]),
        (document("_CRD1", balance="-12.00"), {"made_by_us": True}, []),
        (document("100", SalesOrder="123"), {"silent": True}, []),
    ],
)
def test_a_new_document_is_told_by_its_type(
    now: dict[str, str], more: dict[str, Any], told: list[str]
) -> None:
    assert types(look("ar_invoice", now, **more)) == told


def test_an_invoice_is_paid_once_its_balance_is_gone() -> None:
    paid = look("ar_invoice", document("100", balance="0.00"), document("100"))
    assert types(paid) == ["invoice.paid"]
    assert types(look("ar_invoice", document("100", balance="6.00"), document("100"))) == []
    assert types(look("ar_invoice", document("100", balance="0.00"), document("100", balance="-0.00"))) == []


def movement(kind: str, invoice: str = "100") -> dict[str, str]:
    return {"Invoice": invoice, "DocumentType": "I", "TrnType": kind, "Reference": "R", "SalesOrder": "123"}


@pytest.mark.parametrize(
    ("kind", "made_by_us", "told"),
    [
        ("P", False, ["payment.applied"]),
        ("P", True, ["payment.applied"]),
        ("C", False, ["credit_note.raised"]),
        ("C", True, []),
        ("A", False, ["adjustment.posted"]),
        ("D", False, ["adjustment.posted"]),
        ("V", False, []),
    ],
)
def test_a_movement_is_told_by_its_type(kind: str, made_by_us: bool, told: list[str]) -> None:
    assert types(look("ar_payment", movement(kind), made_by_us=made_by_us)) == told


def test_a_movement_that_is_known_old_or_of_unapplied_cash_is_no_news() -> None:
    assert types(look("ar_payment", movement("P"), movement("P"))) == []
    assert types(look("ar_payment", movement("P"), silent=True)) == []
    assert types(look("ar_payment", movement("P", "_CRD1"))) == []


def test_equal_rows_have_equal_hashes_whatever_the_order_of_their_columns() -> None:
    one = Change(kind="customer", key="1", values={"a": "1", "b": "2"})
    other = Change(kind="customer", key="1", values={"b": "2", "a": "1"})
    assert digest(one) == digest(other)
    assert digest(one) != digest(Change(kind="customer", key="1", values={"a": "1", "b": "3"}))
    assert [bare(key) for key in ("000123", " A01 ", "000", "00A1")] == ["123", "A01", "0", "00A1"]


# --- allocation -----------------------------------------------------------------------------------


def pounds(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": "GBP"}


def receipt(minor: int) -> dict[str, object]:
    part = {"GrossPaymentValue": pounds(minor), "CustomerPurchaseOrder": "SO-1"}
    return {"Reference": "R", "PaymentValue": pounds(minor), "Unapplied": [part]}


@given(st.integers(1, 10**9), st.lists(st.integers(-5, 10**9), max_size=5))
def test_a_receipt_pays_what_is_open_and_keeps_the_rest_to_the_penny(minor: int, balances: list[int]) -> None:
    invoices = [
        OpenInvoice(invoice=str(number), balance=Money(each, "GBP")) for number, each in enumerate(balances)
    ]
    made = allocated(receipt(minor), invoices)
    paid = {each["Invoice"]: each["GrossPaymentValue"]["minor"] for each in made.get("Invoices", [])}  # type: ignore[attr-defined]
    rest = [each["GrossPaymentValue"]["minor"] for each in made["Unapplied"]]  # type: ignore[attr-defined]
    assert sum(paid.values()) + sum(rest) == minor
    assert all(0 < paid[number] <= balances[int(number)] for number in paid)
    assert all(each > 0 for each in rest)
    # Nothing stays unapplied while an invoice is open.
    owed = sum(each for each in balances if each > 0)
    assert sum(rest) == max(0, minor - owed)


@pytest.mark.parametrize(
    "shape",
    [
        {**receipt(100), "Invoices": [{"Invoice": "1"}]},
        {**receipt(100), "Unapplied": []},
        {**receipt(100), "PaymentValue": "1.00"},
        {"PaymentValue": pounds(100)},
    ],
)
def test_a_receipt_of_another_shape_is_the_mappings_own_decision(shape: dict[str, object]) -> None:
    invoices = [OpenInvoice(invoice="1", balance=Money(100, "GBP"))]
    assert allocated(shape, invoices) == shape
    assert allocated(receipt(100), [OpenInvoice(invoice="1", balance=Money(100, "EUR"))]) == receipt(100)
