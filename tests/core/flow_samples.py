"""Small flows for the tests: single nodes, straight roads and forks."""

from __future__ import annotations

from service.core.flow_law import check
from service.core.flow_steps import SettingValue
from service.core.flows import (
    Branch,
    FlowDocument,
    Node,
)

SETTINGS: dict[str, dict[str, SettingValue]] = {
    "map": {"mappings": ["ar_payment"]},
    "post": {"documents": ["ar_payment"]},
    "look_up": {"what": ["customer"]},
    "aggregate": {"by": ["currency"], "operation": "sum", "minutes": 60},
    "wait": {"minutes": 5},
    "tell": {"whom": "shop"},
}
ROAD = ("ingest", "validate", "map", "screen", "post", "confirm", "end")


def node(step: str, to: str | None = None, name: str | None = None) -> Node:
    return Node(id=name or step, step=step, settings=SETTINGS.get(step, {}), next=to)


def road(*steps: str) -> list[Node]:
    return [node(step, to) for step, to in zip(steps, [*steps[1:], None], strict=True)]


def flow(*nodes: Node, version: int = 1) -> FlowDocument:
    return FlowDocument(name="test", version=version, description="", applies_to="payment", nodes=nodes)


def fork(name: str, yes: str, no: str | None, when: str = "has_order") -> Node:
    return Node(id=name, step="branch", branches=(Branch(when=when, next=yes),), otherwise=no)


def codes(document: FlowDocument) -> list[tuple[str, str]]:
    return [(problem.code, problem.node) for problem in check(document)]
