"""The e.net face itself: operations by path, sessions by token, failures as text inside HTTP 200."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from integration.sandbox.syspro.asgi import Request, Response, pause
from integration.sandbox.syspro.enet.call import LOCKED_TEXT, Call, Refused, TextError
from integration.sandbox.syspro.enet.objects import handler_of, locked_answer
from integration.sandbox.syspro.enet.system_queries import logon_profile
from integration.sandbox.syspro.enet.tokens import as_shown, session_of
from integration.sandbox.syspro.enet.wire import decoded, missing, query_of, text_response, xml_response
from integration.sandbox.syspro.enet.xml_in import Node, NotXml, parsed
from integration.sandbox.syspro.enet.xml_out import Answer, written
from integration.sandbox.syspro.sessions import SESSION_INVALID_TEXT, LogonRefused, Session, Sessions
from integration.sandbox.syspro.store import Store

PREFIX = "/SYSPROWCFService/Rest"
SEATS_TEXT = "All licensed users are logged on; try again later"
COMPANY_TEXT = "Invalid company or company password"
PASSWORD_TEXT = "Invalid operator password"  # noqa: S105 - SYSPRO's own sentence
GONE_TEXT = "Unable to read the SYSPRO base directory registry string BaseDir8"
UNKNOWN_OUTCOME_TEXT = "e.net exception raised: 900011"

_OPERATIONS: Mapping[str, str] = {
    "query/query": "query", "query/browse": "query", "query/fetch": "query", "setup/add": "add",
    "setup/update": "update", "setup/delete": "delete", "transaction/post": "post",
    "transaction/build": "build", "transaction/postld": "post",
}  # fmt: skip
_IMPLIED = {"query/browse": "COMBRW", "query/fetch": "COMFCH"}
_WRITING = frozenset({"post", "add", "update", "delete"})
POST_LD = "transaction/postld"
_VERSION_PARTS = 4


class EnetFace:
    """Serves ``/SYSPROWCFService/Rest`` on a store.

    Args:
        store: the company.
        sessions: who is logged on; shared with the company's other face.
    """

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self.store = store
        self.sessions = sessions
        self._running: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._plain: Mapping[str, Callable[[Request, Mapping[str, str]], Response]] = {
            "logon": self._logon, "logoff": self._logoff, "getversion": self._version,
            "getlogonprofile": self._profile,
        }  # fmt: skip

    async def __call__(self, request: Request) -> Response:
        """Answer one request: HTTP 200 whatever SYSPRO thinks of it."""
        path = request.path[len(PREFIX) :].strip("/").lower()
        if path not in self._plain and path not in _OPERATIONS:
            return missing(404, "Endpoint not found.")
        if path == POST_LD and self.store.config.quirks.post_ld_missing:
            return missing(404, "Endpoint not found.")
        if request.method != ("POST" if path == POST_LD else "GET"):
            return missing(405, "Method not allowed.")
        try:
            if path in self._plain:
                return self._plain[path](request, query_of(request))
            return await self._object(request, path)
        except (TextError, NotXml) as error:
            return text_response(f"ERROR: {error}")

    def _logon(self, request: Request, asked: Mapping[str, str]) -> Response:
        if request.fault_named("locked"):
            raise TextError(LOCKED_TEXT)
        if request.fault_named("licence-full"):
            raise TextError(SEATS_TEXT)
        session = self.sessions.logon(
            *(
                asked.get(name, "")
                for name in ("operator", "operatorpassword", "companyid", "companypassword")
            )
        )
        if isinstance(session, LogonRefused):
            texts = {LogonRefused.SEATS: SEATS_TEXT, LogonRefused.COMPANY: COMPANY_TEXT}
            raise TextError(texts.get(session, PASSWORD_TEXT))
        return text_response(as_shown(session.token, self.store.config.quirks))

    def _logoff(self, request: Request, asked: Mapping[str, str]) -> Response:
        session = session_of(asked.get("userid", ""), self.sessions, self.store.config.quirks)
        if session is None:
            raise TextError(GONE_TEXT)
        self.sessions.logoff(session.token)
        return text_response("0")

    def _version(self, request: Request, asked: Mapping[str, str]) -> Response:
        # Recorded versions have four parts: `7.0.0.6`.
        parts = self.store.config.syspro_version.split(".")
        return text_response(".".join([*parts, *("0" * (_VERSION_PARTS - len(parts)))]))

    def _profile(self, request: Request, asked: Mapping[str, str]) -> Response:
        session = self._session(request, asked.get("userid", ""))
        return self._document(logon_profile(self.store, session))

    def _session(self, request: Request, token: str) -> Session:
        session = session_of(token, self.sessions, self.store.config.quirks)
        if session is not None and request.fault_named("session-killed"):
            self.sessions.logoff(session.token)
            session = None
        if session is None:
            raise TextError(SESSION_INVALID_TEXT)
        return session

    async def _object(self, request: Request, path: str) -> Response:
        asked = _large(request.body) if path == POST_LD else query_of(request)
        session = self._session(request, asked.get("userid", ""))
        call = Call(
            self.store,
            self.sessions,
            session,
            _IMPLIED.get(path) or asked.get("businessobject", "").strip().upper(),
            _OPERATIONS[path],
            _document_of(asked, "xmlparameters"),
            _document_of(asked, "xmlin"),
            request.fault,
        )
        handler = handler_of(call)
        # One SYSPRO runtime per session: its calls wait for each other.
        async with self._running.setdefault(session.token, asyncio.Lock()):
            return await self._run(call, handler)

    async def _run(self, call: Call, handler: Callable[[Call], Answer]) -> Response:
        if call.fault_named("locked"):
            return self._document(locked_answer(call))
        unknown = self.store.config.quirks.outcome_unknown if call.operation in _WRITING else ""
        if call.operation in _WRITING:
            await pause(self.store.config.settings.posting_ms)
        if unknown == "not-posted":
            raise TextError(UNKNOWN_OUTCOME_TEXT)
        try:
            answer = handler(call)
        except Refused as refused:
            answer = refused.answer()
        if unknown:
            raise TextError(UNKNOWN_OUTCOME_TEXT)
        return self._document(answer)

    def _document(self, answer: Answer) -> Response:
        config = self.store.config
        return xml_response(written(answer, config.quirks, config.enet_version), config.quirks)


def _document_of(asked: Mapping[str, str], name: str) -> Node | None:
    text = asked.get(name, "")
    return parsed(text) if text.strip() else None


def _large(body: bytes) -> dict[str, str]:
    """The elements of a ``TransactionPostLD`` body; both documents inside it are text."""
    return {node.name.lower(): node.value for node in parsed(decoded(body)).nodes()}


def writes(path: str) -> bool:
    """Whether a path posts or maintains: on this face most writes are GETs."""
    lowered = path.lower()
    if not lowered.startswith(PREFIX.lower()):
        return False
    return _OPERATIONS.get(lowered[len(PREFIX) :].strip("/"), "") in _WRITING
