"""Flows as data: read, walked, written back and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from service.core.expressions import Fact
from service.core.flow_law import check
from service.core.flows import (
    Branch,
    Change,
    FlowDocument,
    Node,
    UnknownNode,
    UnreadableFlow,
    diff,
    next_node,
    start_node,
)
from tests.core.flow_samples import ROAD, flow, node, road

TEMPLATES = sorted((Path(__file__).parents[2] / "data/templates/flows").glob("*.yaml"))


# --- flows that ship ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_flow_that_ships_is_lawful_and_can_be_written_back(path: Path) -> None:
    document = FlowDocument.from_dict(yaml.safe_load(path.read_text("utf-8")))

    assert check(document) == ()
    assert document.name == path.stem
    assert FlowDocument.from_dict(yaml.safe_load(yaml.safe_dump(document.to_dict()))) == document


def test_the_road_and_the_payment_flow_ship() -> None:
    assert {"order_to_cash", "payment"} <= {path.stem for path in TEMPLATES}


# --- walking --------------------------------------------------------------------------------------


def test_a_document_walks_from_the_start_to_the_end() -> None:
    document = flow(*road(*ROAD))
    walked: list[str] = []

    place: str | None = start_node(document)
    while place is not None:
        walked.append(place)
        place = next_node(document, place, {})

    assert walked == list(ROAD)


@pytest.mark.parametrize(("amount", "way"), [(5, "small"), (500, "large"), (50, "other")])
def test_a_branch_takes_the_first_way_whose_condition_holds(amount: int, way: str) -> None:
    ways = (Branch(when="amount_minor < 10", next="small"), Branch(when="amount_minor > 100", next="large"))
    document = flow(Node(id="which", step="branch", branches=ways, otherwise="other"))
    facts: dict[str, Fact] = {"amount_minor": amount}

    assert next_node(document, "which", facts) == way


def test_a_node_of_another_version_is_named() -> None:
    with pytest.raises(UnknownNode, match="flow `test` version 1 has no node `gone`"):
        next_node(flow(*road(*ROAD)), "gone", {})


def test_a_flow_without_a_start_was_never_lawful() -> None:
    with pytest.raises(UnknownNode, match="has 0 starts, not one"):
        start_node(flow())


@pytest.mark.parametrize("data", [None, {"name": "x"}, {"name": "x", "version": 1, "nodes": [{"id": 1}]}])
def test_what_is_not_the_form_of_a_flow_is_refused_by_name(data: object) -> None:
    with pytest.raises(UnreadableFlow, match="this is no flow"):
        FlowDocument.from_dict(data)


# --- what changed ---------------------------------------------------------------------------------


def test_two_versions_of_the_same_flow_differ_in_nothing() -> None:
    assert diff(flow(*road(*ROAD)), flow(*road(*ROAD), version=2)) == ()


def test_the_differences_of_two_flows_are_told_node_by_node() -> None:
    before = flow(*road("ingest", "validate", "end"))
    after = FlowDocument(
        name="test",
        version=2,
        description="Now with a word to the shop.",
        applies_to="payment",
        nodes=(node("ingest", "tell"), node("tell", "end"), node("end")),
    )

    assert diff(before, after) == (
        Change("changed", "", "The description is `Now with a word to the shop.`, and was ``."),
        Change("changed", "ingest", "The node `ingest` has another next."),
        Change("removed", "validate", "The node `validate` is gone."),
        Change("added", "tell", "The node `tell` is new; it does `tell`."),
    )
