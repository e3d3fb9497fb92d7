"""One operator's e.net session: one token, one call at a time, and a licence seat that is always given back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress

from integration.errors import IntegrationError, SessionLost, Unreachable
from integration.http import Answer, Call, HttpClient
from integration.syspro.classify import Finding, Moment, classify
from integration.syspro.config import SysproConfig
from integration.syspro.enet.config import EnetConfig
from integration.syspro.enet.text import answer_text
from integration.syspro.enet.wire import Context, Reply, status_failure, text_failure
from integration.syspro.refusals import Concerning

_FAREWELL_SECONDS = 5.0
_TURN_SECONDS = 2.0
_TOKEN = re.compile(r"[0-9A-Za-z{}()+/=_.:~-]{8,255} *")

MakeCall = Callable[[str], Call]
"""Puts the session's token into a call: e.net wants it in the query or in the body."""


class EnetSession:
    """Makes calls in one operator's session, one after the other: a session is one SYSPRO runtime.

    Attributes:
        evictions: how often a fresh session was ended under a call: somebody else uses our operator.
        logons: how often a session was opened.
        lost: how often one was found ended.
    """

    def __init__(
        self,
        config: SysproConfig,
        enet: EnetConfig,
        http: HttpClient,
        on_evicted: Callable[[], None] | None = None,
    ) -> None:
        self.evictions = 0
        self.logons = 0
        self.lost = 0
        self._config = config
        self._enet = enet
        self._trims = enet.token_style == "trimmed"  # noqa: S105
        self._http = http
        self._on_evicted = on_evicted
        self._turn = asyncio.Lock()
        self._token = ""
        self._seat_in_doubt = False
        self._closed = False
        self._alarm: asyncio.TimerHandle | None = None
        self._resting: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return self._turn.locked()

    async def send(self, make: MakeCall) -> Reply:
        """Make a call; one that found the session dead never began, so it is made once more in a new one.

        Raises:
            Misconfigured: operator, password or company are wrong.
            Throttled: all licence seats are taken.
            SessionLost: the new session was ended as well.
        """
        reply = await self._in_turn(make)
        # The next call goes out before this one's answer is read: SYSPRO is never left waiting for us.
        await asyncio.sleep(0)
        if not self._ended(reply):
            return reply
        self.evictions += 1
        if self._on_evicted is not None:
            self._on_evicted()
        raise SessionLost(
            f"SYSPRO ended every session of operator {self._config.operator} before it took "
            f"{reply.answer.call.about}",
            evidence={"operator": self._config.operator, "evictions": self.evictions},
        )

    async def _in_turn(self, make: MakeCall) -> Reply:
        """The answer to a call when it is its turn; of the last try, if every session was dead."""
        async with self._turn:
            for _ in range(1 + self._enet.relogons):
                reply = await self._exchange(make(await self._current()))
                if not self._ended(reply):
                    self._rest_later()
                    break
                self._token = ""
                self.lost += 1
            return reply

    async def _exchange(self, call: Call) -> Reply:
        return self._read(await self._http.send(call))

    def _read(self, answer: Answer) -> Reply:
        text = answer_text(answer.body, self._enet.decode) if answer.status == 200 else ""
        return Reply(answer=answer, text=text)

    def _ended(self, reply: Reply) -> bool:
        """Whether SYSPRO says that the session is dead. Documents are not searched: they may quote anybody."""
        if reply.is_xml or not reply.text:
            return False
        moment: Moment = "post" if reply.answer.call.write else "read"
        finding = Finding(text=reply.text[:400])
        return classify(finding, moment=moment, rules=self._config.all_rules) == "session-invalid"

    # --- the seat ---------------------------------------------------------------------------------

    async def _current(self) -> str:
        if not self._token:
            if self._closed:
                raise SessionLost("The session with SYSPRO was closed while a call was waiting for it")
            self._token = await self._logged_on(self._config.logon_timeout)
        return self._token

    async def _logged_on(self, patience: float) -> str:
        what = f"the logon of operator {self._config.operator}"
        call = Call(method="GET", path="/Logon", params=self._credentials(), about=what, timeout=patience)
        # Until SYSPRO says no, a logon whose answer is lost has taken a seat.
        doubt, self._seat_in_doubt = self._seat_in_doubt, True
        reply = await self._exchange(call)
        context = Context(about=Concerning(what=what), rules=self._config.all_rules, moment="logon")
        refused = status_failure(reply.answer, context) or self._refusal(reply, context)
        if refused is not None:
            if not isinstance(refused, Unreachable):
                self._seat_in_doubt = doubt
            raise refused
        self._seat_in_doubt = False
        self.logons += 1
        token = reply.text.rstrip("\r\n")
        return token.strip() if self._trims else token

    def _credentials(self) -> dict[str, str]:
        config = self._config
        language = {"LanguageCode": self._enet.language_code} if self._enet.language_code else {}
        return {
            "Operator": config.operator,
            "OperatorPassword": config.operator_password,
            "CompanyId": config.company_id,
            "CompanyPassword": config.company_password,
            **language,
        }

    @staticmethod
    def _refusal(reply: Reply, context: Context) -> IntegrationError | None:
        """The error of a logon that was answered anything but a token."""
        if _TOKEN.fullmatch(reply.text.rstrip("\r\n")):
            return None
        if reply.is_xml:
            return reply.answer.lost("it answered a document instead of a token")
        return text_failure(reply, context)

    def _rest_later(self) -> None:
        """Give the seat back after some silence; the next call takes one anew."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._enet.idle_seconds:
            self._alarm = asyncio.get_running_loop().call_later(self._enet.idle_seconds, self._begin_rest)

    def _begin_rest(self) -> None:
        self._alarm = None
        if not self._turn.locked():
            self._resting = asyncio.create_task(self._rest())

    async def _rest(self) -> None:
        # A seat that could not be given back expires by itself.
        with suppress(Exception):
            async with self._turn:
                await self._log_off()

    async def _log_off(self) -> None:
        token, self._token = self._token, ""
        if token:
            call = Call(method="GET", path="/Logoff", params={"UserId": token}, about="the logoff")
            await self._http.send(call)

    async def close(self) -> None:
        """Log off, so that the licence seat is free at once. Never raises."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        # A seat that could not be given back expires by itself; nothing here may hide the caller's own error.
        with suppress(Exception):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._farewell()

    async def _farewell(self) -> None:
        waited = False
        with suppress(TimeoutError):
            waited = await asyncio.wait_for(self._turn.acquire(), _TURN_SECONDS)
        try:
            if not self._token and self._seat_in_doubt:
                # Only the operator's own next logon frees a seat whose token was lost on the way.
                self._token = await self._logged_on(_FAREWELL_SECONDS)
            await self._log_off()
        finally:
            if waited:
                self._turn.release()
