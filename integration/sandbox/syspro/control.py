"""The sandbox's own control interface under ``/_sandbox/``; it belongs to no SYSPRO."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from integration.sandbox.syspro import clerk
from integration.sandbox.syspro.asgi import Request, Response
from integration.sandbox.syspro.config import Quirks, Settings
from integration.sandbox.syspro.harmony.face import HarmonyFace
from integration.sandbox.syspro.invariants import broken_invariants
from integration.sandbox.syspro.ledger import ledger
from integration.sandbox.syspro.sessions import Sessions
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import parse_number
from integration.sandbox.syspro.world import load_default_world

PREFIX = "/_sandbox/"
Wanted = TypeVar("Wanted")


class _Seed(msgspec.Struct, forbid_unknown_fields=True):
    customers: list[dict[str, str | int]] = []
    stock: list[dict[str, str | int]] = []


class ControlFace:
    """Seeds, settings, quirks, ledger and invariants of one company, and a clerk who works in it."""

    def __init__(self, store: Store, sessions: Sessions, harmony: HarmonyFace) -> None:
        self.store = store
        self.sessions = sessions
        self.harmony = harmony
        self._actions: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "ledger"): lambda _: ledger(store),
            ("GET", "invariants"): lambda _: self._invariants(),
            ("GET", "sessions"): lambda _: self._sessions(),
            ("GET", "settings"): lambda _: store.config.settings,
            ("PUT", "settings"): self._settings,
            ("GET", "quirks"): lambda _: store.config.quirks,
            ("PUT", "quirks"): self._quirks,
            ("POST", "seed"): self._seed,
            ("POST", "ship"): lambda request: clerk.ship(store, _body(request, clerk.Ship)),
            ("POST", "invoice"): lambda request: clerk.invoice(store, _body(request, clerk.Invoice)),
            ("POST", "raise-credit-note"): lambda request: clerk.raise_credit_note(
                store, _body(request, clerk.RaiseCreditNote)
            ),
            ("POST", "reset"): lambda _: self.reset(),
        }

    async def __call__(self, request: Request) -> Response:
        """Answer one control request."""
        name = request.path[len(PREFIX) :].strip("/").lower()
        action = self._actions.get((request.method, name))
        if action is None:
            return Response(404, {"error": f"There is no control {request.method} {request.path}."})
        try:
            return Response(200, action(request))
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            return Response(422, {"error": str(error)})

    def reset(self) -> dict[str, object]:
        """Forget every document, session and key; settings and quirks stay."""
        self.store.clear()
        load_default_world(self.store, self.store.config.default_world)
        self.sessions.clear()
        self.harmony.keys.clear()
        return {"reset": True}

    def _invariants(self) -> dict[str, object]:
        broken = broken_invariants(self.store)
        return {"ok": not broken, "broken": broken}

    def _sessions(self) -> dict[str, object]:
        active = [session.operator for session in self.sessions.active()]
        seats = self.store.config.settings.seats
        return {"sessions": active, "seats": seats, "evictions": self.sessions.evictions}

    def _settings(self, request: Request) -> Settings:
        """Change the members sent; closing a period or shrinking seats takes effect at once."""
        changes = msgspec.json.decode(request.body, type=dict[str, object])
        held = msgspec.to_builtins(self.store.config.settings)
        self.store.config.settings = msgspec.convert({**held, **changes}, Settings)
        return self.store.config.settings

    def _quirks(self, request: Request) -> Quirks:
        changes = msgspec.json.decode(request.body, type=dict[str, object])
        held = msgspec.to_builtins(self.store.config.quirks)
        self.store.config.quirks = msgspec.convert({**held, **changes}, Quirks)
        return self.store.config.quirks

    def _seed(self, request: Request) -> dict[str, object]:
        """Load customers and stock under SYSPRO's column names."""
        seed = msgspec.json.decode(request.body, type=_Seed)
        for columns in map(_texts, seed.customers):
            self.store.add_customer(columns["Customer"], **_without(columns, "Customer"))
        for columns in map(_texts, seed.stock):
            kept = _without(columns, "StockCode", "QtyOnHand", "Warehouse")
            on_hand = parse_number(columns.get("QtyOnHand", "0"))
            if on_hand is None:
                raise ValueError(f"QtyOnHand of {columns['StockCode']} is not a number.")
            self.store.add_stock(columns["StockCode"], Decimal(on_hand), columns.get("Warehouse", ""), **kept)
        self.store.settle()
        return {"customers": len(seed.customers), "stock": len(seed.stock)}


def _body(request: Request, kind: type[Wanted]) -> Wanted:
    return msgspec.json.decode(request.body, type=kind)


def _texts(columns: dict[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in columns.items()}


def _without(columns: dict[str, str], *names: str) -> dict[str, str]:
    for needed in names[:1]:
        if not columns.get(needed):
            raise ValueError(f"A row to seed needs {needed}.")
    return {name: value for name, value in columns.items() if name not in names}
