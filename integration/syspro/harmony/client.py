"""The port `ERP` over the façade: logs on when needed, posts one document per call, finds it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote

import msgspec

from integration.canonical.documents import ErpDocument, Receipt, SalesOrder, Stored
from integration.canonical.money import Rate, decimal_text
from integration.errors import IntegrationError, OutcomeUnknown, Unreachable
from integration.http import Answer, Call, HttpClient, Spent
from integration.ports import CompanyProfile, ErpCustomer, ErpStockItem
from integration.syspro.books import find_money_out
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony import schema
from integration.syspro.harmony.books import HarmonyBooks
from integration.syspro.harmony.endpoints import Endpoint
from integration.syspro.harmony.inspection import HarmonyInspection
from integration.syspro.harmony.lookups import Lookups
from integration.syspro.harmony.maintenance import HarmonyMaintenance
from integration.syspro.harmony.reading import Reader
from integration.syspro.harmony.receipts import receipt_of
from integration.syspro.harmony.session import HarmonySession
from integration.syspro.harmony.translate import endpoint_of, request_for
from integration.syspro.harmony.values import day
from integration.syspro.harmony.wire import Context, content, content_or_none, idempotency_key, was_replayed
from integration.syspro.keys import bare
from integration.syspro.ledger_rows import Site
from integration.syspro.refusals import Concerning
from integration.syspro.sent_values import with_status

T = TypeVar("T")

_SUCCESSORS = 20


class HarmonyErp(HarmonyBooks, HarmonyMaintenance):
    """One operator's way into one SYSPRO company, over the JSON façade.

    Args:
        on_evicted: called when somebody else's logon keeps ending our session.
        observe: called with the cost of every call.

    Attributes:
        session: the operator's session; its counters tell of evictions and logons.
    """

    def __init__(
        self,
        config: SysproConfig,
        *,
        on_evicted: Callable[[], None] | None = None,
        observe: Callable[[Spent], None] | None = None,
    ) -> None:
        self._config = config
        self._http = HttpClient(
            "SYSPRO",
            config.base_url,
            timeout=config.query_timeout,
            slots=config.in_flight,
            observe=observe,
        )
        self.session = HarmonySession(config, self._http, on_evicted)
        self._reader = Reader(config, self.session)
        self._lookups = Lookups(config, self.session)

    async def profile(self) -> CompanyProfile:
        """Log on if need be and say who and where we are; proves that the session lives."""
        call = Call(method="GET", path="/Auth/Profile", about="the operator's profile")
        context = self._context("the operator's profile")
        told = await self._reader.fetch(call, lambda answer: content(answer, schema.Profile, context))
        codes = CurrencyCodes(self._config.currency_map, told.local_currency_code)
        return CompanyProfile(
            company=told.company_id or self._config.company_id,
            operator=told.operator or self._config.operator,
            version=told.syspro_version,
            local_currency=codes.iso("") if told.local_currency_code else "",
            accounting_date=day(told.accounting_date),
            default_bank=told.default_bank,
            default_branch=told.default_ar_branch,
            default_warehouse=told.default_warehouse,
        )

    async def customer(self, code: str) -> ErpCustomer | None:
        """A customer, or `None`; its key is given back in the spelling it was asked for."""
        row = await self._read("Customer", code, schema.Customer)
        if row is None:
            return None
        return ErpCustomer(
            customer=code if bare(code) == bare(row.customer) else bare(row.customer),
            name=row.name,
            currency=(await self._codes()).iso(row.currency),
            on_hold=row.customer_on_hold == "Y",
            branch=row.branch,
            terms_code=row.terms_code,
            payments_allowed=row.payments_allowed != "N",
        )

    async def stock_item(self, code: str) -> ErpStockItem | None:
        """A stock item with the warehouses that stock it, or `None`."""
        row = await self._read("StockItem", code, schema.StockQuery)
        if row is None:
            return None
        item = row.stock_item
        return ErpStockItem(
            stock_code=item.stock_code,
            description=item.description,
            unit=item.stock_uom,
            # `F` and `P` are SYSPRO's full and partial holds; anything but blank and `N` stops an order.
            on_hold=item.stock_on_hold.strip() not in ("", "N"),
            tax_code=item.tax_code,
            product_class=item.product_class,
            warehouses=tuple(each.warehouse for each in row.warehouse_item if each.warehouse),
        )

    async def book_rate(self, currency: str) -> Rate | None:
        """SYSPRO's own rate from a currency to the local one, or `None` when it has none."""
        codes = await self._codes()
        row = await self._read("Currency", codes.site(currency), schema.CurrencyRow)
        if row is None:
            return None
        buys = self._config.rate_side == "buy"
        text = row.buy_exchange_rate if buys else row.sell_exchange_rate
        try:
            value = multiplier(text, row.buy_mul_div if buys else row.sell_mul_div)
        except ValueError as error:
            raise _senseless(error) from error
        if value is None:
            return None
        told = await self.session.current()
        return Rate(
            source=currency,
            target=codes.iso(""),
            value=value,
            authority="SYSPRO TblCurrency",
            as_of=day(told.accounting_date) or datetime.now(UTC).date(),
        )

    async def post(self, document: ErpDocument, key: str) -> Receipt:
        """Post one document in a call of its own, so that a lost answer concerns exactly one."""
        endpoint = endpoint_of(document)
        context = self._posting_context(document, endpoint)
        body = msgspec.json.encode(request_for(document, self._config, await self._codes()))
        call = Call(
            method="POST",
            path=endpoint.path,
            body=body,
            write=True,
            about=context.about.what,
            timeout=self._config.post_timeout,
        )
        receipt = receipt_of(await self._sent(call, key), document, context)
        if receipt is None and isinstance(document, SalesOrder):
            return await self._numbered(document, context)
        assert receipt is not None  # only a sales order may come without its number
        return with_status(receipt, self._config)

    async def find(self, documents: Sequence[ErpDocument]) -> Mapping[str, tuple[Stored, ...]]:
        """Look for documents by our own references, in lists; several hits are all given back."""
        if not documents:
            return {}
        try:
            site = Site(codes=await self._codes(), unapplied_prefix=self._config.unapplied_prefix)
            found = await self._lookups.find(documents)
            return {**found, **await find_money_out(documents, self, site)}
        except ValueError as error:
            raise _senseless(error) from error

    def inspection(self) -> HarmonyInspection:
        """What `doctor` asks, in this session."""
        return HarmonyInspection(self._config, self.session)

    async def close(self) -> None:
        """Log off and give connections and licence seat back. Never raises."""
        await self.session.close()
        await self._http.close()

    async def _sent(self, call: Call, key: str) -> Answer:
        """Send a posting under its key, and under the key's successors past refusals that were kept under it.

        A kept refusal says that nothing was posted then; whether it would be refused today, only a new key tells.
        """
        answer = await self._keyed(call, key)
        for successor in range(1, _SUCCESSORS):
            if answer.status != 422 or not was_replayed(answer):
                break
            answer = await self._keyed(call, f"{key}~{successor}")
        return answer

    async def _keyed(self, call: Call, key: str) -> Answer:
        headers = {"idempotency-key": idempotency_key(key)}
        return await self.session.send(msgspec.structs.replace(call, headers=headers))

    async def _numbered(self, order: SalesOrder, context: Context) -> Receipt:
        """The receipt of an order that SYSPRO took without telling its number: it is looked for by ours."""
        for seconds in self._config.look_again_after:
            await asyncio.sleep(seconds)
            try:
                rows = await self._lookups.order_numbers(order)
            except IntegrationError as error:
                # The order is in SYSPRO: whatever fails now, the posting must not be taken for undone.
                raise OutcomeUnknown(
                    f"SYSPRO took {context.about.what}, and its number could not be looked up: {error.title}",
                    code="syspro.outcome-unknown",
                    evidence=error.evidence,
                ) from error
            if rows:
                number = rows[-1].sales_order
                return Receipt(
                    kind="sales_order",
                    reference=order.reference,
                    key=rows[-1].sales_order_display or bare(number),
                    details={"SalesOrder": number},
                )
        raise OutcomeUnknown(
            f"SYSPRO took {context.about.what} without telling its number, and shows no such order yet",
            code="syspro.outcome-unknown",
        )

    async def _codes(self) -> CurrencyCodes:
        told = await self.session.current()
        return CurrencyCodes(self._config.currency_map, told.local_currency_code)

    async def _read(self, record: str, key: str, kind: type[T]) -> T | None:
        about = f"the {record} {key}"
        call = Call(method="GET", path=f"/{record}/{quote(key, safe='')}", about=about)
        context = self._context(about)
        return await self._reader.fetch(call, lambda answer: content_or_none(answer, kind, context))

    def _context(self, what: str) -> Context:
        return Context(about=Concerning(what=what), rules=self._config.all_rules)

    def _posting_context(self, document: ErpDocument, endpoint: Endpoint) -> Context:
        about = Concerning(
            what=f"{endpoint.noun} {document.reference}",
            reference=document.reference,
            customer=getattr(document, "customer", ""),
        )
        return Context(about=about, business_object=endpoint.business_object, rules=self._config.all_rules)


def _senseless(error: ValueError) -> Unreachable:
    return Unreachable(f"SYSPRO's answer makes no sense: {error}", code="syspro.unreachable")


def multiplier(rate: str, mul_div: str) -> Decimal | None:
    """What one unit is worth in local currency: SYSPRO multiplies by its rate (`M`) or divides by it (`D`).

    A quotient is carried to 28 significant digits. `None` when there is no rate.
    """
    value = decimal_text(rate.strip() or "0")
    if value <= 0:
        return None
    return Decimal(1) / value if mul_div.strip() == "D" else value
