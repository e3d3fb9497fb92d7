"""What `doctor` asks over e.net: seats by COMQCO, banks by COMFND, accounts by GENQGL, documents by rehearsal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from integration.canonical.documents import ErpDocument
from integration.errors import Misconfigured, Rejected, SessionLost, Transient
from integration.inspection import BankAccount, Seats
from integration.syspro.config import SysproConfig
from integration.syspro.enet.building import filled, xml
from integration.syspro.enet.comfnd import Find, any_of
from integration.syspro.enet.documents import Surroundings, business_object_of, transaction_for
from integration.syspro.enet.parsing import count, text_of
from integration.syspro.enet.postings import Postings
from integration.syspro.enet.reading import Reader
from integration.syspro.enet.session import EnetSession
from integration.syspro.enet.wire import Context, findings_of, xml_of
from integration.syspro.refusals import Concerning, refused

_BANK = ("Bank", "Description", "CashGlCode")


class Instruments(Struct, frozen=True, kw_only=True):
    """What an inspection uses of the transport that it belongs to."""

    config: SysproConfig
    session: EnetSession
    reader: Reader
    postings: Postings
    surroundings: Callable[[ErpDocument], Awaitable[Surroundings]]


class EnetInspection:
    """One operator's look around, as `ErpInspection` asks for it."""

    def __init__(self, instruments: Instruments) -> None:
        self._with = instruments

    @property
    def sessions_lost(self) -> int:
        """How often our session was ended under us since it was first opened."""
        return self._with.session.lost

    async def seats(self) -> Seats | None:
        """Licence seats, where COMQCO tells them: its answer is known from one sample, of SYSPRO 6."""
        asked = xml("Query", [("Option", [("IncludeSystemInfo", "Y")])])
        try:
            root = await self._with.reader.query("COMQCO", asked, "the licence seats")
        except SessionLost:
            raise
        except (Rejected, Misconfigured, Transient):
            # What a site without COMQCO answers is not known; a connection that is down shows in other questions.
            return None
        licensed = count(text_of(root, "LicensedUsers"))
        return Seats(licensed=licensed, taken=count(text_of(root, "CurrentUsers"))) if licensed else None

    async def barred(self) -> tuple[str, ...]:
        """The business objects, of those we post with, that the operator may not use."""
        found = await self._with.postings.capabilities()
        return tuple(code for code, allowed in found.items() if not allowed)

    async def bank(self, code: str) -> BankAccount | None:
        """A bank, or `None`."""
        find = Find(table="ApBank", columns=_BANK, where=any_of("Bank", [code]))
        rows = await self._with.reader.rows(find, f"bank {code}")
        row = next((row for row in rows if row["Bank"] == code), None)
        if row is None:
            return None
        return BankAccount(bank=code, description=row["Description"], ledger_code=row["CashGlCode"])

    async def check_account(self, ledger_code: str) -> str:
        """The description of a ledger account that may be posted to.

        Raises:
            Rejected: there is no such account, or it is on hold.
        """
        key = [
            ("LedgerCode", ledger_code),
            ("SecurityType", "P"),
            ("ValidateStructure", "Y"),
            ("ValidateFlags", "Y"),
        ]
        # SYSPRO's own sample spells this one element in lower case.
        asked = xml("Query", [("key", filled(key))])
        root = await self._with.reader.query("GENQGL", asked, f"ledger code {ledger_code}")
        return text_of(root, "Description")

    async def rehearse(self, document: ErpDocument) -> None:
        """Have a document validated and not posted; raises what posting it would."""
        kind = business_object_of(document)
        about = Concerning(what=f"the rehearsal of {kind.noun} {document.reference}")
        transaction = transaction_for(document, await self._with.surroundings(document), rehearsal=True)
        reply = await self._with.postings.rehearse(transaction, about)
        rules = self._with.config.all_rules
        context = Context(about=about, rules=rules, moment="read", business_object=kind.code)
        findings = findings_of(xml_of(reply, context))
        if findings:
            raise refused(findings, about, kind.code, rules)
