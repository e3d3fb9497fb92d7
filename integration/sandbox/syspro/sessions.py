"""Sessions of SYSPRO operators: one each, a limited number of seats, an idle time-out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import Enum

import msgspec

from integration.sandbox.syspro.config import SysproSandboxConfig

SESSION_INVALID_TEXT = (
    "The supplied UserID is invalid. Either you were not logged in; or your session has expired."
    " You will need to logon again."
)


class LogonRefused(Enum):
    """Why a logon was refused."""

    CREDENTIALS = "credentials"
    COMPANY = "company"
    SEATS = "seats"


class Session(msgspec.Struct):
    """A logged-on operator; the token is 34 hexadecimal digits, blanks added by the e.net face alone."""

    operator: str
    token: str
    last_used: float
    started: float


class Sessions:
    """Who is logged on.

    Args:
        config: operators, company and live settings.
        clock: seconds that only move forward.
    """

    def __init__(self, config: SysproSandboxConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._by_token: dict[str, Session] = {}
        self.evictions = 0

    def logon(
        self, operator: str, password: str, company: str, company_password: str
    ) -> Session | LogonRefused:
        """Start a session, ending the operator's earlier one; the seat is the operator's own then.

        With ``Quirks.logon_allows_two_sessions`` the earlier one lives on and a further seat is taken.
        """
        config = self._config
        expected = config.operators.get(operator.strip().upper())
        if expected is None or not secrets.compare_digest(expected.encode(), password.encode()):
            return LogonRefused.CREDENTIALS
        if company.strip().upper() != config.company or company_password != config.company_password:
            return LogonRefused.COMPANY
        self._expire()
        operator = operator.strip().upper()
        shared = config.quirks.logon_allows_two_sessions
        earlier = [] if shared else [s for s in self._by_token.values() if s.operator == operator]
        if not earlier and len(self._by_token) >= config.settings.seats:
            return LogonRefused.SEATS
        for session in earlier:
            self._drop(session)
            self.evictions += 1
        now = self._clock()
        # Recorded tokens are a GUID's 32 digits and two zeros.
        session = Session(operator, f"{secrets.token_hex(16).upper()}00", now, now)
        self._by_token[session.token] = session
        return session

    def current(self, token: str) -> Session | None:
        """The live session of a token, refreshed; ``None`` when there is none."""
        session = self._by_token.get(token.strip())
        if session is None:
            return None
        if session.operator in self._config.settings.rivals:
            self._drop(session)
            self.evictions += 1
            return None
        now = self._clock()
        if now - session.last_used > self._config.settings.session_timeout_s:
            self._drop(session)
            return None
        session.last_used = now
        return session

    def logoff(self, token: str) -> bool:
        """End a session; whether there was one."""
        session = self._by_token.get(token.strip())
        if session is not None:
            self._drop(session)
        return session is not None

    def active(self) -> list[Session]:
        """The live sessions, oldest first."""
        self._expire()
        return sorted(self._by_token.values(), key=lambda session: session.started)

    def clear(self) -> None:
        """End every session."""
        self._by_token.clear()

    def _expire(self) -> None:
        limit = self._clock() - self._config.settings.session_timeout_s
        for session in [s for s in self._by_token.values() if s.last_used < limit]:
            self._drop(session)

    def _drop(self, session: Session) -> None:
        self._by_token.pop(session.token, None)
