"""A postal address, as orders and accounts keep it."""

from __future__ import annotations

import msgspec


class Address(msgspec.Struct, frozen=True):
    """A postal address in WooCommerce's members; ``country`` is ISO 3166-1 alpha-2."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
