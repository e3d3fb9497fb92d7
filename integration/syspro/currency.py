"""SYSPRO's currency codes are the site's own (`$` is often the local one): to ISO 4217 and back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from integration.errors import Misconfigured

_ISO = re.compile(r"[A-Z]{3}")


class CurrencyCodes:
    """Translates between ISO 4217 and one company's codes; blank is the company's local currency."""

    def __init__(self, to_site: Mapping[str, str], local_code: str = "") -> None:
        self._to_site = dict(to_site)
        self._to_iso = {code.strip(): iso for iso, code in to_site.items()}
        self._local_code = local_code.strip()

    def site(self, iso: str | None) -> str:
        """The site's code of an ISO currency; empty stays empty."""
        return self._to_site.get(iso or "", iso or "")

    def iso(self, code: str | None) -> str:
        """The ISO currency of a site's code.

        Raises:
            Misconfigured: the code is neither in the map nor an ISO code.
        """
        text = (code or "").strip() or self._local_code
        iso = self._to_iso.get(text, text)
        if not _ISO.fullmatch(iso):
            raise Misconfigured(
                f"SYSPRO's currency code {text!r} is not in the pair's currency map",
                code="syspro.unmapped-currency",
                hint="Add the code to the pair's currency map (ISO 4217 on the left), then resume the lane.",
                evidence={"currency": text},
            )
        return iso
