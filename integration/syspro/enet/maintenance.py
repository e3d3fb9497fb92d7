"""Customers and orders maintained over e.net, and the tables polled for changes: ARSSCS, SORTOS, COMFND by key."""

from __future__ import annotations

from datetime import date
from typing import Literal
from urllib.parse import quote, urlencode

from lxml import etree
from msgspec import structs

from integration.canonical.erp_records import Change, ChangeKind, CustomerRecord, NewOrderStatus, Page
from integration.http import Call
from integration.syspro.books import sensible
from integration.syspro.changes import POLLED, SEPARATOR, change_of
from integration.syspro.classify import Finding
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.customers import customer_columns, customer_elements, customer_record
from integration.syspro.enet.building import filled, xml
from integration.syspro.enet.comfnd import Find, Row, Term, any_of
from integration.syspro.enet.config import EnetConfig
from integration.syspro.enet.key_widths import KeyWidths
from integration.syspro.enet.objects import ARSSCS, SORTOS, BusinessObject, Transaction
from integration.syspro.enet.parsing import count, first, text_of
from integration.syspro.enet.postings import Postings
from integration.syspro.enet.reading import Reader
from integration.syspro.enet.session import EnetSession
from integration.syspro.enet.wire import Context, Reply, findings_of, too_long, warnings_of, xml_of
from integration.syspro.keys import same_key
from integration.syspro.limits import fitted
from integration.syspro.refusals import Concerning, refused

_COMMON = (("IgnoreWarnings", "N"), ("ApplyIfEntireDocumentValid", "Y"), ("ValidateOnly", "N"))
_MOST = 500
_ACTIONS: dict[Literal["add", "change"], str] = {"add": "/Setup/Add", "change": "/Setup/Update"}


