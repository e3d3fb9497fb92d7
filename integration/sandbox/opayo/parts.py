"""The parts of one stand-in, wired together once."""

from __future__ import annotations

from integration.sandbox.faults import FaultPlan
from integration.sandbox.opayo.classic_ops import ClassicOperations
from integration.sandbox.opayo.clock import SandboxClock
from integration.sandbox.opayo.config import OpayoSandboxConfig
from integration.sandbox.opayo.engine import Engine
from integration.sandbox.opayo.notifier import Notifier
from integration.sandbox.opayo.pi import PiFace
from integration.sandbox.opayo.push import Pusher
from integration.sandbox.opayo.reporting import ReportingFace
from integration.sandbox.opayo.server_face import ServerFace
from integration.sandbox.opayo.settlement import Settlement
from integration.sandbox.opayo.store import Store
from integration.sandbox.opayo.webhook import Subscriber, WebhookSender


class Parts:
    """One store, one clock, and every face and sender over them."""

    def __init__(
        self, config: OpayoSandboxConfig, plan: FaultPlan, clock: SandboxClock | None = None
    ) -> None:
        self.config = config
        self.store = Store()
        self.clock = clock or SandboxClock()
        self.pusher = Pusher(config.notify_timeout)
        self.sender = WebhookSender(plan, self.clock, self.pusher, config.pace)
        if config.webhook_url:
            self.sender.subscribers[config.vendor] = Subscriber(config.webhook_url, config.webhook_secret)
        self.engine = Engine(self.store, self.clock, config, self.sender.emit)
        self.notifier = Notifier(self.engine, self.pusher)
        self.pi = PiFace(self.engine)
        self.server = ServerFace(self.engine, self.notifier)
        self.classic = ClassicOperations(self.engine, self.server)
        self.reporting = ReportingFace(self.engine)
        self.settlement = Settlement(self.engine)

    def tick(self) -> None:
        """Do what the clock has made due."""
        self.settlement.tick()
        self.server.tick()
        self.engine.expire_challenges()

    async def stop(self) -> None:
        """Stop every background send."""
        await self.sender.stop()
        await self.notifier.stop()
        await self.pusher.close()
