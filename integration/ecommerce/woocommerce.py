"""WooCommerce's REST API v3: an order read with its lines, its status set, a note left."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

from msgspec import Struct

from integration.canonical.order import Order
from integration.ecommerce.calls import ShopApi
from integration.ecommerce.config import WooCommerceConfig
from integration.ecommerce.woocommerce_customers import WooCommerceCustomers
from integration.ecommerce.woocommerce_order import WooOrder, order
from integration.errors import InvalidPayment, Misconfigured, NotFound
from integration.http import HttpClient, Spent

API = "/wp-json/wc/v3"

# A late word that a payment arrived must not bring an order back that has moved on.
_BEYOND = {"processing": frozenset(["completed", "refunded", "cancelled"])}


class _Note(Struct):
    note: str = ""


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise Misconfigured(f"{text!r} is no pattern: {error}", code="shop.order-number-pattern") from error
    if "number" not in pattern.groupindex:
        raise Misconfigured(f"{text!r} has no group named number", code="shop.order-number-pattern")
    return pattern


class WooCommerceStorefront(WooCommerceCustomers):
    """One WooCommerce shop, as the port `Storefront` asks for it.

    Args:
        config: address, credentials, and how an order is found.
        observe: told of every call, for metrics.

    Raises:
        Misconfigured: the pattern of order numbers is none.
    """

    def __init__(self, config: WooCommerceConfig, observe: Callable[[Spent], None] | None = None) -> None:
        self._config = config
        self._number = _pattern(config.order_number)
        pair = f"{config.consumer_key}:{config.consumer_secret}".encode()
        http = HttpClient(
            "Shop", config.base_url, timeout=config.timeout, slots=config.slots, observe=observe
        )
        self._api = ShopApi(http, "Basic " + b64encode(pair).decode("ascii"))

    async def ping(self) -> None:
        """Prove address and credentials by reading one order.

        Raises:
            Misconfigured: one of them is wrong.
            Unreachable, Throttled, Rejected: no answer, or no usable one.
        """
        await self._api.read(f"{API}/orders", list[WooOrder], about="an order", params={"per_page": "1"})

    async def find_order(self, payment_reference: str) -> Order | None:
        """The order that a vendor transaction code pays, or `None`.

        The shop's search is asked first, which finds the code where the shop lets it look into meta data; then
        the order whose number the code holds. An order that names another code is not taken.

        Raises:
            InvalidPayment: several orders name the code, or the order's lines do not add up.
            Misconfigured, Rejected, Unreachable, Throttled: as for `ping`.
        """
        found = await self._api.read(
            f"{API}/orders",
            list[WooOrder],
            about=f"the order of payment {payment_reference}",
            params={"search": payment_reference, "per_page": "20", "dp": "6"},
        )
        named = [one for one in found if self._code(one) == payment_reference]
        if len(named) > 1:
            raise InvalidPayment(
                f"{len(named)} orders of the shop name payment {payment_reference}",
                code="shop.order-not-unique",
                evidence={"orders": ", ".join(one.number for one in named)},
            )
        one = named[0] if named else await self._by_number(payment_reference)
        return None if one is None else order(one, payment_reference)

    async def tell(self, reference: str, status: str, note: str) -> None:
        """Set an order's status and leave a note; what is so already is not done again.

        `processing` never replaces a status that comes after it: then only the note is left.

        Raises:
            NotFound: the shop has no such order.
            OutcomeUnknown: sent, and the answer lost: telling again is safe.
            Misconfigured, Rejected, Unreachable, Throttled: as for `ping`.
        """
        path = f"{API}/orders/{quote(reference, safe='')}"
        about = f"order {reference}"
        now = await self._api.read(path, WooOrder, about=about)
        if note:
            notes = await self._api.read(f"{path}/notes", list[_Note], about=f"the notes of {about}")
            if all(kept.note.strip() != note.strip() for kept in notes):
                await self._api.write("POST", f"{path}/notes", {"note": note}, about=f"a note on {about}")
        if now.status != status and now.status not in _BEYOND.get(status, ()):
            await self._api.write("PUT", path, {"status": status}, about=f"the status of {about}")

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    def _code(self, one: WooOrder) -> str:
        return one.meta(self._config.meta_key)

    async def _by_number(self, payment_reference: str) -> WooOrder | None:
        match = self._number.fullmatch(payment_reference)
        if match is None:
            return None
        number = match["number"]
        try:
            one = await self._api.read(
                f"{API}/orders/{quote(number, safe='')}",
                WooOrder,
                about=f"order {number}",
                params={"dp": "6"},
            )
        except NotFound:
            return None
        same = one.number == number and self._code(one) in ("", payment_reference)
        return one if same else None