class EnetMaintenance:
    """Maintains records in one operator's session; the transport is one of these."""

    session: EnetSession
    _config: SysproConfig
    _enet: EnetConfig
    _reader: Reader
    _widths: KeyWidths
    _postings: Postings

    async def _codes(self) -> CurrencyCodes:
        raise NotImplementedError

    # --- customers --------------------------------------------------------------------------------

    async def customer_record(self, code: str) -> CustomerRecord | None:
        """A customer with everything that is kept of it, or `None`."""
        spelled = any_of("Customer", await self._widths.spellings([code], "Customer"))
        find = Find(table="ArCustomer", columns=customer_columns(), where=spelled)
        rows = await self._reader.rows(find, f"customer {code}")
        row = next((row for row in rows if same_key(row["Customer"], code)), None)
        if row is None:
            return None
        codes = await self._codes()
        with sensible():
            return customer_record(row.told, codes, code)

    async def customers(self, *, after: str = "", limit: int = 200, email: str = "") -> Page[CustomerRecord]:
        """Customers in the order of their keys; with `email`, those of exactly this address."""
        also: tuple[Term, ...] = (("Email", "EQ", email),) if email else ()
        rows, following = await self._keyed("customer", after, limit, also)
        codes = await self._codes()
        with sensible():
            return Page(items=tuple(customer_record(row.told, codes) for row in rows), after=following)

    async def save_customer(
        self, record: CustomerRecord, action: Literal["add", "change"], key: str = ""
    ) -> str:
        """Add a customer, or change the members given. e.net takes no `key`: look before you add again."""
        about = Concerning(
            what=f"customer {record.customer}", reference=record.customer, customer=record.customer
        )
        code = (await self._widths.current(invoices=False)).customer(record.customer)
        elements = customer_elements(record, await self._codes())
        document = xml(
            ARSSCS.root,
            [("Item", [("Key", [("Customer", fitted("Customer", code))]), *elements])],
        )
        parameters = xml(ARSSCS.root, [("Parameters", _COMMON)])
        root = self._taken(await self._set_up(_ACTIONS[action], parameters, document, about), about, ARSSCS)
        return text_of(first(root, "Key"), "Customer") or code

    async def _set_up(self, path: str, parameters: str, document: str, about: Concerning) -> Reply:
        call = Call(method="GET", path=path, write=True, about=about.what, timeout=self._config.post_timeout)

        def bearing(token: str) -> Call:
            params = {
                "UserId": token,
                "BusinessObject": ARSSCS.code,
                "XmlParameters": parameters,
                "XmlIn": document,
            }
            if len(urlencode(params, quote_via=quote, safe="")) > self._enet.url_room:
                raise too_long(about)
            return structs.replace(call, params=params)

        return await self.session.send(bearing)

    def _taken(self, reply: Reply, about: Concerning, kind: BusinessObject) -> etree._Element:
        """The answer to a write that SYSPRO took.

        Raises:
            IntegrationError: it refused it, or the answer leaves open whether it did.
        """
        context = Context(about=about, rules=self._config.all_rules, moment="post", business_object=kind.code)
        root = xml_of(reply, context)
        findings = findings_of(root)
        status = first(root, "StatusOfItems")
        invalid = count(text_of(status, "RecordsInvalid")) + count(text_of(status, "ItemsInvalid"))
        if not findings and invalid:
            findings = [Finding(text=text) for text in warnings_of(root)] or [Finding(text="")]
        if findings:
            raise refused(findings, about, kind.code, self._config.all_rules)
        return root

    # --- orders -----------------------------------------------------------------------------------

    async def order_to_status(
        self, number: str, status: NewOrderStatus, *, credit_authority: str = ""
    ) -> None:
        """Move an order to another status by SORTOS."""
        about = Concerning(what=f"status {status} of sales order {number}", reference=number)
        item = filled(
            [
                ("SalesOrder", fitted("SalesOrder", number)),
                ("NewOrderStatus", status),
                ("CreditAuthority", credit_authority),
            ]
        )
        transaction = Transaction(
            business_object=SORTOS,
            # ValidateOnly is Y unless said otherwise, here of all places.
            parameters=xml(SORTOS.root, [("Parameters", _COMMON)]),
            document=xml(SORTOS.root, [("Item", item)]),
        )
        self._taken(await self._postings.send(transaction, about), about, SORTOS)

    # --- changes ----------------------------------------------------------------------------------

    async def changes(
        self, kind: ChangeKind, *, after: str = "", limit: int = 200, since: date | None = None
    ) -> Page[Change]:
        """Rows of a kind in the order of their keys, each table by its own primary key."""
        dated = POLLED[kind].dated
        also: tuple[Term, ...] = ((dated, "GE", since.isoformat()),) if since and dated else ()
        rows, following = await self._keyed(kind, after, limit, also)
        with sensible():
            return Page(items=tuple(change_of(kind, row.told) for row in rows), after=following)

    async def _keyed(
        self, kind: ChangeKind, after: str, limit: int, also: tuple[Term, ...]
    ) -> tuple[list[Row], str | None]:
        """Up to `limit` rows after a key, and the key to go on after."""
        polled = POLLED[kind]
        limit = max(1, min(limit, _MOST))
        where = tuple((*terms, *also) for terms in _beyond(polled.keys, after)) or ((also,) if also else ())
        find = Find(
            table=polled.table, columns=polled.columns, where=where, limit=limit, order_by=polled.keys
        )
        rows = await self._reader.rows(find, f"the poll of {polled.table}")
        last = SEPARATOR.join(rows[-1][key] for key in polled.keys) if len(rows) >= limit else None
        return rows, last


def _beyond(keys: tuple[str, ...], after: str) -> list[tuple[Term, ...]]:
    """Groups for the rows whose compound key is greater."""
    if not after:
        return []
    values = after.split(SEPARATOR)
    if len(values) != len(keys):
        raise ValueError(f"{after!r} is no place in a browse by {', '.join(keys)}")
    pairs = list(zip(keys, values, strict=True))
    return [
        (*((key, "EQ", value) for key, value in pairs[:n]), (pairs[n][0], "GT", pairs[n][1]))
        for n in range(len(pairs))
    ]
