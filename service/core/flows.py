"""A flow as data: the steps a document meets, in which order and under which conditions.

A flow is a small versioned graph without circles. It starts at its one node that nothing leads to. Reading one
(`FlowDocument.from_dict`) asks only for the form; `service.core.flow_law.check` decides whether it is lawful.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import Struct

from service.core.expressions import Condition, Facts, compile_condition
from service.core.flow_steps import VARIABLES, SettingValue
from service.core.source_document import Json

ORDER_FLOWS = frozenset({"order_to_cash", "pay_on_shipment"})
"""The flows, by name, that need the shop's order of a payment: they make a sales order of it."""


class UnreadableFlow(ValueError):
    """A flow that does not have the form of one; the text says where."""


class UnknownNode(ValueError):
    """A node that the flow does not have: the walker and the flow's version do not belong together."""


class Branch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way out of a `branch`: taken when the condition holds and none before it did."""

    when: str
    next: str


class Node(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step in its place.

    Attributes:
        id: unique in the flow; rows and the audit trail name it.
        step: a name of the catalogue (`flow_steps.STEPS`).
        next: the node that follows; none for `branch` and `end`.
        branches, otherwise: the ways out of a `branch`.
        note: for the next person.
    """

    id: str
    step: str
    settings: dict[str, SettingValue] = {}
    next: str | None = None
    branches: tuple[Branch, ...] = ()
    otherwise: str | None = None
    note: str = ""

    def exits(self) -> tuple[str, ...]:
        """The ids of the nodes that may follow, in the order they are tried."""
        ways = (*(branch.next for branch in self.branches), self.otherwise, self.next)
        return tuple(way for way in ways if way is not None)


class FlowDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flow.

    Attributes:
        version: 1 and up; a published version never changes.
        applies_to: the kind of document that walks it: `payment`, `refund`, `settlement`, …
    """

    name: str
    version: int
    description: str
    applies_to: str
    nodes: tuple[Node, ...]

    @classmethod
    def from_dict(cls, data: object) -> FlowDocument:
        """Read a flow from what YAML or JSON gave.

        Raises:
            UnreadableFlow: it has not the form of one; whether it is lawful is another question.
        """
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise UnreadableFlow(f"this is no flow: {error}") from error

    def to_dict(self) -> dict[str, Json]:
        """The flow as YAML or JSON take it; `from_dict` gives it back."""
        written: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(self))
        return written

    def node(self, node_id: str) -> Node:
        """The node of that id.

        Raises:
            UnknownNode: there is none.
        """
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise UnknownNode(f"flow `{self.name}` version {self.version} has no node `{node_id}`")

    def starts(self) -> tuple[str, ...]:
        """The ids of the nodes that nothing leads to: exactly one in a lawful flow."""
        reached = {way for node in self.nodes for way in node.exits()}
        return tuple(node.id for node in self.nodes if node.id not in reached)


def start_node(flow: FlowDocument) -> str:
    """Where a lawful flow begins.

    Raises:
        UnknownNode: the flow has no start, or several: it was never lawful.
    """
    if len(starts := flow.starts()) == 1:
        return starts[0]
    raise UnknownNode(f"flow `{flow.name}` version {flow.version} has {len(starts)} starts, not one")


def next_node(flow: FlowDocument, node_id: str, facts: Facts) -> str | None:
    """The node that follows for a document with these facts, or `None` at the end.

    Args:
        flow: a lawful flow.
        node_id: the node that is done.
        facts: the values of `flow_steps.VARIABLES`; only those that conditions read are looked at.

    Raises:
        UnknownNode: the flow has no such node.
        BadCondition: a condition could not decide.
    """
    node = flow.node(node_id)
    for branch in node.branches:
        if _compiled(branch.when).holds(facts):
            return branch.next
    return node.otherwise if node.branches else node.next


@lru_cache(maxsize=1024)
def _compiled(when: str) -> Condition:
    return compile_condition(when, frozenset(VARIABLES))


class Change(Struct, frozen=True):
    """One difference between two flows.

    Attributes:
        code: `added`, `removed` or `changed`.
        node: the node's id; empty for what belongs to the flow as a whole.
    """

    code: str
    node: str
    sentence: str


def diff(before: FlowDocument, after: FlowDocument) -> tuple[Change, ...]:
    """What changed between two flows, version apart: the flow's own members first, then node by node."""
    changes = [
        Change("changed", "", f"The {member} is `{new}`, and was `{old}`.")
        for member, old, new in (
            ("name", before.name, after.name),
            ("description", before.description, after.description),
            ("kind of document", before.applies_to, after.applies_to),
        )
        if old != new
    ]
    old_nodes = {node.id: node for node in before.nodes}
    new_nodes = {node.id: node for node in after.nodes}
    for node_id in [*old_nodes, *(node_id for node_id in new_nodes if node_id not in old_nodes)]:
        changes.extend(_node_changes(node_id, old_nodes.get(node_id), new_nodes.get(node_id)))
    return tuple(changes)


def _node_changes(node_id: str, old: Node | None, new: Node | None) -> list[Change]:
    if new is None:
        return [Change("removed", node_id, f"The node `{node_id}` is gone.")]
    if old is None:
        return [Change("added", node_id, f"The node `{node_id}` is new; it does `{new.step}`.")]
    members = [member for member in Node.__struct_fields__ if getattr(old, member) != getattr(new, member)]
    return [Change("changed", node_id, f"The node `{node_id}` has another {member}.") for member in members]
