"""The port `ERP` over e.net: logs on when needed, posts one document per call, finds it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from lxml import etree
from msgspec import structs

from integration.canonical.documents import ArInvoice, ArPayment, ErpDocument, Receipt, SalesOrder, Stored
from integration.canonical.documents_money_out import ArAdjustment, CreditNoteOrder
from integration.canonical.money import Rate
from integration.errors import IntegrationError, OutcomeUnknown, Unreachable
from integration.http import HttpClient, Spent
from integration.ports import CompanyProfile, ErpCustomer, ErpStockItem
from integration.syspro.books import find_money_out
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.books import EnetBooks
from integration.syspro.enet.config import EnetConfig
from integration.syspro.enet.documents import Surroundings, business_object_of, transaction_for
from integration.syspro.enet.inspection import EnetInspection, Instruments
from integration.syspro.enet.key_widths import KeyWidths
from integration.syspro.enet.lookups import Lookups
from integration.syspro.enet.maintenance import EnetMaintenance
from integration.syspro.enet.masters import Masters, company_profile
from integration.syspro.enet.parsing import text_of
from integration.syspro.enet.postings import Postings
from integration.syspro.enet.reading import Reader
from integration.syspro.enet.receipts import receipt_of
from integration.syspro.enet.session import EnetSession
from integration.syspro.enet.wire import Context
from integration.syspro.keys import bare
from integration.syspro.ledger_rows import Site
from integration.syspro.refusals import Concerning
from integration.syspro.sent_values import with_status

# One for the call in flight, one for the farewell that must not wait for it.
_CONNECTIONS = 2


class EnetErp(EnetBooks, EnetMaintenance):
    """One operator's way into one SYSPRO company, over its REST wrapper.

    Calls are made one after the other whatever `in_flight` says: a session is one SYSPRO runtime.

    Args:
        config: `base_url` ends in `/SYSPROWCFService/Rest`.
        enet: the site's habits.
        on_evicted: called when somebody else's logon keeps ending our session.
        observe: called with the cost of every call.

    Attributes:
        session: the operator's session; its counters tell of evictions and logons.
    """

    def __init__(
        self,
        config: SysproConfig,
        enet: EnetConfig | None = None,
        *,
        on_evicted: Callable[[], None] | None = None,
        observe: Callable[[Spent], None] | None = None,
    ) -> None:
        self._config = config
        self._enet = enet or EnetConfig()
        self._http = HttpClient(
            "SYSPRO", config.base_url, timeout=config.query_timeout, slots=_CONNECTIONS, observe=observe
        )
        self.session = EnetSession(config, self._enet, self._http, on_evicted)
        self._reader = Reader(config, self._enet, self.session)
        self._widths = KeyWidths(self._enet, self._reader)
        self._lookups = Lookups(config, self._reader, self._widths)
        self._masters = Masters(config, self._reader, self._widths)
        self._postings = Postings(config, self._enet, self.session)
        self._known: CurrencyCodes | None = None
        self._credit_numbers_wanted = self._enet.credit_number != "never"

    async def profile(self) -> CompanyProfile:
        """Log on if need be and say who and where we are; proves that the session lives."""
        told = await self._reader.profile()
        local = self._local_currency(told)
        codes = CurrencyCodes(self._config.currency_map, local)
        try:
            return company_profile(told, self._config, codes, local)
        except ValueError as error:
            raise _senseless(error) from error

    async def customer(self, code: str) -> ErpCustomer | None:
        """A customer, or `None`; its key is given back in the spelling it was asked for."""
        return await self._masters.customer(code, await self._codes())

    async def stock_item(self, code: str) -> ErpStockItem | None:
        """A stock item with the warehouses that stock it, or `None`."""
        return await self._masters.stock_item(code)

    async def book_rate(self, currency: str) -> Rate | None:
        """SYSPRO's own rate from a currency to the local one, or `None` when it has none."""
        told = await self._reader.profile()
        codes = CurrencyCodes(self._config.currency_map, self._local_currency(told))
        try:
            return await self._masters.book_rate(currency, codes, told)
        except ValueError as error:
            raise _senseless(error) from error

    async def post(self, document: ErpDocument, key: str) -> Receipt:
        """Post one document in a call of its own. e.net takes no `key`: look before you post again."""
        kind = business_object_of(document)
        about = Concerning(
            what=f"{kind.noun} {document.reference}",
            reference=document.reference,
            customer=getattr(document, "customer", ""),
        )
        transaction = transaction_for(document, await self._surroundings(document))
        if isinstance(document, ArPayment) and document.invoices and not self._enet.overpayments:
            await self._lookups.check_balances(document, await self._codes())
        reply = await self._postings.send(transaction, about)
        context = Context(about=about, rules=self._config.all_rules, moment="post", business_object=kind.code)
        receipt = receipt_of(reply, document, context)
        if receipt is None:
            assert isinstance(document, SalesOrder)  # only a sales order may come without its number
            return await self._numbered(document, about)
        if isinstance(document, ArPayment) and document.unapplied and self._credit_numbers_wanted:
            return await self._with_credit_number(receipt, document)
        return with_status(receipt, self._config)

    async def find(self, documents: Sequence[ErpDocument]) -> Mapping[str, tuple[Stored, ...]]:
        """Look for documents by our own references, many per search; several hits are all given back."""
        if not documents:
            return {}
        try:
            codes = await self._codes()
            site = Site(codes=codes, unapplied_prefix=self._config.unapplied_prefix)
            found = await self._lookups.find(documents, codes)
            return {**found, **await find_money_out(documents, self, site)}
        except ValueError as error:
            raise _senseless(error) from error

    async def capabilities(self) -> Mapping[str, bool]:
        """Which of the business objects we post with the operator has a licence for; nothing is posted."""
        return await self._postings.capabilities()

    def inspection(self) -> EnetInspection:
        """What `doctor` asks, in this session."""
        return EnetInspection(
            Instruments(
                config=self._config,
                session=self.session,
                reader=self._reader,
                postings=self._postings,
                surroundings=self._surroundings,
            )
        )

    async def close(self) -> None:
        """Log off and give connections and licence seat back. Never raises."""
        await self.session.close()
        await self._http.close()

    async def _surroundings(self, document: ErpDocument) -> Surroundings:
        return Surroundings(
            config=self._config,
            enet=self._enet,
            codes=await self._codes(),
            widths=await self._widths.current(invoices=_names_invoices(document)),
        )

    async def _codes(self) -> CurrencyCodes:
        if self._known is None:
            local = self._enet.local_currency or self._local_currency(await self._reader.profile())
            self._known = CurrencyCodes(self._config.currency_map, local)
        return self._known

    def _local_currency(self, told: etree._Element) -> str:
        return self._enet.local_currency or text_of(told, "LocalCurrencyCode")

    async def _numbered(self, order: SalesOrder, about: Concerning) -> Receipt:
        """The receipt of an order that SYSPRO took without telling its number: it is looked for by ours."""
        for seconds in self._config.look_again_after:
            await asyncio.sleep(seconds)
            try:
                rows = await self._lookups.live_orders([order.reference])
            except IntegrationError as error:
                # The order is in SYSPRO: whatever fails now, the posting must not be taken for undone.
                raise OutcomeUnknown(
                    f"SYSPRO took {about.what}, and its number could not be looked up: {error.title}",
                    code="syspro.outcome-unknown",
                    evidence=error.evidence,
                ) from error
            if rows:
                number = rows[-1]["SalesOrder"]
                return Receipt(
                    kind="sales_order",
                    reference=order.reference,
                    key=bare(number),
                    details={"SalesOrder": number},
                )
        raise OutcomeUnknown(
            f"SYSPRO took {about.what} without telling its number, and shows no such order yet",
            code="syspro.outcome-unknown",
        )

    async def _with_credit_number(self, receipt: Receipt, payment: ArPayment) -> Receipt:
        """The receipt with the `_CRD` number of its unapplied part, by which it is told from its like later.

        A site that leaves movements under our reference needs no such number: the first one seen ends the asking.
        """
        try:
            stored = (await self.find([payment])).get(payment.reference, ())
        except IntegrationError:
            return receipt
        if self._enet.credit_number == "auto" and any(each.certain for each in stored):
            self._credit_numbers_wanted = False
        numbers = sorted(each.receipt.details.get("UnappliedInvoice", "") for each in stored)
        if not numbers or not numbers[-1]:
            return receipt
        # SYSPRO numbers upwards per customer, so of several alike the last is the one just made.
        return structs.replace(receipt, details={**receipt.details, "UnappliedInvoice": numbers[-1]})


def _names_invoices(document: ErpDocument) -> bool:
    match document:
        case ArInvoice():
            return bool(document.invoice)
        case ArPayment():
            return bool(document.invoices)
        case _:
            return isinstance(document, CreditNoteOrder | ArAdjustment)


def _senseless(error: ValueError) -> Unreachable:
    return Unreachable(f"SYSPRO's answer makes no sense: {error}", code="syspro.unreachable")
