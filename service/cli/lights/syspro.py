"""SYSPRO: its connection, every operator's logon, the company, the seats, and who else works as our operators."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

from integration.errors import IntegrationError, SessionLost, Throttled, Transient
from integration.ports import ERP, CompanyProfile
from service.cli.lights import company, network
from service.cli.lights.board import Board, Suspect
from service.cli.lights.network import Place
from service.flow.connections import Connections
from service.store.pairs import PairSettings

CONNECTION, TLS, CLOCK = network.names("SYSPRO")
CLASH = "SYSPRO operator clash"
COMPANY = "SYSPRO company"
SEATS = "SYSPRO seats"

_OBJECTS = ("syspro.not-licensed", "syspro.not-authorised")
_SERVICES = {
    "harmony": "the façade before SYSPRO",
    "enet": "SYSPRO's e.net communications service",
}
_PATHS = {"harmony": "/api/harmony/2.0", "enet": "/SYSPROWCFService/Rest"}


class Known(Struct, frozen=True, kw_only=True):
    """What the database knows before anybody logs on.

    Attributes:
        evicted: open alerts about operators that were thrown out of their sessions: operator to its title.
        at_work: whether a service is running now, which uses the same operators.
    """

    evicted: Mapping[str, str] = {}
    at_work: bool = False


def logon(operator: str) -> str:
    """The light of an operator's logon."""
    return f"SYSPRO logon {operator}"


def names(settings: PairSettings) -> tuple[str, ...]:
    """The lights of a pair's SYSPRO, in the order in which they are asked for."""
    logons = (logon(each.operator) for each in settings.syspro.operators)
    return (CONNECTION, TLS, CLOCK, *logons, COMPANY, SEATS, CLASH, *company.NAMES)


class Patient(Struct, frozen=True, kw_only=True):
    """A pair's SYSPRO on the table: what is known of it, and how it is reached."""

    board: Board
    settings: PairSettings
    connections: Connections
    known: Known
    log_on: bool


async def look(patient: Patient) -> None:
    """Light SYSPRO's lamps."""
    board, syspro = patient.board, patient.settings.syspro
    urls = {"syspro.base_url": syspro.base_url}
    answers = await network.look(
        board, Place(system="SYSPRO", urls=urls, service=_SERVICES[syspro.transport])
    )
    if not answers:
        guilty = TLS if board.is_red(TLS) else CONNECTION
        board.explain(f"it waits for `{guilty}`", *names(patient.settings))
    elif patient.log_on:
        await _within(patient)
    else:
        board.explain("nobody was logged on, as was asked", *names(patient.settings))
    _known_clash(patient)


async def _within(patient: Patient) -> None:
    """Log every operator on, look around as the first that could, and log all of them off again."""
    sessions = {each.operator: patient.connections.erp(each) for each in patient.settings.syspro.operators}
    profiles: dict[str, CompanyProfile] = {}
    try:
        for operator, session in sessions.items():
            if not await _log_on(patient, operator, session, profiles):
                break
        _company(patient.board, profiles)
        await _seats(patient, sessions, profiles)
        if profiles:
            first = next(iter(profiles))
            visit = company.Visit(
                board=patient.board,
                settings=patient.settings,
                session=sessions[first],
                profile=profiles[first],
                blame=_blame_for(patient),
            )
            await company.look(visit)
        _clash(patient, sessions)
        _explain(patient)
    finally:
        for session in sessions.values():
            # The licence seat is given back by SYSPRO's own time-out.
            with suppress(IntegrationError):
                await session.close()


async def _log_on(patient: Patient, operator: str, session: ERP, profiles: dict[str, CompanyProfile]) -> bool:
    """Log an operator on; whether it is worth while to try the next one."""

    async def log_on() -> str:
        profiles[operator] = profile = await session.profile()
        return f"SYSPRO {profile.version}".strip()

    board, name = patient.board, logon(operator)
    return await board.ask(name, log_on, _blame_for(patient)) or board.is_red(name)


