"""Payments gathered into one posting: no penny is left behind, and none is counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money
from integration.errors import InvalidPayment
from service.core.aggregation import Member, carrying, gather, key_of
from service.core.flow_law import check
from service.core.flows import FlowDocument, Node
from tests.core.flow_samples import flow, road


def member(
    number: int, minor: int, customer: str = "1", kind: str = "payment", currency: str = "GBP"
) -> Member:
    fields = {"currency": currency, "customer": customer, "kind": kind, "card_scheme": "Visa"}
    return Member(number=number, fields=fields, amount=Money(minor, currency))


members = st.lists(
    st.builds(
        lambda number, minor, customer, currency: member(number, minor, customer, currency=currency),
        st.integers(1, 500),
        st.integers(1, 10**9),
        st.sampled_from("123"),
        st.sampled_from(["GBP", "EUR"]),
    ),
    max_size=30,
    unique_by=lambda each: each.number,
)


@given(members)
def test_every_payment_is_in_one_group_and_the_sums_are_whole(waiting: list[Member]) -> None:
    groups = gather(waiting, ["customer"], "sum")

    assert sorted(number for group in groups for number in group.members) == sorted(m.number for m in waiting)
    for currency in ("GBP", "EUR"):
        assert sum(g.amount.minor for g in groups if g.amount.currency == currency) == sum(
            m.amount.minor for m in waiting if m.amount.currency == currency
        )


@given(members, st.randoms())
def test_the_order_of_arrival_does_not_matter(waiting: list[Member], random: object) -> None:
    shuffled = list(waiting)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert set(gather(shuffled, ["customer"], "sum")) == set(gather(waiting, ["customer"], "sum"))


def test_the_oldest_payment_leads() -> None:
    [group] = gather([member(7, 100), member(3, 200)], [], "sum")

    assert (group.lead, group.members, group.amount) == (3, (3, 7), Money(300, "GBP"))


def test_refunds_are_taken_off_when_a_group_is_netted() -> None:
    [group] = gather([member(1, 500), member(2, 200, kind="refund")], ["customer"], "net")

    assert group.amount == Money(300, "GBP")


def test_a_group_whose_refunds_take_everything_is_refused() -> None:
    with pytest.raises(InvalidPayment, match="nothing to receive"):
        gather([member(1, 200), member(2, 200, kind="refund")], ["customer"], "net")


def test_a_key_always_tells_currencies_apart() -> None:
    assert key_of(member(1, 1), ["customer"]) == "currency=GBP|customer=1"
    assert key_of(member(1, 1), []) == "currency=GBP"


def test_the_lead_carries_the_groups_amount_as_one_part() -> None:
    receipt = {"Reference": "R", "PaymentValue": {}, "Unapplied": [{"CustomerPurchaseOrder": "SO-1"}]}

    carried = carrying(receipt, Money(600, "GBP"))

    assert carried["PaymentValue"] == {"minor": 600, "currency": "GBP"}
    assert carried["Unapplied"] == [
        {"CustomerPurchaseOrder": "SO-1", "GrossPaymentValue": {"minor": 600, "currency": "GBP"}}
    ]


@pytest.mark.parametrize("parts", [[], [{}, {}], None])
def test_a_receipt_of_another_shape_cannot_carry_a_group(parts: object) -> None:
    with pytest.raises(InvalidPayment, match="one unapplied part"):
        carrying({"Unapplied": parts}, Money(600, "GBP"))


@pytest.mark.parametrize(("operation", "lawful"), [("group", True), ("sum", False), ("net", False)])
def test_no_flow_may_add_amounts_up_and_post_orders(operation: str, lawful: bool) -> None:
    nodes = road("ingest", "validate", "map", "screen", "aggregate", "post", "confirm", "end")

    def changed(node: Node) -> Node:
        if node.step == "aggregate":
            return Node(id=node.id, step=node.step, next=node.next,
                        settings={"by": ["customer"], "operation": operation, "count": 2})  # fmt: skip
        if node.step == "post":
            settings: dict[str, str | int | bool | list[str]] = {"documents": ["sales_order", "ar_payment"]}
            return Node(id=node.id, step=node.step, next=node.next, settings=settings)
        return node

    drawn: FlowDocument = flow(*(changed(node) for node in nodes))
    codes = [problem.code for problem in check(drawn)]
    assert codes == ([] if lawful else ["sums-documents"])
