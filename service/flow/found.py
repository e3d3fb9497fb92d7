"""What messages led to, and what a batch of them will write."""

from __future__ import annotations

from dataclasses import dataclass, field

from integration.canonical.order import Order
from integration.canonical.payment import GatewayTransaction
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.dead_letters import DeadLetter
from service.store.inbox import Delivery, InboxEvent
from service.store.payments import Payment

JsonObject = dict[str, object]


@dataclass(kw_only=True)
class Found:
    """What a message led to: the transaction and the order it pays, or why there is none.

    Attributes:
        arrived: what else came with it: a chargeback's notice, the plan of a subscription's charge.
    """

    event: InboxEvent
    transaction: GatewayTransaction | None = None
    order: Order | None = None
    arrived: JsonObject = field(default_factory=dict)
    error: Exception | None = None

    @property
    def kind(self) -> str:
        """What a flow is chosen by: the transaction's kind, or `subscription` for a charge of one."""
        assert self.transaction is not None
        return "subscription" if "subscription" in self.arrived else self.transaction.kind


@dataclass
class Changes:
    """What one batch of messages will write."""

    new: list[Payment] = field(default_factory=list)
    changed: list[Payment] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    dead: list[tuple[Payment, JsonObject]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    messages: list[Delivery] = field(default_factory=list)
