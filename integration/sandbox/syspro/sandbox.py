"""A whole SYSPRO for tests and demonstrations: one store, its faces, its faults."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from integration.sandbox.faults import SYSTEM_FAULTS, TRANSPORT_FAULTS, FaultOptions, FaultPlan, FaultyApp
from integration.sandbox.syspro.asgi import Application, Handler
from integration.sandbox.syspro.config import SysproSandboxConfig
from integration.sandbox.syspro.control import PREFIX as CONTROL_PREFIX
from integration.sandbox.syspro.control import ControlFace
from integration.sandbox.syspro.enet.face import PREFIX as ENET_PREFIX
from integration.sandbox.syspro.enet.face import EnetFace, writes
from integration.sandbox.syspro.harmony.face import PREFIX as HARMONY_PREFIX
from integration.sandbox.syspro.harmony.face import HarmonyFace
from integration.sandbox.syspro.sessions import Sessions
from integration.sandbox.syspro.store import Store, today_utc
from integration.sandbox.syspro.world import load_default_world

_READING_POSTS = ("/auth/", "/account/validate")
_UNAVAILABLE = (
    b'{"Error":{"Code":"BUSY","Message":"The service is unavailable","BusinessObject":"",'
    b'"CorrelationId":"","Retryable":true},"Items":[],'
    b'"StatusOfItems":{"ItemsProcessed":"000000","ItemsInvalid":"000000"}}'
)


class SysproSandbox:
    """One SYSPRO company served over HTTP.

    Args:
        config: the company; kept, and changed by the control interface.
        seconds: a clock that only moves forward, for its sessions.
        today: where its accounting date comes from when the settings name none.

    Attributes:
        app: the ASGI application, wrapped in its faults; serve it with uvicorn.
        plan: the faults, to order or to draw by chance.
        store: the company's data, for seeding and for looking.
        sessions: who is logged on.
    """

    def __init__(
        self,
        config: SysproSandboxConfig | None = None,
        *,
        seconds: Callable[[], float] = time.monotonic,
        today: Callable[[], dt.date] = today_utc,
    ) -> None:
        self.config = config if config is not None else SysproSandboxConfig()
        self.store = Store(self.config, today)
        load_default_world(self.store, self.config.default_world)
        self.sessions = Sessions(self.config, seconds)
        self.harmony = HarmonyFace(self.store, self.sessions)
        self.enet = EnetFace(self.store, self.sessions)
        self.control = ControlFace(self.store, self.sessions, self.harmony)
        self.plan = FaultPlan(self.config.seed, TRANSPORT_FAULTS | SYSTEM_FAULTS)
        self.plan.is_write = is_write
        faces: list[tuple[str, Handler]] = [
            (CONTROL_PREFIX, self.control),
            (HARMONY_PREFIX, self.harmony),
            (ENET_PREFIX, self.enet),
        ]
        self.app = FaultyApp(Application(faces), self.plan, FaultOptions(error_body=_UNAVAILABLE))


def is_write(method: str, path: str, body: bytes) -> bool:
    """Which calls change the company's books, on either face."""
    lowered = path.lower()
    reading = any(part in lowered for part in _READING_POSTS)
    return writes(path) or (method.upper() in {"POST", "PUT"} and not reading)
