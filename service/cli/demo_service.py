"""The demonstration's view of the service: how it is configured, and what its summary says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
import rich_click as click

from integration.sandbox.client import Client, Unreachable
from integration.sandbox.serving import SandboxFacts
from service.cli.demo_audit import Stopped

PAIR = "demo"
PACE = 60
TIMEOUT_SECONDS = 1

_FINAL = ("confirmed", "reconciled", "exception", "held", "rejected", "dead_letter")
_OPEN = ("received", "validated", "mapped", "cleared", "posted")
_POLL_SECONDS = 0.4
_SILENCE_SECONDS = 60.0
_STALL_SECONDS = 120.0


class Summary(msgspec.Struct, frozen=True):
    """``GET /api/v1/pairs/{pair}/summary``.

    Attributes:
        states: payments by state.
        dead_letters: the payments among them, each with its reason; ``held`` likewise.
        ambiguous: postings whose outcome nobody knows yet.
        open_inbox: stored messages that nobody has looked at.
    """

    states: dict[str, int] = {}
    dead_letters: tuple[Stopped, ...] = ()
    held: tuple[Stopped, ...] = ()
    exceptions: tuple[Stopped, ...] = ()
    ambiguous: int = 0
    duplicates_ignored: int = 0
    retries: int = 0
    open_inbox: int = 0

    @property
    def settled(self) -> int:
        """Payments that have come to the end of their road, or wait for a person."""
        return sum(self.states.get(state, 0) for state in _FINAL)

    @property
    def under_way(self) -> int:
        """Payments on their road, messages nobody has looked at, and postings of unknown outcome."""
        on_the_road = sum(self.states.get(state, 0) for state in _OPEN)
        return on_the_road + self.ambiguous + self.open_inbox


def environment(facts: SandboxFacts, data_dir: str, admin_key: str, transport: str) -> dict[str, str]:
    """The service's environment variables for a pair that joins the three sandboxes.

    ``DATABASE_URL`` is emptied: a demonstration plays on its private database, never on somebody's own.
    """
    return {
        "DATABASE_URL": "",
        "OPAYO_SYSPRO_DATABASE_URL": "",
        "OPAYO_SYSPRO_DATA_DIR": data_dir,
        "OPAYO_SYSPRO_PACE": str(PACE),
        "OPAYO_SYSPRO_LOG_LEVEL": "warning",
        "OPAYO_SYSPRO_ADMIN_KEY": admin_key,
        "OPAYO_SYSPRO_PAIR": msgspec.json.encode(_pair(facts, transport)).decode(),
    }


def _pair(facts: SandboxFacts, transport: str) -> dict[str, object]:
    return {
        "pair": PAIR,
        "name": "Demonstration",
        "vendor": facts.vendor,
        "opayo": {
            "pi_url": facts.opayo_pi,
            "reporting_url": facts.opayo_reporting,
            "gateway_url": facts.opayo_gateway,
            "integration_key": facts.integration_key,
            "integration_password": facts.integration_password,
            "reporting_user": facts.reporting_user,
            "reporting_password": facts.reporting_password,
            "webhook_secrets": [facts.webhook_secret],
            "timeout_seconds": TIMEOUT_SECONDS,
            "read_seconds": TIMEOUT_SECONDS,
        },
        "syspro": {
            "transport": transport,
            "base_url": facts.syspro_harmony,
            "company_id": facts.company_id,
            "company_password": facts.company_password,
            "operators": facts.operators,
            "in_flight": 4,
            "query_seconds": TIMEOUT_SECONDS,
            "post_seconds": TIMEOUT_SECONDS,
        },
        "shop": {
            "kind": "woocommerce",
            "base_url": facts.shop,
            "key": facts.shop_key,
            "secret": facts.shop_secret,
            "webhook_secret": facts.shop_webhook_secret,
        },
        "defaults": {
            "warehouse": facts.warehouse,
            "branch": facts.branch,
            "bank": facts.bank,
            "order_uom": "EA",
        },
    }


class Service:
    """The running service's API, for one pair."""

    def __init__(self, client: Client, url: str, admin_key: str) -> None:
        self.client = client
        self.url = url.rstrip("/")
        self.admin_key = admin_key
        self._headers = {"authorization": f"Bearer {admin_key}", "x-api-key": admin_key}

    @property
    def webhook(self) -> str:
        """Where Opayo's events go."""
        return f"{self.url}/webhooks/opayo/{PAIR}"

    async def summary(self) -> Summary:
        """What the service says of its payments.

        Raises:
            Unreachable: when it does not answer.
            click.ClickException: when it answers anything but a summary.
        """
        reply = await self.client.send(
            "GET", f"{self.url}/api/v1/pairs/{PAIR}/summary", headers=self._headers
        )
        if reply.status != 200:
            body = reply.body[:500].decode(errors="replace")
            raise click.ClickException(f"The service's summary answered HTTP {reply.status}: {body}")
        return msgspec.json.decode(reply.body, type=Summary)

    async def until_final(
        self, payments: int, on_summary: Callable[[Summary], None]
    ) -> tuple[Summary, float]:
        """Poll until every payment is final, or nothing has moved for two minutes.

        Args:
            payments: how many will be captured.
            on_summary: called with each summary; it may raise to give up.

        Returns:
            The last summary, and the monotonic time at which it last changed.

        Raises:
            click.ClickException: when the service stays silent for a minute.
        """
        last: Summary | None = None
        moved = heard = time.monotonic()
        while True:
            try:
                summary = await self.summary()
            except Unreachable as error:
                if time.monotonic() - heard > _SILENCE_SECONDS:
                    raise click.ClickException(f"The service has stopped answering: {error}") from error
                await asyncio.sleep(_POLL_SECONDS)
                continue
            heard = time.monotonic()
            if summary != last:
                last, moved = summary, heard
            on_summary(summary)
            done = summary.settled >= payments and not summary.under_way
            if done or heard - moved > _STALL_SECONDS:
                return summary, moved
            await asyncio.sleep(_POLL_SECONDS)
