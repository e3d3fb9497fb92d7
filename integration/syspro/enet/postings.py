"""How transactions travel: in the body of `PostLD` where the site has it, else in the query of `Post`."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from msgspec import structs

from integration.errors import IntegrationError, Misconfigured, Transient
from integration.http import Call
from integration.syspro.config import SysproConfig
from integration.syspro.enet.building import enveloped
from integration.syspro.enet.config import EnetConfig
from integration.syspro.enet.documents import rehearsal_of
from integration.syspro.enet.objects import BUSINESS_OBJECTS, BusinessObject, Transaction
from integration.syspro.enet.session import EnetSession
from integration.syspro.enet.wire import Context, Reply, status_failure, too_long, xml_of
from integration.syspro.refusals import Concerning

_NOT_THERE = frozenset((400, 404, 405, 415, 501))


class Postings:
    """Sends transactions in one operator's session."""

    def __init__(self, config: SysproConfig, enet: EnetConfig, session: EnetSession) -> None:
        self._config = config
        self._enet = enet
        self._session = session
        self._large: bool | None = {"auto": None, "always": True, "never": False}[enet.use_post_ld]

    async def send(self, transaction: Transaction, about: Concerning) -> Reply:
        """Send a posting, once.

        Raises:
            Rejected: it travels in the query and does not fit.
            OutcomeUnknown: its answer was lost.
        """
        large = await self._takes_large(transaction.business_object)
        return await self._sent(transaction, about, large=large, write=True)

    async def rehearse(self, transaction: Transaction, about: Concerning) -> Reply:
        """Send a transaction whose parameters have it validated only."""
        large = await self._takes_large(transaction.business_object)
        return await self._sent(transaction, about, large=large, write=False)

    async def capabilities(self) -> dict[str, bool]:
        """Which business objects the operator has a licence for, by rehearsals of empty documents.

        Raises:
            Transient: an answer was lost, or SYSPRO is busy.
        """
        return {kind.code: await self._licensed(kind) for kind in BUSINESS_OBJECTS}

    async def _licensed(self, kind: BusinessObject) -> bool:
        large = await self._takes_large(kind)
        about = Concerning(what=f"the rehearsal of {kind.code}")
        reply = await self._sent(
            rehearsal_of(kind, self._config, self._enet), about, large=large, write=False
        )
        try:
            xml_of(reply, self._context(kind, about))
        except Misconfigured as error:
            if error.error_code == "syspro.not-licensed":
                return False
            raise
        except Transient:
            raise
        except IntegrationError:
            return True
        return True

    def _context(self, kind: BusinessObject, about: Concerning) -> Context:
        return Context(about=about, rules=self._config.all_rules, moment="read", business_object=kind.code)

    async def _takes_large(self, kind: BusinessObject) -> bool:
        """Whether the site has `PostLD`. Never found out by sending a posting twice."""
        if self._large is None:
            about = Concerning(what="the search for Transaction/PostLD")
            rehearsal = rehearsal_of(kind, self._config, self._enet)
            reply = await self._sent(rehearsal, about, large=True, write=False)
            absent = reply.answer.status in _NOT_THERE
            refused = None if absent else status_failure(reply.answer, self._context(kind, about))
            if refused is not None:
                raise refused
            self._large = not absent
        return self._large

    async def _sent(self, transaction: Transaction, about: Concerning, *, large: bool, write: bool) -> Reply:
        call = Call(
            method="POST" if large else "GET",
            path="/Transaction/PostLD" if large else "/Transaction/Post",
            content_type="application/xml",
            write=write,
            about=about.what,
            timeout=self._config.post_timeout,
        )

        def bearing(token: str) -> Call:
            if large:
                return _with_body(call, token, transaction)
            made = _with_query(call, token, transaction)
            if len(urlencode(made.params, quote_via=quote, safe="")) > self._enet.url_room:
                raise too_long(about)
            return made

        return await self._session.send(bearing)


def _with_body(call: Call, token: str, transaction: Transaction) -> Call:
    code, parameters, document = (
        transaction.business_object.code,
        transaction.parameters,
        transaction.document,
    )
    return structs.replace(call, body=enveloped(token, code, parameters, document))


def _with_query(call: Call, token: str, transaction: Transaction) -> Call:
    params = {
        "UserId": token,
        "BusinessObject": transaction.business_object.code,
        "XmlParameters": transaction.parameters,
        "XmlIn": transaction.document,
    }
    return structs.replace(call, params=params)
