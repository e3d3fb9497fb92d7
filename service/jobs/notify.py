"""Tell people of new alerts, over the pair's one channel (mail, Teams, Slack, a web hook: an Apprise address)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

import structlog

from service.flow.stages import Stages
from service.store import alerts

JsonObject = dict[str, object]
log = structlog.get_logger()


async def notify(stages: Stages) -> bool:
    """Send alerts that no channel has heard of; whether every channel took them.

    Sent at least once: a crash in between repeats a message.
    """
    delivered = True
    await stages.evictions.report(stages.shared.engine)
    async with stages.shared.engine.begin() as connection:
        fresh = await alerts.to_notify(connection)
        if not fresh:
            return True
        for pair, group in groupby(
            sorted(fresh, key=lambda each: str(each["pair"])), key=lambda e: str(e["pair"])
        ):
            batch = list(group)
            if not await _told(stages, pair, batch):
                delivered = False
            else:
                await alerts.notified(connection, [int(str(each["alert_id"])) for each in batch])
    return delivered


async def _told(stages: Stages, pair: str, batch: Sequence[JsonObject]) -> bool:
    """Whether the pair's channel took the alerts; a pair without one has nobody to tell."""
    settings, _ = await stages.connections(pair)
    if not settings.notify:
        return True
    text = "\n".join(f"[{each['severity']}] {each['title']} ({each['code']})" for each in batch)
    taken = await asyncio.to_thread(_send, settings.notify, settings.name, text)
    if not taken:
        log.warning("alert.not_delivered", pair=pair, alerts=len(batch))
    return taken


def _send(address: str, name: str, text: str) -> bool:
    import apprise  # heavy, and only needed where a channel is set

    channel = apprise.Apprise()
    channel.add(address)
    return bool(channel.notify(title=f"opayo-syspro: {name}", body=text))
