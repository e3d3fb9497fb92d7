"""What `doctor` asks over the façade: its capabilities, banks, account checks, and documents by rehearsal."""

from __future__ import annotations

import uuid

import msgspec
from msgspec import Struct

from integration.canonical.documents import ErpDocument
from integration.http import Answer, Call
from integration.inspection import BankAccount, Seats
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony.endpoints import (
    CASH,
    CREDIT_NOTE,
    INVOICE,
    JOURNAL,
    PAYMENT,
    SALES_ORDER,
    invoicing,
)
from integration.syspro.harmony.reading import Reader
from integration.syspro.harmony.requests import AccountCheck
from integration.syspro.harmony.schema import PostingAnswer
from integration.syspro.harmony.session import HarmonySession
from integration.syspro.harmony.translate import endpoint_of, request_for, validated_only
from integration.syspro.harmony.wire import Context, content, page
from integration.syspro.refusals import Concerning

_POSTINGS = (SALES_ORDER, PAYMENT, INVOICE, JOURNAL, CREDIT_NOTE, invoicing(""), CASH)
_POSTED_WITH = tuple(each.business_object for each in _POSTINGS)
# Lists, and records by their key.
_READ_WITH = ("COMFND", "COMFCH", "SORQRY", "INVQRY")
_PAGE = "500"


class BankRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A bank with the account that its money moves on."""

    bank: str
    description: str = ""
    cash_gl_code: str = ""


class AccountRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A ledger account."""

    description: str = ""


class Capabilities(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Business objects that the operator may use (`Y`) or not (`N`)."""

    business_objects: dict[str, str] = {}


class HarmonyInspection:
    """One operator's look around, as `ErpInspection` asks for it."""

    def __init__(self, config: SysproConfig, session: HarmonySession) -> None:
        self._config = config
        self._session = session
        self._reader = Reader(config, session)

    @property
    def sessions_lost(self) -> int:
        """How often our session was ended under us since it was first opened."""
        return self._session.lost

    async def seats(self) -> Seats | None:
        """Nothing: the façade tells of seats only when there is none left."""
        return None

    async def barred(self) -> tuple[str, ...]:
        """The business objects, of those we post and read with, that the operator may not use."""
        context = self._context("the capabilities")
        call = Call(method="GET", path="/Capabilities", about="the capabilities")
        told = await self._reader.fetch(call, lambda answer: content(answer, Capabilities, context))
        return tuple(code for code in (*_POSTED_WITH, *_READ_WITH) if told.business_objects.get(code) == "N")

    async def bank(self, code: str) -> BankAccount | None:
        """A bank, or `None`."""
        context = self._context("the banks", "CSHQ45")
        start = ""
        while True:
            params = {"Limit": _PAGE, "StartAt": start} if start else {"Limit": _PAGE}
            call = Call(method="GET", path="/CashBook/Bank", params=params, about="the banks")
            part = await self._reader.fetch(call, lambda answer: page(answer, BankRow, context))
            row = next((row for row in part.items if row.bank == code), None)
            if row is not None:
                return BankAccount(bank=code, description=row.description, ledger_code=row.cash_gl_code)
            if not part.next_start_at or part.next_start_at == start:
                return None
            start = part.next_start_at

    async def check_account(self, ledger_code: str) -> str:
        """The description of a ledger account that may be posted to.

        Raises:
            Rejected: there is no such account, or it is on hold.
        """
        about = f"ledger code {ledger_code}"
        context = self._context(about, "GENQGL")
        body = msgspec.json.encode(AccountCheck(ledger_code=ledger_code))
        call = Call(method="POST", path="/GeneralLedger/Account/Validate", body=body, about=about)
        row = await self._reader.fetch(call, lambda answer: content(answer, AccountRow, context))
        return row.description

    async def rehearse(self, document: ErpDocument) -> None:
        """Have a document validated and not posted; raises what posting it would."""
        endpoint = endpoint_of(document)
        local = (await self._session.current()).local_currency_code
        posting = request_for(document, self._config, CurrencyCodes(self._config.currency_map, local))
        about = f"the rehearsal of {endpoint.noun} {document.reference}"
        call = Call(
            method="POST",
            path=endpoint.path,
            headers={"idempotency-key": uuid.uuid4().hex},
            body=msgspec.json.encode(validated_only(posting)),
            about=about,
            timeout=self._config.post_timeout,
        )
        answer: Answer = await self._session.send(call)
        content(answer, PostingAnswer, self._context(about, endpoint.business_object))

    def _context(self, what: str, business_object: str = "") -> Context:
        return Context(
            about=Concerning(what=what), rules=self._config.all_rules, business_object=business_object
        )
