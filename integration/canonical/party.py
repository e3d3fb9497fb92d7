"""Who pays and where things go: persons, companies, postal addresses."""

from __future__ import annotations

from msgspec import Struct


class PostalAddress(Struct, frozen=True, kw_only=True):
    """A postal address as the shop or gateway knows it, before it takes any system's shape.

    Attributes:
        lines: street lines, most specific first; building and street are not told apart.
        country: ISO 3166-1 alpha-2, capital letters, or empty when unknown.
    """

    name: str = ""
    company: str = ""
    lines: tuple[str, ...] = ()
    locality: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


class Party(Struct, frozen=True, kw_only=True):
    """A customer as the shop knows it.

    Attributes:
        reference: the shop's own customer number, empty for a guest.
    """

    reference: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""

    @property
    def display_name(self) -> str:
        """Company, else first and last name, else the e-mail address."""
        return self.company or f"{self.first_name} {self.last_name}".strip() or self.email
