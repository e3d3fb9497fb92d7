"""Tell people of new alerts, over the pair's one channel (mail, Teams, Slack, a web hook: an Apprise address)."""

from __future__ import annotations

import asyncio
from itertools import groupby

import structlog

from service.flow.stages import Stages
from service.store import alerts

log = structlog.get_logger()


async def notify(stages: Stages) -> None:
    """Send alerts that no channel has heard of. Sent at least once: a crash in between repeats a message."""
    async with stages.shared.engine.begin() as connection:
        fresh = await alerts.to_notify(connection)
        if not fresh:
            return
        for pair, group in groupby(
            sorted(fresh, key=lambda each: str(each["pair"])), key=lambda e: str(e["pair"])
        ):
            batch = list(group)
            settings, _ = await stages.connections(pair)
            if settings.notify:
                text = "\n".join(f"[{each['severity']}] {each['title']} ({each['code']})" for each in batch)
                if not await asyncio.to_thread(_send, settings.notify, settings.name, text):
                    log.warning("alert.not_delivered", pair=pair, alerts=len(batch))
                    continue
            await alerts.notified(connection, [int(str(each["alert_id"])) for each in batch])


def _send(address: str, name: str, text: str) -> bool:
    import apprise  # heavy, and only needed where a channel is set

    channel = apprise.Apprise()
    channel.add(address)
    return bool(channel.notify(title=f"opayo-syspro: {name}", body=text))
