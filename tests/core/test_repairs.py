"""Repairs: what is proposed, what never is, and that money stays what it was whatever is repaired."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money
from service.core import repair_kinds as kinds
from service.core.mapping import apply
from service.core.overrides import may_be_set, overridden, put, rebuilt, steps_of, value_at
from service.core.repair_kinds import Fault, Match
from service.core.repairs import (
    CURRENCY_ALIASES,
    Change,
    NotRepairable,
    amended,
    is_repairable,
    iso_currency,
    mode_of,
    money_of,
    undone,
)
from service.core.source_document import payment_document
from tests.core import samples
from tests.core.repair_samples import places, with_lines

TEXT = st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=90)


# --- money ----------------------------------------------------------------------------------------


@given(
    address=st.fixed_dictionaries(
        {"lines": st.lists(TEXT, max_size=4), "city": TEXT, "region": TEXT, "locality": TEXT, "name": TEXT,
         "company": TEXT, "postcode": TEXT, "country": st.sampled_from(["GB", "FR", ""])}
    ),
    code=TEXT,
    customer=TEXT,
    period=st.sampled_from([None, "B", "P", "C"]),
    currency=st.sampled_from(["GBP", "UKP", "gbp", "EUR", "sterling"]),
)  # fmt: skip
def test_no_class_of_repair_ever_changes_money(
    address: dict[str, Any], code: str, customer: str, period: str | None, currency: str
) -> None:
    at = with_lines(code, "A100")
    at["customer"] = customer
    at["order"]["shipping"] |= address
    at["mapped"] = {
        "sales_order": {
            "Currency": currency,
            "CustomerPoNumber": code,
            "Lines": [{"Price": "10", "OrderQty": "1"}],
        },
        "ar_payment": {"PaymentValue": {"minor": 1_000, "currency": "GBP"}},
    }
    if period:
        at["mapped"]["ar_payment"]["PostingPeriod"] = period
    wrong = [
        Fault(document="sales_order", target="ShipAddress1", value="x" * 41, length=40),
        Fault(document="sales_order", target="CustomerPoNumber", value=code, length=30),
    ]
    proposals = [
        kinds.address(wrong, at),
        kinds.reference(wrong, at),
        kinds.customer_code(at, ["0000042"]),
        kinds.currency_alias(at, "GBP"),
        kinds.stock_codes(at, {code: Match(stock_code="A100", score=100, why="")}),
        kinds.closed_period(at, ["ar_payment"], "B"),
    ]

    for proposal in proposals:
        if proposal is None:
            continue
        changes = [
            each
            for each in proposal.changes
            if value_at(at, steps_of(each.path)) is not None or each.before is None
        ]
        after = amended(at, changes)
        assert money_of(after) == money_of(at)
        assert amended(after, undone(changes))["order"] == at["order"]


@pytest.mark.parametrize(
    "path",
    [
        "order.total.minor",
        "order.total.currency",
        "order.total",
        "order.lines[0].net",
        "order.lines[0].net.minor",
        "order.lines[0].tax.currency",
        "order.lines[0].quantity",
        "order.lines[0].unit_price",
        "order.lines[0].kind",
        "order.lines",
        "order.payment_reference",
        "order.reference",
        "gateway.amount.minor",
        "mapped",
        "mapped.ar_payment",
        "order",
        "customer.x",
    ],
)
def test_what_says_how_much_or_which_payment_is_never_repaired(path: str) -> None:
    assert not is_repairable(path)
    with pytest.raises(NotRepairable):
        amended(places(), [Change(path=path, before=value_at(places(), steps_of(path)), after="1")])


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("PaymentValue", {"minor": 1, "currency": "GBP"}, {"minor": 2, "currency": "GBP"}),
        ("PaymentValue", {"minor": 1, "currency": "GBP"}, None),
        ("Currency", "GBP", "EUR"),
        ("Currency", "UKP", "EUR"),
        ("Price", "10", "9"),
    ],
)
def test_a_mapped_document_keeps_its_money(target: str, before: object, after: object) -> None:
    at = places(mapped={"x": {target: before}})

    with pytest.raises(NotRepairable, match="money"):
        amended(at, [Change(path=f"mapped.x.{target}", before=before, after=after)])  # type: ignore[arg-type]


def test_only_another_spelling_of_the_same_currency_is_put_right() -> None:
    at = places(mapped={"sales_order": {"Currency": "UKP"}})

    proposal = kinds.currency_alias(at, "GBP")
    assert proposal is not None
    assert amended(at, proposal.changes)["mapped"] == {"sales_order": {"Currency": "GBP"}}
    assert kinds.currency_alias(at, "EUR") is None
    assert kinds.currency_alias(places(mapped={"sales_order": {"Currency": "$"}}), "USD") is None
    assert all(iso_currency(alias.lower()) == code for alias, code in CURRENCY_ALIASES.items())


def test_money_cannot_be_set_on_a_mapped_document_by_hand_either() -> None:
    dictionary = samples.shipped("sales_order").dictionary
    settable = {target for target, field in dictionary.fields.items() if may_be_set(target, field)}

    assert "ShipAddress1" in settable
    assert settable.isdisjoint({"Currency", "Lines[].Price", "Lines[].Value", "Lines[].OrderQty", "Lines"})


# --- references -----------------------------------------------------------------------------------


@given(
    st.lists(
        st.text("ABCabc,* -09", min_size=31, max_size=60).filter(str.strip),
        min_size=2,
        max_size=20,
        unique=True,
    )
)
def test_no_two_references_collide_however_alike_they_begin(values: list[str]) -> None:
    repaired = []
    for value in values:
        fault = Fault(document="sales_order", target="CustomerPoNumber", value=value, length=30)
        proposal = kinds.reference([fault], places(mapped={"sales_order": {"CustomerPoNumber": value}}))
        assert proposal is not None
        repaired.append(str(proposal.changes[0].after))

    assert len(set(repaired)) == len(values)
    assert all(len(each) <= 30 for each in repaired)


def test_a_reference_that_is_no_wider_than_a_digest_is_left_to_a_person() -> None:
    fault = Fault(document="x", target="Reference", value="x" * 31, length=10)

    assert kinds.reference([fault], places()) is None


# --- periods --------------------------------------------------------------------------------------


def test_periods_only_move_forward_and_never_past_the_current_one() -> None:
    at = places(mapped={"ar_payment": {}})

    steps = []
    while proposal := kinds.closed_period(at, ["ar_payment"], "B"):
        at = amended(at, proposal.changes)
        steps.append(proposal.changes[0].after)

    assert steps == ["P", "C"]
    assert kinds.closed_period(places(mapped={"ar_payment": {}}), ["ar_payment"], "C") is None


# --- the mechanics --------------------------------------------------------------------------------


def test_a_repair_that_was_made_for_another_value_is_refused() -> None:
    with pytest.raises(NotRepairable, match="no longer"):
        amended(places(), [Change(path="customer", before="41", after="0000042")])


def test_classes_propose_unless_the_pair_says_otherwise_and_rules_apply() -> None:
    assert mode_of({}, "stock-code") == "propose"
    assert mode_of({}, "rule") == "apply"
    assert mode_of({"stock-code": "off", "rule": "propose"}, "stock-code") == "off"
    assert mode_of({"stock-code": "off", "rule": "propose"}, "rule") == "propose"


def test_values_that_were_set_stay_when_the_payment_is_mapped_again_and_their_problems_go() -> None:
    mapping = samples.shipped("sales_order")
    order = msgspec.structs.replace(samples.order(samples.LAMP, samples.COURIER), note="")
    document = apply(mapping, payment_document(samples.transaction(), order, samples.PAIR, "42"))
    set_now = {"ShipAddress1": "Set by hand", "Lines[0].StockDescription": "Blue"}

    after = overridden(document, {**set_now, "Lines[99].StockCode": "gone"})

    assert after.values["ShipAddress1"] == "Set by hand"
    assert value_at(after.values, steps_of("Lines[0].StockDescription")) == "Blue"
    assert money_of(after.values) == money_of(document.values)
    told = {each.target: each.value for each in after.trace}
    assert rebuilt(told) == after.values


def test_only_the_last_member_of_a_path_may_be_new() -> None:
    assert put({"a": {}}, ("a", "b"), 1) == {"a": {"b": 1}}
    assert put({"a": {"b": 1}}, ("a", "b"), None) == {"a": {}}
    assert put({"a": ["x", "y"]}, ("a", 1), "z") == {"a": ["x", "z"]}
    for steps in (("b", "c"), ("a", "b", "c"), ("l", 3), ("a", 0)):
        with pytest.raises(LookupError):
            put({"a": {}, "l": []}, steps, 1)


def test_money_is_found_wherever_it_stands() -> None:
    assert money_of({"a": [msgspec.to_builtins(Money(5, "GBP"))], "Currency": "ukp", "Price": "1"}) == {
        ".a[0].minor": 5,
        ".a[0].currency": "GBP",
        ".Currency": "GBP",
        ".Price": "1",
    }
