"""The JSON face itself: routes, sessions, keys, system faults, and what a broken request is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import unquote

import msgspec

from integration.sandbox.syspro.asgi import Request, Response, pause
from integration.sandbox.syspro.harmony import lists, postings, reads
from integration.sandbox.syspro.harmony.answers import HarmonyError, error_response
from integration.sandbox.syspro.harmony.auth import authenticated, bearer, logon, profile
from integration.sandbox.syspro.harmony.call import Call
from integration.sandbox.syspro.harmony.idempotency import KeyStore
from integration.sandbox.syspro.sessions import Sessions
from integration.sandbox.syspro.store import Store

PREFIX = "/api/harmony/2.0"


class Route(msgspec.Struct, frozen=True):
    """One row of the endpoint table; ``{}`` stands for a variable part of the path."""

    method: str
    path: str
    business_object: str
    handler: Callable[[Call], Response]
    keyed: bool = False


ROUTES = (
    Route("POST", "SalesOrder", "SORTOI", postings.sales_order, keyed=True),
    Route("GET", "SalesOrder", "COMFND", lists.sales_orders),
    Route("GET", "SalesOrder/{}", "SORQRY", reads.sales_order),
    Route("PUT", "SalesOrder/{}", "SORTOI", postings.order_change),
    Route("POST", "SalesOrder/{}/Cancel", "SORTOX", postings.order_cancel),
    Route("POST", "SalesOrder/{}/Status", "SORTOS", postings.order_status),
    Route("POST", "SalesOrder/{}/Invoice", "SORTIC", postings.order_invoice, keyed=True),
    Route("POST", "AccountsReceivable/Payment", "ARSTPY", postings.payment, keyed=True),
    Route("GET", "AccountsReceivable/Payment", "COMFND", lists.payments),
    Route("GET", "AccountsReceivable/Payment/{}/{}/{}", "COMFND", reads.ar_journal),
    Route("POST", "AccountsReceivable/Invoice", "ARSTIN", postings.invoice, keyed=True),
    Route("GET", "AccountsReceivable/Invoice", "COMFND", lists.invoices),
    Route("POST", "AccountsReceivable/CreditNote", "SORTCI", postings.credit_note, keyed=True),
    Route("POST", "GeneralLedger/JournalEntry", "GENTJL", postings.journal, keyed=True),
    Route("GET", "GeneralLedger/JournalEntry", "COMFND", lists.journals),
    Route("GET", "GeneralLedger/JournalEntry/{}/{}/{}", "COMFND", reads.gl_journal),
    Route("POST", "GeneralLedger/Account/Validate", "GENQGL", reads.validate_account),
    Route("GET", "GeneralLedger/Account/{}", "GENQRY", reads.gl_account),
    Route("POST", "Customer", "ARSSCS", postings.customer, keyed=True),
    Route("GET", "Customer", "COMFND", lists.customers),
    Route("GET", "Customer/{}", "COMFCH", reads.customer),
    Route("PUT", "Customer/{}", "ARSSCS", postings.customer_change),
    Route("GET", "StockItem", "COMFND", lists.stock_items),
    Route("GET", "StockItem/{}", "INVQRY", reads.stock_item),
    Route("GET", "CashBook/Bank", "CSHQ45", lists.banks),
    Route("GET", "CashBook/Transaction", "CSHQRY", lists.cash_transactions),
    Route("POST", "CashBook/Transaction", "CSHTWD", postings.cash_transaction, keyed=True),
    Route("GET", "Currency/{}", "COMFND", reads.currency),
)
OBJECTS = sorted({route.business_object for route in ROUTES})
_PARTS = [(route, route.path.lower().split("/")) for route in ROUTES]


class HarmonyFace:
    """Serves ``/api/harmony/2.0`` on a store.

    Args:
        store: the company.
        sessions: who is logged on; shared with the company's other face.
    """

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self.store = store
        self.sessions = sessions
        self.keys = KeyStore()

    async def __call__(self, request: Request) -> Response:
        """Answer one request; nothing escapes as a traceback."""
        correlation = request.headers.get("x-correlation-id", "") or str(uuid.uuid4())
        names: list[str] = [""]
        try:
            response = await self._answer(request, correlation, names)
        except HarmonyError as error:
            response = error_response(error, names[0], correlation)
        response.headers = {**response.headers, "X-Correlation-Id": correlation}
        return response

    async def _answer(self, request: Request, correlation: str, names: list[str]) -> Response:
        # Split before decoding: a stock code may hold a slash.
        parts = [unquote(part) for part in request.raw_path[len(PREFIX) :].strip("/").split("/")]
        if [part.lower() for part in parts] == ["health"]:
            return Response(200, self._health())
        self._refuse_by_fault(request)
        if parts[0].lower() == "auth":
            return self._auth(request, [part.lower() for part in parts])
        session = authenticated(request, self.sessions)
        if parts[0].lower() == "capabilities" and request.method == "GET":
            return Response(200, self._capabilities())
        route, args = _routed(request.method, parts)
        names[0] = route.business_object
        self._refuse_unlicensed(route.business_object)
        call = Call(request, self.store, session, args, route.business_object, correlation)
        return await self._keyed(call, route) if route.keyed else route.handler(call)

    async def _keyed(self, call: Call, route: Route) -> Response:
        settings, quirks = self.store.config.settings, self.store.config.quirks
        replay = self.keys.begin(call.request, settings)
        if replay is not None:
            return replay
        answer = Response(500)
        try:
            await pause(settings.posting_ms)
            if quirks.outcome_unknown != "not-posted":
                answer = route.handler(call)
        finally:
            self.keys.settle(call.request, answer, settings)
        if quirks.outcome_unknown:
            raise HarmonyError("OUTCOME_UNKNOWN", "The posting timed out; look it up before sending it again")
        return answer

    def _auth(self, request: Request, parts: list[str]) -> Response:
        action = (request.method, "/".join(parts[1:]))
        if action == ("POST", "logon"):
            return logon(request, self.store, self.sessions)
        if action == ("POST", "logoff"):
            self.sessions.logoff(bearer(request))
            return Response(204)
        if action == ("GET", "profile"):
            return Response(200, profile(authenticated(request, self.sessions), self.store))
        raise HarmonyError("NOT_FOUND", f"{request.method} {request.path} is not served")

    def _refuse_by_fault(self, request: Request) -> None:
        if request.fault_named("locked"):
            raise HarmonyError("LOCKED", "Record is locked, it is in use by another operator")
        if request.fault_named("licence-full"):
            raise HarmonyError("LICENSE_EXHAUSTED", "All licensed users are logged on; try again later")

    def _refuse_unlicensed(self, business_object: str) -> None:
        settings = self.store.config.settings
        if business_object in settings.unlicensed:
            raise HarmonyError("NOT_LICENSED", "e.net exception raised: 100000")
        if business_object in settings.unauthorised:
            raise HarmonyError(
                "NOT_AUTHORISED", f"The operator may not use business object {business_object}"
            )

    def _health(self) -> dict[str, object]:
        config = self.store.config
        return {
            "Status": "OK", "SysproVersion": config.syspro_version, "EnetVersion": config.enet_version
        }  # fmt: skip

    def _capabilities(self) -> dict[str, object]:
        settings = self.store.config.settings
        missing = {*settings.unlicensed, *settings.unauthorised}
        objects = {name: "N" if name in missing else "Y" for name in OBJECTS}
        return {**self._health(), "BusinessObjects": objects}


def _routed(method: str, parts: list[str]) -> tuple[Route, list[str]]:
    lowered = [part.lower() for part in parts]
    for route, pattern in _PARTS:
        if route.method != method or len(pattern) != len(parts):
            continue
        if all(want in {"{}", have} for want, have in zip(pattern, lowered, strict=True)):
            return route, [part for want, part in zip(pattern, parts, strict=True) if want == "{}"]
    raise HarmonyError("NOT_FOUND", f"{method} {'/'.join(parts)} is not served")
