"""Reading: what changes nothing is asked again at once when its answer was lost, a few times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

from lxml import etree
from msgspec import structs

from integration.errors import Misconfigured, Rejected, Throttled, Transient
from integration.http import Call
from integration.syspro.config import SysproConfig
from integration.syspro.enet.comfnd import Find, Row, rows_of, split
from integration.syspro.enet.config import EnetConfig
from integration.syspro.enet.session import EnetSession
from integration.syspro.enet.wire import Context, Reply, findings_of, read_failure, xml_of
from integration.syspro.refusals import Concerning

T = TypeVar("T")

# Hosts say 414, or 400 or 404, which a wrong address says too.
_PERHAPS_TOO_LONG = frozenset(("syspro.too-long-for-get", "syspro.no-enet"))
_LEAST_ROOM = 1_500


class Reader:
    """Makes reads in one operator's session."""

    def __init__(self, config: SysproConfig, enet: EnetConfig, session: EnetSession) -> None:
        self._config = config
        self._enet = enet
        self._session = session
        self._room = enet.url_room

    async def rows(self, find: Find, about: str) -> list[Row]:
        """All rows that a search finds, in as many calls as its length needs.

        An address that turns out too long, for SYSPRO's host or for a proxy before it, is cut in half from then on.
        """
        found: list[Row] = []
        waiting = list(split(find, self._room))
        while waiting:
            part = waiting.pop(0)
            try:
                found += await self._part(part, about)
            except (Rejected, Misconfigured) as error:
                if error.error_code not in _PERHAPS_TOO_LONG or not self._narrowed(part):
                    raise
                waiting[:0] = split(part, self._room)
        return found

    def _narrowed(self, part: Find) -> bool:
        """Make the room less than a part took, if it took more than any host allows; whether it is less now."""
        length = min(self._room, len(quote(part.xml(), safe="")))
        if length <= _LEAST_ROOM or len(part.where) < 2:
            return False
        self._room = max(length // 2, _LEAST_ROOM)
        return True

    async def profile(self) -> etree._Element:
        """What `GetLogonProfile` tells, under whatever root."""
        return await self._asked(
            self._call("/GetLogonProfile", {}, "the operator's profile"), lambda root: root
        )

    async def query(self, business_object: str, document: str, about: str) -> etree._Element:
        """The answer of any other query object to a document for `XmlIn`."""
        params = {"BusinessObject": business_object, "XmlIn": document}
        return await self._asked(self._call("/Query/Query", params, about), lambda root: root)

    async def _part(self, find: Find, about: str) -> list[Row]:
        params = {"BusinessObject": "COMFND", "XmlIn": find.xml()}
        return await self._asked(self._call("/Query/Query", params, about), lambda root: rows_of(root, find))

    def _call(self, path: str, params: Mapping[str, str], about: str) -> Call:
        return Call(method="GET", path=path, params=params, about=about, timeout=self._config.query_timeout)

    async def _asked(self, call: Call, read: Callable[[etree._Element], T]) -> T:
        """What is read from the answer to a call.

        Raises:
            Transient: the last try failed too, or SYSPRO named the time to wait.
            IntegrationError: SYSPRO said no.
        """
        for pause in self._config.read_again_after:
            try:
                return await self._once(call, read)
            except Transient as error:
                if isinstance(error, Throttled) and error.retry_after is not None:
                    raise
                await asyncio.sleep(pause)
        return await self._once(call, read)

    async def _once(self, call: Call, read: Callable[[etree._Element], T]) -> T:
        reply: Reply = await self._session.send(lambda token: bearing(call, token))
        context = Context(
            about=Concerning(what=call.about),
            rules=self._config.all_rules,
            moment="read",
            business_object=call.params.get("BusinessObject", ""),
        )
        root = xml_of(reply, context)
        findings = findings_of(root)
        if findings:
            raise read_failure(findings, context)
        try:
            return read(root)
        except ValueError as error:
            raise reply.answer.lost(f"the answer makes no sense: {error}") from error


def bearing(call: Call, token: str) -> Call:
    """The call with the session's token before its other parameters, as recorded clients send it."""
    return structs.replace(call, params={"UserId": token, **call.params})
