"""The connectors of one pair, as the composition root builds them from its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integration.ports import ERP, Gateway, Storefront
from service.store.pairs import Operator, PairSettings


@dataclass(frozen=True, kw_only=True)
class Connections:
    """What a pair talks to.

    Attributes:
        erp: makes the ERP session of an operator; it logs on when it is first used.
    """

    gateway: Gateway
    storefront: Storefront | None
    erp: Callable[[Operator], ERP]


Connect = Callable[[PairSettings], Connections]
