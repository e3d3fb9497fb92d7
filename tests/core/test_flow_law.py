"""The law of flows: what may be published, and that no lawful flow posts what nobody screened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.core.flow_law import check
from service.core.flow_steps import STEPS, SettingValue
from service.core.flows import (
    Branch,
    FlowDocument,
    Node,
    start_node,
)
from tests.core.flow_samples import ROAD, codes, flow, fork, node, road

# --- the law --------------------------------------------------------------------------------------


def test_the_plain_road_is_lawful() -> None:
    assert check(flow(*road(*ROAD))) == ()


def test_steps_may_stand_between_the_guard_rails() -> None:
    steps = (
        "ingest",
        "look_up",
        "validate",
        "wait",
        "map",
        "screen",
        "aggregate",
        "post",
        "confirm",
    )
    assert check(flow(*road(*steps, "tell", "end"))) == ()


@pytest.mark.parametrize("left_out", ["validate", "map", "screen"])
def test_no_guard_rail_can_be_left_out(left_out: str) -> None:
    assert codes(flow(*road(*[step for step in ROAD if step != left_out]))) == [("posts-unscreened", "post")]


@pytest.mark.parametrize(
    "steps",
    [
        ("ingest", "map", "validate", "screen", "post", "confirm", "end"),
        ("ingest", "validate", "screen", "map", "post", "confirm", "end"),
        ("ingest", "screen", "validate", "map", "post", "confirm", "end"),
    ],
)
def test_the_guard_rails_stand_in_their_order(steps: tuple[str, ...]) -> None:
    assert codes(flow(*road(*steps))) == [("posts-unscreened", "post")]


def test_a_second_mapping_must_be_screened_again() -> None:
    again = road("ingest", "validate", "map", "screen")[:-1]
    nodes = [*again, node("screen", "remap"), node("map", "post", "remap"), *road("post", "confirm", "end")]

    assert codes(flow(*nodes)) == [("posts-unscreened", "post")]


def test_every_way_to_a_post_is_looked_at() -> None:
    nodes = [
        *road("ingest", "validate", "map")[:-1],
        node("map", "which"),
        fork("which", "screen", "post"),
        *road("screen", "post", "confirm", "end"),
    ]

    problems = check(flow(*nodes))

    assert [(problem.code, problem.node) for problem in problems] == [("posts-unscreened", "post")]
    assert "may post what has not passed screen" in problems[0].sentence


def test_a_posting_is_confirmed_before_every_end() -> None:
    nodes = [
        *road("ingest", "validate", "map", "screen", "post")[:-1],
        node("post", "which"),
        fork("which", "confirm", "end"),
        *road("confirm", "end"),
    ]

    assert codes(flow(*nodes)) == [("ends-unconfirmed", "end")]


def test_a_confirmation_needs_a_posting_on_every_way() -> None:
    assert codes(flow(*road("ingest", "confirm", "end"))) == [("confirms-nothing", "confirm")]


def test_a_flow_begins_with_its_only_ingest() -> None:
    assert codes(flow(*road("validate", "end"))) == [("starts-elsewhere", "validate")]
    assert codes(flow(node("ingest", "again"), node("ingest", "end", "again"), node("end"))) == [
        ("second-ingest", "again")
    ]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], ("one-start", "")),
        ([node("ingest", "end"), node("end"), node("end", None, "island")], ("one-start", "")),
        ([node("ingest", "nowhere")], ("unknown-node", "ingest")),
        ([node("ingest", "end"), node("end"), node("end")], ("duplicate-node", "end")),
        ([node("ingest", "a"), node("wait", "b", "a"), node("wait", "a", "b")], ("cycle", "")),
        ([node("ingest", "end"), node("dance", "end"), node("end")], ("unknown-step", "dance")),
        ([node("ingest", "end"), node("end", "more"), node("end", None, "more")], ("end-goes-on", "end")),
        ([node("ingest")], ("no-end", "ingest")),
        ([node("ingest", "a"), fork("a", "end", None), node("end")], ("no-otherwise", "a")),
        ([node("ingest", "a"), Node(id="a", step="branch", otherwise="end"), node("end")], ("no-ways", "a")),
        ([node("ingest", "a"), fork("a", "end", "end", "nobody > 1"), node("end")], ("bad-condition", "a")),
        (
            [Node(id="ingest", step="ingest", next="end", otherwise="end"), node("end")],
            ("not-a-branch", "ingest"),
        ),
        (
            [
                node("ingest", "a"),
                Node(
                    id="a",
                    step="branch",
                    branches=(Branch(when="has_order", next="end"),),
                    otherwise="end",
                    next="end",
                ),
                node("end"),
            ],
            ("branch-next", "a"),
        ),
    ],
)
def test_what_is_wrong_with_the_graph_is_named(nodes: list[Node], expected: tuple[str, str]) -> None:
    assert expected in codes(flow(*nodes))


def test_a_flow_has_a_version_and_a_bounded_size() -> None:
    steps = [node("tell", f"tell{place + 1}", f"tell{place}") for place in range(100)]
    nodes = [node("ingest", "tell0"), *steps, node("end", None, "tell100")]

    assert codes(flow(*nodes, version=0)) == [("bad-version", ""), ("too-large", "")]


@pytest.mark.parametrize(
    ("step", "given_settings", "reason"),
    [
        ("validate", {"colour": "red"}, "has no setting `colour`"),
        ("map", {}, "needs the setting `mappings`"),
        ("map", {"mappings": []}, "must be a list of different texts"),
        ("map", {"mappings": ["a", "a"]}, "must be a list of different texts"),
        ("map", {"mappings": "a"}, "must be a list of different texts"),
        ("post", {"documents": ["invoice"]}, "cannot be `invoice`: sales_order, "),
        ("screen", {"hold_above": 50}, "has no setting `hold_above`"),
        ("wait", {}, "needs exactly one of the settings minutes and until"),
        ("wait", {"minutes": True}, "must be a whole number from 1 to"),
        (
            "aggregate",
            {"by": ["kind"], "operation": "sum"},
            "needs exactly one of the settings minutes and count",
        ),
        ("wait", {"minutes": 0}, "must be a whole number from 1 to 43200"),
        ("tell", {"whom": "everybody"}, "cannot be `everybody`"),
        ("tell", {"whom": "shop", "status": ""}, "`status` must be a text"),
        ("aggregate", {"by": ["colour"], "operation": "sum", "count": 2}, "cannot be `colour`"),
        ("aggregate", {"by": ["currency"], "operation": "sum"}, "needs exactly one of the settings"),
    ],
)
def test_a_wrong_setting_is_named(step: str, given_settings: dict[str, SettingValue], reason: str) -> None:
    odd = Node(id="odd", step=step, settings=given_settings, next="end")

    problems = check(flow(node("ingest", "odd"), odd, node("end")))

    assert any(problem.node == "odd" and reason in problem.sentence for problem in problems)


def test_every_step_of_the_catalogue_says_what_it_does() -> None:
    assert all(name == step.name and step.summary.endswith((".", "?")) for name, step in STEPS.items())


# --- no lawful flow posts unscreened --------------------------------------------------------------

WORK = ("validate", "map", "screen", "post", "confirm", "tell", "wait", "branch")


@st.composite
def graphs(draw: st.DrawFn) -> FlowDocument:
    """Any graph of up to a dozen nodes; steps lean towards the road's order, so that some are lawful."""
    road_steps = draw(
        st.sampled_from([("validate", "map", "screen", "post", "confirm"), ("validate", "map"), ()])
    )
    steps = [*road_steps, *draw(st.lists(st.sampled_from(WORK), max_size=4))]
    for _ in range(draw(st.integers(0, 2))):
        steps.insert(draw(st.integers(0, len(steps))), draw(st.sampled_from(WORK)))
    names = ["n0", *(f"n{place + 1}" for place in range(len(steps))), "end"]
    nodes = [node("ingest", names[1], "n0")]
    for place, step in enumerate(steps, start=1):
        after = names[place + 1 :]
        way = draw(
            st.sampled_from([names[place + 1]] * 4 + after + (names if draw(st.integers(0, 9)) == 0 else []))
        )
        if step == "branch":
            nodes.append(fork(names[place], names[place + 1], way))
        else:
            nodes.append(node(step, names[place + 1] if draw(st.integers(0, 5)) else way, names[place]))
    return flow(*nodes, node("end"))


