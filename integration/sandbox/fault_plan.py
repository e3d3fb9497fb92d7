"""What goes wrong, how often and in which order: the seeded plan behind every sandbox's faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import msgspec

Scalar = str | int | float | bool | None

TRANSPORT_FAULTS = frozenset({"delay", "slow", "drop", "commit-then-drop", "5xx", "garbage", "clock-skew"})
"""Acted by :class:`integration.sandbox.faults.FaultyApp` around any application."""

SYSTEM_FAULTS = frozenset(
    {"locked", "session-killed", "licence-full", "element-ignored", "number-not-returned"}
)
"""Handed to the application in ``scope["state"]["sandbox_fault"]``: only it knows how the system says so."""

EVENT_FAULTS = frozenset({"event-doubled", "event-reordered", "event-delayed", "event-forged"})
"""Drawn once per notification by the sender, with :meth:`FaultPlan.chance`."""

ALL_FAULTS = TRANSPORT_FAULTS | SYSTEM_FAULTS | EVENT_FAULTS

STORM: dict[str, float] = {
    "commit-then-drop": 0.03,
    "drop": 0.03,
    "5xx": 0.03,
    "slow": 0.03,
    "locked": 0.02,
    "session-killed": 0.01,
    "garbage": 0.01,
    "event-doubled": 0.20,
    "event-forged": 0.02,
}
"""Probabilities of the profile *storm*; *rough* is a third of each."""

PROFILES: dict[str, float] = {"none": 0.0, "rough": 1 / 3, "storm": 1.0}


class FiredFault(msgspec.Struct, frozen=True):
    """One fault to act now: its kebab-case name and its parameters.

    Known parameters: ``seconds`` (slow, delay; of clock-skew, by which the server's clock is ahead), ``status`` and ``committed`` (5xx), ``element``
    (element-ignored); a system may define more.
    """

    name: str
    parameters: dict[str, Scalar] = {}


class FaultMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which calls an order applies to; an empty field matches every call.

    Attributes:
        method: HTTP method, any case.
        path: substring of the path, any case.
        body: substring of the raw request body, exact case, read as Latin-1; of the decoded query string
            where there is no body, as with e.net's postings by GET.
        writes_only: leave calls alone that change nothing.
        after: how many matching calls pass unharmed first.
    """

    method: str = ""
    path: str = ""
    body: str = ""
    writes_only: bool = False
    after: int = 0

    def covers(self, method: str, path: str, body: bytes) -> bool:
        """Say whether a call falls under this match, ``after`` and ``writes_only`` aside."""
        return (
            (not self.method or self.method.upper() == method.upper())
            and (not self.path or self.path.lower() in path.lower())
            and (not self.body or self.body.encode("utf-8") in body)
        )


class FaultOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A fault ordered for the next ``times`` matching calls."""

    fault: str
    times: int = 1
    match: FaultMatch = FaultMatch()
    parameters: dict[str, Scalar] = {}
    passed: int = 0


def method_writes(method: str, path: str, body: bytes) -> bool:
    """Take every method other than GET, HEAD and OPTIONS for a write; systems with POSTed reads replace it."""
    return method.upper() not in {"GET", "HEAD", "OPTIONS"}


class FaultPlan:
    """The faults of one sandbox: orders first, then chance by seeded rates.

    At most one fault is drawn per call. Unknown names are refused; known ones the system does not
    support are kept out of the draw, so that one profile serves every sandbox.

    Attributes:
        rates: probability per call (or per event) by fault name.
        orders: pending orders, oldest first.
        fired: how often each fault was drawn.
        calls: how many calls were asked about.
        slow_seconds: how long ``slow`` and ``delay`` wait unless a fault's parameters say otherwise.
        is_write: which calls change something, for orders with ``writes_only``.
    """

    def __init__(
        self, seed: int = 0, supports: Iterable[str] = ALL_FAULTS, slow_seconds: float = 3.0
    ) -> None:
        self.supports = frozenset(supports)
        self.rates: dict[str, float] = {}
        self.orders: list[FaultOrder] = []
        self.fired: dict[str, int] = {}
        self.calls = 0
        self.slow_seconds = slow_seconds
        self.is_write: Callable[[str, str, bytes], bool] = method_writes
        self.reseed(seed)

    @classmethod
    def storm(cls, seed: int = 0, scale: float = 1.0, supports: Iterable[str] = ALL_FAULTS) -> FaultPlan:
        """Make a plan with the storm's rates times ``scale`` (1/3 is *rough*)."""
        plan = cls(seed, supports)
        plan.set_rates({name: rate * scale for name, rate in STORM.items()})
        return plan

    def reseed(self, seed: int) -> None:
        """Start the draws anew from ``seed``; calls and events draw from separate generators."""
        self.seed = seed
        self._calls_rng = random.Random(seed)  # noqa: S311 - a repeatable plan, not a secret
        self._events_rng = random.Random(seed + 1)  # noqa: S311

    def set_rates(self, rates: dict[str, float]) -> None:
        """Replace all rates.

        Raises:
            ValueError: for an unknown fault, a rate outside 0–1 or call rates above 1 in total.
        """
        unknown = sorted(set(rates) - ALL_FAULTS)
        if unknown:
            raise ValueError(f"There is no fault named {', '.join(unknown)}.")
        if any(not 0 <= rate <= 1 for rate in rates.values()):
            raise ValueError("A rate is a probability between 0 and 1.")
        if sum(rate for name, rate in rates.items() if name not in EVENT_FAULTS) > 1:
            raise ValueError("The rates of call faults add up to more than 1.")
        self.rates = dict(rates)

    def set_profile(self, profile: str) -> None:
        """Take the rates of ``none``, ``rough`` or ``storm``.

        Raises:
            ValueError: for any other name.
        """
        if profile not in PROFILES:
            raise ValueError(f"There is no fault profile named {profile}; use none, rough or storm.")
        scale = PROFILES[profile]
        self.set_rates({name: rate * scale for name, rate in STORM.items() if scale})

    def order(self, order: FaultOrder) -> None:
        """Queue an order behind those already pending.

        Raises:
            ValueError: for a fault this system does not support or a count below 1.
        """
        if order.fault not in self.supports:
            raise ValueError(f"This sandbox has no fault named {order.fault}.")
        if order.times < 1 or order.match.after < 0:
            raise ValueError("An order needs times >= 1 and after >= 0.")
        self.orders.append(order)

    def clear(self) -> None:
        """Drop every rate and order; counts stay."""
        self.rates = {}
        self.orders = []

    def draw(self, method: str, path: str, body: bytes) -> FiredFault | None:
        """Decide whether this call meets a fault, and count it."""
        self.calls += 1
        fault = self._ordered(method, path, body) or self._by_chance()
        if fault is not None:
            self._count(fault.name)
        return fault

    def chance(self, name: str) -> bool:
        """Draw one event fault: an order for it fires first, else its rate decides."""
        for order in self.orders:
            if order.fault == name:
                self._use(order)
                self._count(name)
                return True
        rate = self.rates.get(name, 0.0)
        if name not in self.supports or rate <= 0 or self._events_rng.random() >= rate:
            return False
        self._count(name)
        return True

    def _ordered(self, method: str, path: str, body: bytes) -> FiredFault | None:
        for order in self.orders:
            if order.fault in EVENT_FAULTS or not order.match.covers(method, path, body):
                continue
            if order.match.writes_only and not self.is_write(method, path, body):
                continue
            if order.passed < order.match.after:
                order.passed += 1
                continue
            self._use(order)
            return FiredFault(order.fault, order.parameters)
        return None

    def _by_chance(self) -> FiredFault | None:
        if not self.rates:
            return None
        point = self._calls_rng.random()
        for name in sorted(self.rates):
            if name in EVENT_FAULTS or name not in self.supports:
                continue
            point -= self.rates[name]
            if point < 0:
                return FiredFault(name, self._drawn_parameters(name))
        return None

    def _drawn_parameters(self, name: str) -> dict[str, Scalar]:
        if name != "5xx":
            return {}
        # A 502 comes from a proxy that lost the answer: the work behind it was done.
        status = self._calls_rng.choice((500, 502, 503))
        return {"status": status, "committed": status == 502}

    def _use(self, order: FaultOrder) -> None:
        order.times -= 1
        if order.times == 0:
            self.orders.remove(order)

    def _count(self, name: str) -> None:
        self.fired[name] = self.fired.get(name, 0) + 1
