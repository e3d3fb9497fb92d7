"""Every light of every pair: settings and vault first, since nothing can be asked without them."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from integration.errors import IntegrationError, Misconfigured
from integration.reach import is_local
from service.cli.lights import opayo, shop, syspro
from service.cli.lights.board import Board, Light
from service.flow.connections import Connect, Connections
from service.flow.evictions import Evictions, subject_of
from service.settings import Settings
from service.store import alerts, pairs
from service.store.pairs import PairSettings
from service.store.vault import Vault

DATABASE = "database"
PAIRS = "pairs"
SETTINGS = "settings and vault"
PUBLIC_URL = "public URL"


class Practice(Struct, frozen=True, kw_only=True):
    """What the doctor works with.

    Attributes:
        log_on: whether to log on to SYSPRO, which ends the sessions that others have as our operators.
    """

    settings: Settings
    engine: AsyncEngine
    vault: Vault
    connect: Connect
    log_on: bool = True


async def examine(practice: Practice, only: str | None) -> list[Light]:
    """Every light of every pair, or of one."""
    async with practice.engine.connect() as connection:
        version = str(await connection.scalar(text("SHOW server_version")))
        names = [name for name in await pairs.names(connection) if only in (None, name)]
    general = Board("")
    general.green(DATABASE, f"PostgreSQL {version}")
    lights = general.lights
    if not names:
        none = Board(only or "")
        advice = "Save one with PUT /api/v1/pairs/{pair}, or set OPAYO_SYSPRO_PAIR for the first start."
        none.red(PAIRS, f"no pair `{only}`" if only else "no pair is configured", advice)
        lights += none.lights
    for name in names:
        lights += await _pair(practice, name)
    return lights


async def _pair(practice: Practice, name: str) -> list[Light]:
    board = Board(name)
    try:
        async with practice.engine.connect() as connection:
            settings = await pairs.load(connection, practice.vault, name)
            if settings is None:
                raise Misconfigured(f"There is no pair `{name}`", code="pair.unknown")
            known = await _known(connection, practice, settings)
        connections = practice.connect(settings)
    except IntegrationError as error:
        board.red(SETTINGS, error.title, error.advice)
        return board.lights
    board.green(SETTINGS, "read, and the vault opens them")
    _public_url(board, practice.settings.public_url)
    try:
        await _systems(practice, board, settings, connections, known)
    finally:
        await connections.gateway.close()
        if connections.storefront is not None:
            await connections.storefront.close()
    return board.lights


async def _systems(
    practice: Practice, board: Board, settings: PairSettings, connections: Connections, known: syspro.Known
) -> None:
    board.announce(*opayo.NAMES, *syspro.names(settings))
    await opayo.look(board, settings, connections.gateway)
    await syspro.look(
        syspro.Patient(
            board=board, settings=settings, connections=connections, known=known, log_on=practice.log_on
        )
    )
    if settings.shop is not None and connections.storefront is not None:
        board.announce(*shop.NAMES)
        await shop.look(board, settings.shop, connections.storefront)
    else:
        board.green(shop.SHOP, "the pair has none")


async def _known(connection: AsyncConnection, practice: Practice, settings: PairSettings) -> syspro.Known:
    """What the database tells of our operators before anybody logs on."""
    evicted: dict[str, str] = {}
    raised = await alerts.open_of(connection, settings.pair, Evictions.code)
    for operator in (each.operator for each in settings.syspro.operators):
        if title := raised.get(subject_of(operator)):
            evicted[operator] = title
    working = await connection.scalar(
        text(
            "SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
        ),
        {"seconds": practice.settings.stalled_seconds},
    )
    return syspro.Known(evicted=evicted, at_work=bool(working))


def _public_url(board: Board, url: str) -> None:
    address = urlsplit(url)
    if not url:
        advice = "Set OPAYO_SYSPRO_PUBLIC_URL if this pair takes hosted payments."
        board.undecided(PUBLIC_URL, "not set, which only hosted payments need", advice)
    elif address.scheme == "https" or is_local(address.hostname or ""):
        board.green(PUBLIC_URL, url)
    else:
        board.red(PUBLIC_URL, url, "Opayo notifies over HTTPS only: put a proxy with TLS in front.")
