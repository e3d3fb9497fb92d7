"""How a site stores numeric keys, learnt from its own: business objects may pad what we send, searches never do."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from integration.errors import Misconfigured
from integration.syspro.enet.comfnd import Find
from integration.syspro.enet.config import EnetConfig, KeyFormat
from integration.syspro.enet.reading import Reader
from integration.syspro.keys import bare, padded

_SAMPLE = 20
_WIDEST = 15


class Widths(Struct, frozen=True, kw_only=True):
    """Digits to which numeric keys are padded; 0 leaves them as they are."""

    customers: int = 0
    invoices: int = 0

    def customer(self, key: str) -> str:
        """A customer's key as stored."""
        return padded(key, self.customers)

    def invoice(self, key: str) -> str:
        """An AR document's number as stored; empty stays empty."""
        return padded(key, self.invoices)


class KeyWidths:
    """Knows how the site stores its keys. What could not be learnt, since there are no rows yet, is asked again."""

    def __init__(self, enet: EnetConfig, reader: Reader) -> None:
        self._reader = reader
        self._customers = _given(enet.customer_key)
        self._invoices = _given(enet.invoice_key)
        self._orders: int | None = None

    async def current(self, *, invoices: bool) -> Widths:
        """The widths, read now if need be; that of AR documents only where one is named."""
        if self._customers is None:
            self._customers = await self._learnt("ArCustomer", "Customer")
        if invoices and self._invoices is None:
            self._invoices = await self._learnt("ArInvoice", "Invoice")
        return Widths(customers=self._customers or 0, invoices=self._invoices or 0)

    async def spellings(self, keys: Iterable[str], column: str) -> list[str]:
        """Every way in which the keys of a column may be stored.

        A search that misses a document for its zeros would have it posted twice.
        """
        width = await self._width(column)
        found: list[str] = []
        for key in keys:
            number = bare(key)
            found += [padded(number, width), key.strip(), number, padded(number, _WIDEST)]
        return list(dict.fromkeys(found))

    async def _width(self, column: str) -> int:
        if column == "SalesOrder":
            if self._orders is None:
                self._orders = await self._learnt("SorMaster", "SalesOrder")
            return self._orders or 0
        widths = await self.current(invoices=column == "Invoice")
        return widths.invoices if column == "Invoice" else widths.customers

    async def _learnt(self, table: str, column: str) -> int | None:
        # Digits come before letters and before the underscore of `_CRD` documents.
        find = Find(table=table, columns=(column,), where=(((column, "LT", "A"),),), limit=_SAMPLE)
        rows = await self._reader.rows(find, f"the look-up of how SYSPRO stores its {column} keys")
        return learnt([row[column] for row in rows])


def learnt(keys: Iterable[str]) -> int | None:
    """The width of numeric keys: the one that all of a sample have; 0 if they differ, `None` if there are none."""
    sample = [key for key in keys if key and not key.startswith("_")]
    if not sample:
        return None
    widths = {len(key) for key in sample}
    return widths.pop() if len(widths) == 1 and all(key.isdigit() for key in sample) else 0


def _given(setting: KeyFormat) -> int | None:
    if setting == "learn":
        return None
    if setting == "alpha":
        return 0
    if not 0 < setting <= 20:
        raise Misconfigured(
            f"A key of SYSPRO is 1 to 20 characters wide, not {setting}", code="syspro.key-width"
        )
    return setting
