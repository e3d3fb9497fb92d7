"""Is the other system there: name, port, certificate, an answer, and the time of day on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from integration.reach import Reach, Trouble, origin, reach
from service.cli.lights.board import Board

_PATIENCE = 10.0
# Signed events are refused when they are minutes old; a second or two of difference is everywhere.
_SKEW = timedelta(seconds=60)
_RENEW = timedelta(days=21)


class Place(Struct, frozen=True, kw_only=True):
    """A system by the settings that name its addresses, and what should listen there."""

    system: str
    urls: Mapping[str, str]
    service: str


def names(system: str) -> tuple[str, str, str]:
    """The lights of a system's network: connection, TLS, clock."""
    return f"{system} connection", f"{system} TLS", f"{system} clock"


async def look(board: Board, place: Place) -> frozenset[str]:
    """Light a system's connection, TLS and clock; gives the settings whose addresses answer."""
    settings: dict[str, list[str]] = {}
    for setting, url in place.urls.items():
        if url:
            settings.setdefault(origin(url).where, []).append(setting)
    urls = [place.urls[named[0]] for named in settings.values()]
    found = await asyncio.gather(*(reach(place.system, url, _PATIENCE) for url in urls))
    connection, tls, clock = names(place.system)
    for named, one in zip(settings.values(), found, strict=True):
        _accuse(board, place, named, one)
    if all(one.trouble is None for one in found):
        board.green(connection, " and ".join(one.where for one in found))
        _tls(board, tls, found)
        _clock(board, clock, found)
    guilty = tls if board.is_red(tls) else connection
    board.explain(f"it waits for `{guilty}`", connection, tls, clock)
    answering = (named for named, one in zip(settings.values(), found, strict=True) if one.trouble is None)
    return frozenset(setting for named in answering for setting in named)


def _accuse(board: Board, place: Place, settings: Sequence[str], one: Reach) -> None:
    """Light the lamp that an unreachable address belongs to, and say where to look."""
    if one.trouble is None:
        return
    connection, tls, _ = names(place.system)
    found, advice = _WORDS[one.trouble]
    words = {
        "where": one.where,
        "host": one.host,
        "said": one.said,
        "service": place.service,
        "setting": " and ".join(f"`{each}`" for each in settings),
        "patience": f"{_PATIENCE:.0f}",
    }
    name = tls if one.trouble in ("certificate", "tls") else connection
    board.red(name, found.format(**words), advice.format(**words))


_WORDS: Mapping[Trouble, tuple[str, str]] = {
    "name": (
        "the name {host} leads nowhere: {said}",
        "Check the spelling in {setting} and this machine's DNS (`getent hosts {host}`), perhaps behind a VPN.",
    ),
    "refused": (
        "{where} refuses connections",
        "The machine is there, and nothing listens on that port: check the port in {setting}, and that {service}"
        " runs.",
    ),
    "silent": (
        "no answer from {where} within {patience} s",
        "Check that the machine is up, and firewalls, VPN and route from here to {where}; {setting} names it.",
    ),
    "network": (
        "{where} cannot be reached: {said}",
        "Check this machine's network and the route to {host}; {setting} names it.",
    ),
    "certificate": (
        "the certificate of {where} is not to be trusted: {said}",
        "Have it renewed, or issued for the name {host}. If your own authority signed it, let this machine trust"
        " that (SSL_CERT_FILE).",
    ),
    "tls": (
        "{where} does not speak TLS as we do: {said}",
        "Check scheme and port in {setting}; if they are right, the TLS settings of {service}.",
    ),
    "answer": (
        "{where} takes connections and gives no usable answer: {said}",
        "Check that {service} runs behind that port, its own log, and what proxies stand before it; {setting} names"
        " it.",
    ),
}  # fmt: skip


def _tls(board: Board, name: str, found: Sequence[Reach]) -> None:
    told: list[str] = []
    for one in found:
        if not one.secure:
            if not one.local:
                board.red(
                    name,
                    f"{one.where} is spoken to in clear text",
                    f"Everything sent there, passwords too, can be read on the way: use https for {one.host}.",
                )
            told.append(f"{one.where} is this machine, in clear text")
        elif one.certificate_until is None:
            told.append(f"{one.where} proved its name")
        else:
            told.append(_lifetime(board, name, one, one.certificate_until))
    board.green(name, "; ".join(told))


def _lifetime(board: Board, name: str, one: Reach, until: datetime) -> str:
    left = until - datetime.now(UTC)
    if left < _RENEW:
        board.red(
            name,
            f"the certificate of {one.where} expires in {left.days} days",
            f"Have it renewed by {until:%d %B %Y}; afterwards every call to {one.host} fails.",
        )
    return f"the certificate of {one.where} is good until {until:%d %B %Y}"


def _clock(board: Board, name: str, found: Sequence[Reach]) -> None:
    told = [(one.ahead, one.where) for one in found if one.ahead is not None]
    if not told:
        board.undecided(name, "its answers tell no date")
        return
    ahead, where = max(told, key=lambda each: abs(each[0]))
    seconds = abs(ahead).total_seconds()
    if abs(ahead) <= _SKEW:
        board.green(name, f"{where} and this machine differ by {seconds:.0f} s")
        return
    board.red(
        name,
        f"the clock of {where} is {seconds:.0f} s {'ahead of' if ahead > timedelta() else 'behind'} ours",
        "If other clocks of this table differ as well, set this machine's (`timedatectl`); else tell whoever runs"
        f" {where}. Late events are refused, and payments may fall into the wrong day.",
    )