def _company(board: Board, profiles: Mapping[str, CompanyProfile]) -> None:
    for profile in profiles.values():
        currency = profile.local_currency or "its currency is not told"
        board.green(COMPANY, f"company {profile.company}, {currency}")


async def _seats(
    patient: Patient, sessions: Mapping[str, ERP], profiles: Mapping[str, CompanyProfile]
) -> None:
    """All operators hold their seats at once, as when the service works."""
    if len(profiles) < len(sessions):
        return

    async def count() -> str:
        held = f"{len(profiles)} logged on at once"
        told = await next(iter(sessions.values())).inspection().seats()
        return f"{held}; {told.taken} of {told.licensed} seats are taken" if told else held

    await patient.board.ask(SEATS, count, _blame_for(patient))


# --- who else works as our operators --------------------------------------------------------------

_OWN_OPERATOR = (
    "A person, or another program, works as {operator}: SYSPRO ends one's session when the other logs on. Give the"
    " service an operator of its own and change its password."
)
_PAUSE = "Pause the lanes of these operators, or stop the service, and ask again."


def _clash(patient: Patient, sessions: Mapping[str, ERP]) -> None:
    """Nothing tells who is logged on; that a session was ended seconds after its logon does."""
    board = patient.board
    lost = {operator: session.inspection().sessions_lost for operator, session in sessions.items()}
    ended = [operator for operator, times in lost.items() if times]
    if ended and patient.known.at_work:
        what = f"the running service logged on as {', '.join(ended)} again during this check"
        board.undecided(CLASH, what, _PAUSE)
    elif ended:
        found = f"{', '.join(ended)}: the session was ended within seconds of its logon"
        board.red(CLASH, found, _OWN_OPERATOR.format(operator=" and ".join(ended)))
    elif any(each.green for each in board.lights if each.name.startswith("SYSPRO logon ")):
        told = "; this check ended the sessions of the running service, which logs on again"
        board.green(CLASH, "no session was ended by others" + (told if patient.known.at_work else ""))


def _known_clash(patient: Patient) -> None:
    for operator, title in patient.known.evicted.items():
        advice = _OWN_OPERATOR.format(operator=operator) + " Then acknowledge the alert `syspro.evicted`."
        patient.board.red(CLASH, title, advice)


# --- whose fault an error is ----------------------------------------------------------------------


def _blame_for(patient: Patient) -> company.BlameSyspro:
    transport = patient.settings.syspro.transport

    def blame(error: IntegrationError) -> Suspect | None:
        if isinstance(error, SessionLost) and patient.known.at_work:
            return Suspect(CLASH, _PAUSE, certain=False)
        return _suspect(error, _SERVICES[transport], _PATHS[transport])

    return blame


def _suspect(error: IntegrationError, service: str, path: str) -> Suspect | None:
    if isinstance(error, SessionLost):
        return Suspect(CLASH)
    if error.error_code in _OBJECTS:
        return Suspect(company.OBJECTS, company.APPORTION)
    if error.error_code == "syspro.invalid-company":
        return Suspect(COMPANY, "Correct `syspro.company_id` and `syspro.company_password`, often blank.")
    if error.error_code == "syspro.licence-exhausted":
        return Suspect(SEATS, "Free a seat, license more, or give the pair fewer operators: each needs one.")
    if isinstance(error, Transient) or error.error_code in ("syspro.no-enet", "syspro.no-facade"):
        busy = isinstance(error, Throttled) and error.retry_after is not None
        wait = f" It asks to wait {error.retry_after} s." if isinstance(error, Throttled) and busy else ""
        advice = f"Check that `syspro.base_url` ends in {path}, and look into the log of {service}.{wait}"
        return Suspect(CONNECTION, advice)
    return None


def _explain(patient: Patient) -> None:
    """Say of each lamp that stayed dark which red one it waits for."""
    board = patient.board
    every = names(patient.settings)
    red = [name for name in every if board.is_red(name)]
    board.explain(f"it waits for `{red[0]}`" if red else "", *every)
