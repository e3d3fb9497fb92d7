"""Whether a flow may go live on its pair: the law of flows, and that what it posts is mapped before."""

from __future__ import annotations

from graphlib import TopologicalSorter

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.flow_law import Problem, check
from service.core.flows import FlowDocument, Node
from service.store import versions


async def obstacles(connection: AsyncConnection, pair: str, flow: FlowDocument) -> tuple[Problem, ...]:
    """Everything that keeps a flow from going live on a pair; nothing when it may."""
    if problems := check(flow):
        return problems
    targets: dict[str, str] = {}
    for name in sorted({name for node in flow.nodes for name in _mappings(node)}):
        live = await versions.live(connection, "mapping", pair, name)
        if live is not None:
            targets[name] = str(live[1].get("target", ""))
    return (*_without_mapping(flow, targets), *_unmapped(flow, targets))


def _mappings(node: Node) -> list[str]:
    return msgspec.convert(node.settings.get("mappings", []), list[str]) if node.step == "map" else []


def _without_mapping(flow: FlowDocument, targets: dict[str, str]) -> list[Problem]:
    return [
        Problem("no-mapping", node.id, f"`{node.id}` names the mapping `{name}`, which has no live version.")
        for node in flow.nodes
        for name in _mappings(node)
        if name not in targets
    ]


def _unmapped(flow: FlowDocument, targets: dict[str, str]) -> list[Problem]:
    """Documents that a node posts although not every way to it maps them."""
    nodes = {node.id: node for node in flow.nodes}
    mapped: dict[str, frozenset[str]] = {flow.starts()[0]: frozenset()}
    problems = []
    order = tuple(TopologicalSorter({node.id: node.exits() for node in flow.nodes}).static_order())
    for node_id in reversed(order):
        node, here = nodes[node_id], mapped[node_id]
        if node.step == "map":
            # A mapping replaces what an earlier one made.
            here = frozenset(targets[name] for name in _mappings(node) if name in targets)
        if node.step == "post":
            wanted = msgspec.convert(node.settings.get("documents", []), list[str])
            problems += [
                Problem(
                    "unmapped-document",
                    node.id,
                    f"`{node.id}` posts `{kind}`, which no mapping before it makes.",
                )
                for kind in wanted
                if kind not in here
            ]
        for way in node.exits():
            mapped[way] = mapped[way] & here if way in mapped else here
    return problems
