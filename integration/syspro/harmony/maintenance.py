"""Customers and orders maintained over the façade, and its lists polled for changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Literal, TypeVar
from urllib.parse import quote

import msgspec

from integration.canonical.erp_records import Change, ChangeKind, CustomerRecord, NewOrderStatus, Page
from integration.errors import NotFound, OutcomeUnknown, UnknownCustomer
from integration.http import Answer, Call
from integration.syspro.books import sensible
from integration.syspro.changes import change_of, is_since
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.customers import Told, customer_elements, customer_record
from integration.syspro.harmony import schema
from integration.syspro.harmony.endpoints import CUSTOMER, INVOICE, SALES_ORDER, Endpoint, order_status
from integration.syspro.harmony.reading import Reader
from integration.syspro.harmony.schema import PostingAnswer
from integration.syspro.harmony.session import HarmonySession
from integration.syspro.harmony.wire import Context, content, content_or_none, finding_of, page
from integration.syspro.limits import fitted
from integration.syspro.refusals import Concerning, refused

Json = Mapping[str, object]
Kind = TypeVar("Kind")

_MOST = 500
_POSTED = "POSTED"
_LISTS: Mapping[ChangeKind, Endpoint] = {
    "sales_order": SALES_ORDER,
    "ar_invoice": INVOICE,
    "ar_payment": INVOICE,  # the list of payments leaves out adjustments and notes
    "customer": CUSTOMER,
}


class HarmonyMaintenance:
    """Maintains records in one operator's session; the transport is one of these."""

    session: HarmonySession
    _config: SysproConfig
    _reader: Reader

    async def _codes(self) -> CurrencyCodes:
        raise NotImplementedError

    def _context(self, what: str) -> Context:
        raise NotImplementedError

    async def _sent(self, call: Call, key: str) -> Answer:
        raise NotImplementedError

    # --- customers --------------------------------------------------------------------------------

    async def customer_record(self, code: str) -> CustomerRecord | None:
        """A customer with everything that is kept of it, or `None`."""
        about = f"customer {code}"
        call = Call(method="GET", path=f"{CUSTOMER.path}/{quote(code, safe='')}", about=about)
        context = self._context(about)
        row = await self._reader.fetch(
            call, lambda answer: content_or_none(answer, dict[str, object], context)
        )
        if row is None:
            return None
        codes = await self._codes()
        with sensible():
            return customer_record(_told(row), codes, code)

    async def customers(self, *, after: str = "", limit: int = 200, email: str = "") -> Page[CustomerRecord]:
        """Customers in the order of their keys; with `email`, those of exactly this address."""
        part = await self._list(CUSTOMER, after, limit, {"Email": email} if email else {})
        codes = await self._codes()
        with sensible():
            found = [customer_record(_told(row), codes) for row in part.items]
        exact = [each for each in found if not email or each.email == email]
        return Page(items=tuple(exact), after=part.next_start_at or None)

    async def save_customer(
        self, record: CustomerRecord, action: Literal["add", "change"], key: str = ""
    ) -> str:
        """Add a customer, or change the members given; an addition without a `key` has its content for one."""
        about = Concerning(
            what=f"customer {record.customer}", reference=record.customer, customer=record.customer
        )
        context = Context(about=about, business_object="ARSSCS", rules=self._config.all_rules)
        named = {"Key": {"Customer": fitted("Customer", record.customer)}}
        item: Json = {**named, **dict(customer_elements(record, await self._codes()))}
        parameters = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N"}
        call = Call(
            method="POST" if action == "add" else "PUT",
            path=CUSTOMER.path if action == "add" else f"{CUSTOMER.path}/{quote(record.customer, safe='')}",
            body=msgspec.json.encode({"Parameters": parameters, "Items": [item]}),
            write=True,
            about=about.what,
            timeout=self._config.post_timeout,
        )
        if action == "add":
            answer = await self._sent(call, key or hashlib.sha256(call.body or b"").hexdigest())
        else:
            answer = await self.session.send(call)
        return _saved(answer, record, context)

    # --- orders -----------------------------------------------------------------------------------

    async def order_to_status(
        self, number: str, status: NewOrderStatus, *, credit_authority: str = ""
    ) -> None:
        """Move an order to another status."""
        endpoint = order_status(number)
        about = Concerning(what=f"status {status} of sales order {number}", reference=number)
        context = Context(about=about, business_object=endpoint.business_object, rules=self._config.all_rules)
        asked = {"NewOrderStatus": status, "CreditAuthority": credit_authority}
        call = Call(
            method="POST",
            path=endpoint.path,
            body=msgspec.json.encode({name: value for name, value in asked.items() if value}),
            write=True,
            about=about.what,
            timeout=self._config.post_timeout,
        )
        content(await self.session.send(call), dict[str, object], context)

    # --- changes ----------------------------------------------------------------------------------

    async def changes(
        self, kind: ChangeKind, *, after: str = "", limit: int = 200, since: date | None = None
    ) -> Page[Change]:
        """Rows of a kind in the order of their keys; of lists without a filter by date, older rows are left out."""
        filters = {"OrderDateFrom": since.isoformat()} if since and kind == "sales_order" else {}
        part = await self._list(_LISTS[kind], after, limit, filters)
        rows = [moved for row in part.items for moved in _moved(row)] if kind == "ar_payment" else part.items
        with sensible():
            found = [change_of(kind, _told(row)) for row in rows]
        items = tuple(change for change in found if is_since(change, since))
        return Page(items=items, after=part.next_start_at or None)

    async def _list(
        self, endpoint: Endpoint, after: str, limit: int, filters: Mapping[str, str]
    ) -> schema.Page[dict[str, object]]:
        params = {**filters, "Limit": str(max(1, min(limit, _MOST)))}
        if after:
            params["StartAt"] = after
        about = f"the browse of {endpoint.noun}s"
        context = self._context(about)
        call = Call(method="GET", path=endpoint.path, params=params, about=about)
        return await self._reader.fetch(call, lambda answer: page(answer, dict[str, object], context))


def _told(row: Mapping[str, object]) -> Told:
    def told(column: str) -> str | None:
        value = row.get(column)
        return value if isinstance(value, str) else None

    return told


def _moved(row: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The movements of an AR document, each under the document's key."""
    payments = row.get("Payments")
    place = {name: row.get(name) for name in ("Customer", "Invoice", "DocumentType")}
    rows = payments if isinstance(payments, list) else []
    return [{**each, **place} for each in rows if isinstance(each, dict)]


def _saved(answer: Answer, record: CustomerRecord, context: Context) -> str:
    try:
        told = content(answer, PostingAnswer, context)
    except NotFound as error:
        raise UnknownCustomer(
            f"SYSPRO does not know customer `{record.customer}`, which was to be changed",
            evidence={"customer": record.customer},
        ) from error
    item = told.items[0] if len(told.items) == 1 else None
    if item is not None and item.errors and item.status != _POSTED:
        findings = [finding_of(error) for error in item.errors]
        raise refused(findings, context.about, context.business_object, context.rules)
    if item is None or item.status != _POSTED:
        raise OutcomeUnknown(
            f"SYSPRO does not say whether it took {context.about.what}", code="syspro.outcome-unknown"
        )
    return item.customer or record.customer
