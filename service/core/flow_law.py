"""Whether a flow may be published: the guard rails of the road.

Nothing posts that was not validated, mapped and screened, in this order; a new mapping asks for a new screening.
Every posting is confirmed before the flow ends, and every way ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from service.core.expressions import BadCondition, compile_condition
from service.core.flow_steps import STEPS, VARIABLES, Step, StepName
from service.core.flows import FlowDocument, Node

_ORDER = ("ingest", "validate", "map", "screen")
_VARIABLES = frozenset(VARIABLES)
_MOST_NODES = 100


class Problem(Struct, frozen=True):
    """Why a flow is not lawful.

    Attributes:
        code: stable and dotted by hyphens (`posts-unscreened`); part of the API.
        node: the node's id; empty for what belongs to the flow as a whole.
    """

    code: str
    node: str
    sentence: str


class _Progress(Struct, frozen=True):
    """What is certain of a document that arrives at a node, whichever way it came.

    Attributes:
        stage: how many of ingest, validate, map, screen are behind it, in order.
        unconfirmed: something was posted, and not yet confirmed.
        posted: something was posted on every way.
        summed: one payment carries the amounts of others.
        ordered: a sales order was posted on every way.
    """

    stage: int = 0
    unconfirmed: bool = False
    posted: bool = False
    summed: bool = False
    ordered: bool = False

    def after(self, node: Node) -> _Progress:
        """What is certain once the step is done."""
        step = node.step
        if step == "post":
            ordered = self.ordered or "sales_order" in _documents(node)
            return replace(self, unconfirmed=True, posted=True, ordered=ordered)
        if step == "confirm":
            return replace(self, unconfirmed=False)
        if step == "aggregate":
            return replace(self, summed=self.summed or node.settings.get("operation") != "group")
        if step not in _ORDER:
            return self
        place = _ORDER.index(step)
        # A second mapping makes another document, which nobody has screened.
        stage = place + 1 if self.stage == place or (step == "map" and self.stage > place) else self.stage
        return replace(self, stage=stage)

    def met(self, other: _Progress) -> _Progress:
        """What is certain where two ways meet: the worse of both."""
        return _Progress(
            min(self.stage, other.stage),
            self.unconfirmed or other.unconfirmed,
            self.posted and other.posted,
            self.summed or other.summed,
            self.ordered and other.ordered,
        )


def _documents(node: Node) -> list[str]:
    documents = node.settings.get("documents")
    return documents if isinstance(documents, list) else []


def check(flow: FlowDocument) -> tuple[Problem, ...]:
    """Everything that keeps a flow from being published; nothing when it is lawful."""
    shape = tuple(_shape_problems(flow))
    problems = [*shape, *(problem for node in flow.nodes for problem in _node_problems(node))]
    # Ways can be followed only through a graph without circles and loose ends.
    return tuple(problems) if shape else (*problems, *_order_problems(flow))


def _shape_problems(flow: FlowDocument) -> Iterator[Problem]:
    ids = [node.id for node in flow.nodes]
    if flow.version < 1:
        yield Problem("bad-version", "", "A flow's version is 1 or more.")
    if len(ids) > _MOST_NODES:
        yield Problem("too-large", "", f"A flow has at most {_MOST_NODES} nodes; split it.")
    for node_id in sorted({node_id for node_id in ids if ids.count(node_id) > 1}):
        yield Problem("duplicate-node", node_id, f"Two nodes are called `{node_id}`.")
    for node in flow.nodes:
        for way in node.exits():
            if way not in ids:
                yield Problem("unknown-node", node.id, f"`{node.id}` leads to `{way}`, which does not exist.")
    starts = flow.starts()
    if len(starts) != 1:
        names = ", ".join(f"`{name}`" for name in starts) or "none"
        yield Problem("one-start", "", f"A flow has one node that nothing leads to; this one has {names}.")
    try:
        TopologicalSorter({node.id: node.exits() for node in flow.nodes}).prepare()
    except CycleError as error:
        circle = " → ".join(f"`{name}`" for name in error.args[1])
        yield Problem("cycle", "", f"A document would go round and round: {circle}.")


def _node_problems(node: Node) -> Iterator[Problem]:
    step = _step(node.step)
    if step is None:
        known = ", ".join(get_args(StepName))
        yield Problem("unknown-step", node.id, f"There is no step `{node.step}`; there are {known}.")
        return
    for fault in step.faults(node.settings):
        yield Problem("bad-setting", node.id, f"`{node.id}` {fault}.")
    if node.step == "branch":
        yield from _branch_problems(node)
    elif node.branches or node.otherwise is not None:
        yield Problem(
            "not-a-branch", node.id, f"`{node.id}` is no branch, so it has one `next` and no others."
        )
    elif node.step == "end" and node.next is not None:
        yield Problem("end-goes-on", node.id, f"`{node.id}` is an end, so nothing follows it.")
    elif node.step != "end" and node.next is None:
        yield Problem("no-end", node.id, f"After `{node.id}` comes nothing: lead it to an `end`.")


def _step(name: str) -> Step | None:
    by_name: Mapping[str, Step] = {step.name: step for step in STEPS.values()}
    return by_name.get(name)


def _branch_problems(node: Node) -> Iterator[Problem]:
    if not node.branches:
        yield Problem("no-ways", node.id, f"`{node.id}` is a branch without conditions.")
    if node.otherwise is None:
        yield Problem(
            "no-otherwise", node.id, f"`{node.id}` does not say what else happens: set `otherwise`."
        )
    if node.next is not None:
        yield Problem("branch-next", node.id, f"`{node.id}` is a branch: use `otherwise` in place of `next`.")
    for branch in node.branches:
        try:
            compile_condition(branch.when, _VARIABLES)
        except BadCondition as error:
            yield Problem("bad-condition", node.id, f"In `{node.id}` {error}.")


def _order_problems(flow: FlowDocument) -> Iterator[Problem]:
    nodes = {node.id: node for node in flow.nodes}
    arrivals: dict[str, _Progress] = {flow.starts()[0]: _Progress()}
    followers = TopologicalSorter({node.id: node.exits() for node in flow.nodes})
    for node_id in reversed(tuple(followers.static_order())):
        node = nodes[node_id]
        progress = arrivals[node_id]
        yield from _step_problems(node, progress, is_start=node_id == flow.starts()[0])
        done = progress.after(node)
        for way in node.exits():
            arrivals[way] = arrivals[way].met(done) if way in arrivals else done


def _step_problems(node: Node, progress: _Progress, *, is_start: bool) -> Iterator[Problem]:
    if is_start and node.step != "ingest":
        yield Problem("starts-elsewhere", node.id, f"A flow starts with `ingest`, not with `{node.step}`.")
    if not is_start and node.step == "ingest":
        yield Problem(
            "second-ingest", node.id, f"`{node.id}` is a second `ingest`; a flow has one, its start."
        )
    if node.step == "post" and progress.stage < len(_ORDER):
        lacking = ", ".join(_ORDER[progress.stage :])
        sentence = (
            f"`{node.id}` may post what has not passed {lacking}: put it after validate, map and screen."
        )
        yield Problem("posts-unscreened", node.id, sentence)
    documents = node.settings.get("documents")
    if node.step == "post" and progress.summed and documents != ["ar_payment"]:
        sentence = (
            f"`{node.id}` posts after amounts were added up, so it can post an `ar_payment` and no other."
        )
        yield Problem("sums-documents", node.id, sentence)
    if node.step == "confirm" and not progress.posted:
        yield Problem("confirms-nothing", node.id, f"`{node.id}` may confirm where nothing was posted.")
    if node.step == "wait" and "until" in node.settings and not progress.ordered:
        yield Problem(
            "waits-for-no-order", node.id, f"`{node.id}` may wait for an order that was not posted."
        )
    if node.step == "end" and progress.unconfirmed:
        yield Problem(
            "ends-unconfirmed", node.id, f"`{node.id}` may end a flow that posted and did not confirm."
        )
