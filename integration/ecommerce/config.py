"""Where a pair's shop lives and how we may read it; neither text form shows a secret."""

from __future__ import annotations

from msgspec import Struct

ORDER_NUMBER = r"^(?:[A-Z]+-)*(?P<number>\d+)(?:-A\d+)?$"


class WooCommerceConfig(Struct, frozen=True, kw_only=True):
    """A WooCommerce shop.

    Attributes:
        base_url: of the site; `/wp-json/wc/v3` is appended.
        consumer_key, consumer_secret: of a REST key with read and write rights.
        meta_key: the order's meta datum that holds the vendor transaction code.
        order_number: a pattern with the group `number` that takes the order's number from a vendor transaction
            code, for shops whose search does not look into meta data.
        timeout: seconds to wait for an answer.
    """

    base_url: str
    consumer_key: str
    consumer_secret: str
    meta_key: str = "_opayo_vendor_tx_code"
    order_number: str = ORDER_NUMBER
    timeout: float = 30.0
    slots: int = 8

    def __repr__(self) -> str:
        return f"WooCommerceConfig(base_url={self.base_url!r}, …)"


class GenericConfig(Struct, frozen=True, kw_only=True):
    """A generic JSON storefront.

    Attributes:
        base_url: `/orders` is appended.
        token: bearer token.
        timeout: seconds to wait for an answer.
    """

    base_url: str
    token: str
    timeout: float = 30.0
    slots: int = 8

    def __repr__(self) -> str:
        return f"GenericConfig(base_url={self.base_url!r}, …)"
