"""The drop folder of a pair: what has come to rest there is taken, and archived when it is on our disk."""

from __future__ import annotations

import structlog
from msgspec import Struct

from integration.errors import IntegrationError, Misconfigured, Rejected
from integration.ports_files import DroppedFile, FileDrop
from integration.statements.refusal import LIMITS
from service.core.card_data import find_cards, mask
from service.flow.files import Arrived, Taken, take
from service.flow.recovery import as_document
from service.flow.stages import Stages
from service.store import alerts, files
from service.store.alerts import Alert
from service.store.files import Dropped
from service.store.pairs import PairSettings

JsonObject = dict[str, object]
log = structlog.get_logger()


class _Poll(Struct, frozen=True):
    stages: Stages
    settings: PairSettings
    drop: FileDrop


async def poll(stages: Stages, pair: str) -> JsonObject:
    """Take every file that lies at rest in the pair's folder; says how many, and what was left.

    Raises:
        Misconfigured: host key, login or folder are not right; an alert says so.
        Unreachable: the server does not answer; the next turn tries again.
    """
    settings, connections = await stages.connections(pair)
    if connections.drop is None:
        return {"folder": "none"}
    drop = connections.drop()
    try:
        return await _look(_Poll(stages, settings, drop))
    except Misconfigured as error:
        await _alert(stages, pair, f"folder on {settings.files.host}", error, "critical")
        raise
    finally:
        await drop.close()


async def _look(at: _Poll) -> JsonObject:
    found = [each for each in await at.drop.files() if not find_cards(each.name)]
    seen = [Dropped(name=each.name, size=each.size, modified=each.modified) for each in found]
    shared = at.stages.shared
    async with shared.engine.begin() as connection:
        still = await files.at_rest(connection, at.settings.pair, seen, shared.clock())
    outcome = {"taken": 0, "known": 0, "refused": 0, "waiting": len(found) - len(still)}
    for each in found:
        if each.name in still:
            outcome[await _one(at, each)] += 1
    return dict(outcome)


async def _one(at: _Poll, file: DroppedFile) -> str:
    pair, shared = at.settings.pair, at.stages.shared
    try:
        content = await at.drop.fetch(file, LIMITS.size)
    except Rejected as error:  # it stays where it is: without its bytes we cannot know it again
        await _alert(at.stages, pair, f"file {file.name}", error)
        return "refused"
    arrived = Arrived(name=file.name, content=content, source="sftp", by=f"sftp {at.settings.files.host}")
    try:
        taken = await take(shared.engine, at.settings, arrived)
    except Rejected as error:
        await _alert(at.stages, pair, f"file {file.name}", error)
        await _archive(at, arrived, "refused-")
        return "refused"
    await _alert_bad_rows(at, file, taken)
    await _archive(at, arrived, "")
    return "taken" if taken.new else "known"


async def _archive(at: _Poll, arrived: Arrived, before: str) -> None:
    # The name holds the fingerprint: another file of the same name never takes its place.
    await at.drop.archive(arrived.name, f"{before}{arrived.fingerprint[:12]}-{arrived.name}")
    shared = at.stages.shared
    async with shared.engine.begin() as connection:
        await files.archived(connection, at.settings.pair, arrived.fingerprint, arrived.name, shared.clock())


async def _alert_bad_rows(at: _Poll, file: DroppedFile, taken: Taken) -> None:
    if taken.counts is None or not taken.counts.bad:
        return
    error = Rejected(
        f"{taken.counts.bad} rows of file {file.name} were not taken",
        code="file.bad-rows",
        hint=f"Get the bad rows of file {taken.file_id}, correct them, and upload them.",
    )
    await _alert(at.stages, at.settings.pair, f"file {file.name}", error)


async def _alert(
    stages: Stages, pair: str, subject: str, error: IntegrationError, severity: str = "warning"
) -> None:
    title = mask(error.title)
    alert = Alert(
        pair=pair,
        code=error.error_code,
        subject=subject,
        title=title,
        severity=severity,
        error={**as_document(error), "title": title},
    )
    async with stages.shared.engine.begin() as connection:
        await alerts.raise_all(connection, [alert])
