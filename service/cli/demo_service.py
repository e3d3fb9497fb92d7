"""The demonstration's view of the service: how it is configured, and what its summary says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

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
    """``GET /api/v1/pairs/{pair}/summary``, as far as the demonstration reads it.

    Attributes:
        states: payments by state.
        ambiguous: postings whose outcome nobody knows yet.
        open_inbox: stored messages that nobody has looked at.
    """

    states: dict[str, int] = {}
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


class _Row(msgspec.Struct, frozen=True):
    """A payment or message in a list, or a payment shown whole."""

    transaction_id: str = ""
    vendor_tx_code: str = ""
    payment_id: int = 0
    error: dict[str, object] | None = None
    findings: dict[str, object] = {}

    def stopped(self) -> Stopped:
        error = self.error or {}
        causes, reasons = [str(error.get("code", ""))], [str(error.get("title", ""))]
        for finding in self.findings.values():
            if isinstance(finding, dict):
                causes += _texts(finding.get("rules"))
                reasons += _texts(finding.get("reasons"))
        cause = ", ".join(filter(None, causes))
        return Stopped(self.transaction_id, self.vendor_tx_code, cause, " ".join(filter(None, reasons)))


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


class _Page(msgspec.Struct, frozen=True):
    items: tuple[_Row, ...]
    next_cursor: int | None = None


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
            "base_url": facts.syspro_enet if transport == "enet" else facts.syspro_harmony,
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
            "product_class": "_OTH",
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
        return msgspec.json.decode(await self._read("summary"), type=Summary)

    async def held(self) -> tuple[Stopped, ...]:
        """The payments that screening holds, each with its reasons.

        Raises:
            Unreachable, click.ClickException: as for `summary`.
        """
        rows = [row async for row in self._rows("payments", "held")]
        shown = [await self._read(f"payments/{row.payment_id}") for row in rows]
        return tuple(msgspec.json.decode(one, type=_Row).stopped() for one in shown)

    async def dead_letters(self) -> tuple[Stopped, ...]:
        """Payments that cannot move or are only half in the ledger, and messages that became none.

        Raises:
            Unreachable, click.ClickException: as for `summary`.
        """
        kinds = (("payments", "dead_letter"), ("payments", "exception"), ("inbox", "dead_letter"))
        return tuple([row.stopped() for kind in kinds async for row in self._rows(*kind)])

    async def _rows(self, resource: str, status: str) -> AsyncIterator[_Row]:
        cursor = 0
        while True:
            body = await self._read(f"{resource}?status={status}&limit=500&cursor={cursor}")
            page = msgspec.json.decode(body, type=_Page)
            for row in page.items:
                yield row
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def _read(self, path: str) -> bytes:
        url = f"{self.url}/api/v1/pairs/{PAIR}/{path}"
        reply = await self.client.send("GET", url, headers=self._headers)
        if reply.status != 200:
            body = reply.body[:500].decode(errors="replace")
            raise click.ClickException(f"GET {url} answered HTTP {reply.status}: {body}")
        return reply.body

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
