"""The connectors of one pair, as the composition root builds them from its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from integration.ports import ERP, Gateway, Storefront
from integration.ports_files import FileDrop
from service.store.pairs import Operator, PairSettings


class MakeErp(Protocol):
    """Makes the ERP session of an operator; it logs on when it is first used."""

    def __call__(self, operator: Operator, on_evicted: Callable[[], None] | None = None) -> ERP:
        """`on_evicted` is called when somebody else's logon keeps ending the session."""
        ...


@dataclass(frozen=True, kw_only=True)
class Connections:
    """What a pair talks to.

    Attributes:
        drop: opens the folder in which others leave files, for one look at it; `None` without one.
    """

    gateway: Gateway
    storefront: Storefront | None
    erp: MakeErp
    drop: Callable[[], FileDrop] | None = None


Connect = Callable[[PairSettings], Connections]
