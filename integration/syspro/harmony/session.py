"""One operator's session: logged on when first needed, renewed once when it was ended, always given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from integration.errors import SessionLost
from integration.http import Answer, Call, HttpClient
from integration.syspro.config import SysproConfig
from integration.syspro.harmony.requests import Logon
from integration.syspro.harmony.schema import Session
from integration.syspro.harmony.wire import Context, content, error_code
from integration.syspro.refusals import Concerning

_FAREWELL_SECONDS = 5.0


class HarmonySession:
    """Sends calls with the session's token. Safe for concurrent calls of one event loop.

    Attributes:
        evictions: how often a fresh session was ended under a call: somebody else uses our operator.
        logons: how often a session was opened.
        lost: how often one was found ended.
    """

    def __init__(
        self, config: SysproConfig, http: HttpClient, on_evicted: Callable[[], None] | None = None
    ) -> None:
        self.evictions = 0
        self.logons = 0
        self.lost = 0
        self._config = config
        self._http = http
        self._on_evicted = on_evicted
        self._turn = asyncio.Lock()
        self._session: Session | None = None
        self._closed = False

    async def current(self) -> Session:
        """The session, opened now if there is none.

        Raises:
            Misconfigured: operator, password or company are wrong.
            Throttled: all licence seats are taken.
        """
        return self._session or await self._renewed(None)

    async def send(self, call: Call) -> Answer:
        """Send a call; one that found the session dead never began, so it is sent once more in a new one.

        Raises:
            SessionLost: the new session was ended as well.
        """
        session = await self.current()
        answer = await self._http.send(_bearing(call, session))
        if not _ended(answer):
            return answer
        session = await self._renewed(session)
        answer = await self._http.send(_bearing(call, session))
        if not _ended(answer):
            return answer
        self._forget(session)
        self.evictions += 1
        if self._on_evicted is not None:
            self._on_evicted()
        raise SessionLost(
            f"SYSPRO ended the session of operator {self._config.operator} twice before it took "
            f"{call.about or 'the call'}",
            evidence={"operator": self._config.operator, "evictions": self.evictions},
        )

    async def _renewed(self, dead: Session | None) -> Session:
        """The session in place of a dead one; a neighbour's renewal serves all who found the same one dead."""
        async with self._turn:
            if self._session is None or self._session is dead:
                self.lost += self._session is not None
                self._session = None
                self._session = await self._logged_on()
            return self._session

    def _forget(self, session: Session) -> None:
        if self._session is session:
            self._session = None
            self.lost += 1

    async def _logged_on(self) -> Session:
        if self._closed:
            raise SessionLost("The session with SYSPRO was closed while a call was waiting for it")
        config = self._config
        body = Logon(
            operator=config.operator,
            operator_password=config.operator_password,
            company_id=config.company_id,
            company_password=config.company_password,
        )
        answer = await self._http.send(
            Call(
                method="POST",
                path="/Auth/Logon",
                body=msgspec.json.encode(body),
                about=f"the logon of operator {config.operator}",
                timeout=config.logon_timeout,
            )
        )
        about = Concerning(what=f"the logon of operator {config.operator}")
        session = content(answer, Session, Context(about=about, rules=config.all_rules))
        self.logons += 1
        return session

    async def close(self) -> None:
        """Log off, so that the licence seat is free at once. Never raises."""
        self._closed = True
        session, self._session = self._session, None
        if session is None:
            return
        # A seat that could not be given back expires by itself; nothing here may hide the caller's own error.
        with suppress(Exception):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                farewell = Call(method="POST", path="/Auth/Logoff", timeout=_FAREWELL_SECONDS)
                await self._http.send(_bearing(farewell, session))


def _bearing(call: Call, session: Session) -> Call:
    headers = {**call.headers, "authorization": f"Bearer {session.user_id}"}
    return msgspec.structs.replace(call, headers=headers)


def _ended(answer: Answer) -> bool:
    return answer.status == 401 and error_code(answer) == "SESSION_INVALID"