def paths(document: FlowDocument, place: str, so_far: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Every way through a flow as its steps, by walking them all; knows nothing of how the law looks at it."""
    assert len(so_far) <= len(document.nodes), "a lawful flow has no circle"
    here = next(node for node in document.nodes if node.id == place)
    steps = (*so_far, here.step)
    ways = [*(branch.next for branch in here.branches), here.otherwise, here.next]
    found = [way for way in ways if way is not None]
    if not found:
        yield list(steps)
    for way in found:
        yield from paths(document, way, steps)


def posts_unscreened(steps: list[str]) -> bool:
    for place, step in enumerate(steps):
        if step == "post":
            before = steps[:place]
            last_map = max((spot for spot, name in enumerate(before) if name == "map"), default=-1)
            validated = "validate" in before[: max(last_map, 0)]
            if before[0] != "ingest" or last_map < 0 or not validated or "screen" not in before[last_map:]:
                return True
    return False


def ends_unconfirmed(steps: list[str]) -> bool:
    return "post" in steps and "confirm" not in steps[len(steps) - steps[::-1].index("post") :]


@settings(max_examples=300)
@given(graphs())
def test_no_lawful_flow_has_a_way_that_posts_unscreened_or_ends_unconfirmed(document: FlowDocument) -> None:
    lawful = check(document) == ()
    assume(lawful)

    for steps in paths(document, start_node(document)):
        assert not posts_unscreened(steps), steps
        assert not ends_unconfirmed(steps), steps
        assert steps[-1] == "end"


@settings(max_examples=300)
@given(graphs())
def test_the_law_and_a_walk_of_every_way_agree(document: FlowDocument) -> None:
    found = {code for code, _ in codes(document)}
    assume(not found & {"one-start", "cycle", "second-ingest"})

    ways = list(paths(document, start_node(document)))

    assert ("posts-unscreened" in found) == any(posts_unscreened(steps) for steps in ways)
    assert ("ends-unconfirmed" in found) == any(ends_unconfirmed(steps) for steps in ways)


@settings(max_examples=100)
@given(graphs())
def test_checking_any_graph_ends_in_problems_and_never_in_an_error(document: FlowDocument) -> None:
    assert isinstance(check(document), tuple)


# --- waiting for an order -------------------------------------------------------------------------


def _waiting(*documents: str) -> FlowDocument:
    steps = road("ingest", "validate", "map", "screen", "post", "wait", "confirm", "end")
    settings: dict[str, dict[str, SettingValue]] = {
        "post": {"documents": list(documents)},
        "wait": {"until": "invoiced"},
    }
    changed = [
        Node(id=each.id, step=each.step, next=each.next, settings=settings.get(each.step, each.settings))
        for each in steps
    ]
    return flow(*changed)


def test_only_an_order_that_was_posted_can_be_waited_for() -> None:
    assert codes(_waiting("sales_order")) == []
    assert codes(_waiting("ar_payment")) == [("waits-for-no-order", "wait")]


def test_a_wait_has_minutes_or_something_to_wait_for() -> None:
    wait = STEPS["wait"]
    assert wait.faults({"minutes": 5}) == []
    assert wait.faults({"until": "shipped", "days": 3}) == []
    assert wait.faults({})
    assert wait.faults({"minutes": 5, "until": "shipped"})
