"""Where one vendor's Opayo lives, and how we prove to be that vendor."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from integration.errors import Misconfigured

_VENDOR = re.compile(r"[A-Za-z0-9]{1,15}")


class OpayoConfig(Struct, frozen=True, kw_only=True):
    """One vendor's addresses and credentials; its text form shows no secret.

    Attributes:
        vendor: the vendor name, at most 15 letters and digits.
        pi_url: base of the Pi REST API, ending in `/api/v1`.
        reporting_url: the Reporting & Admin API, ending in `/access/access.htm`.
        service_url: base of the classic protocols, ending in `/gateway/service`.
        reporting_algorithm: the digest that signs Reporting requests.
        timeout: seconds to wait for calls that may move money.
        read_timeout: seconds to wait for everything else.
        slots: calls in flight per address.

    Raises:
        Misconfigured: an address or the vendor name cannot be right.
    """

    vendor: str
    integration_key: str
    integration_password: str
    pi_url: str
    reporting_url: str
    service_url: str
    reporting_user: str
    reporting_password: str
    reporting_algorithm: Literal["md5", "sha256"] = "md5"
    timeout: float = 60.0
    read_timeout: float = 30.0
    slots: int = 16

    def __post_init__(self) -> None:
        if not _VENDOR.fullmatch(self.vendor):
            raise Misconfigured(
                f"{self.vendor!r} is not an Opayo vendor name: at most 15 letters and digits",
                code="opayo.vendor-name",
            )
        for url in (self.pi_url, self.reporting_url, self.service_url):
            _check_address(url)
        if not self.pi_url.rstrip("/").endswith("/api/v1"):
            raise Misconfigured(
                f"The Pi address {self.pi_url} does not end in /api/v1, Opayo's only REST version",
                code="opayo.address",
            )

    def __repr__(self) -> str:
        return f"OpayoConfig(vendor={self.vendor!r}, pi_url={self.pi_url!r}, …)"


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(f"{url!r} is not an http(s) address", code="opayo.address")
    if parts.hostname.endswith(".sagepay.com"):
        raise Misconfigured(
            f"{parts.hostname} was switched off in 2024",
            code="opayo.address",
            hint="Use live.opayo.eu.elavon.com or sandbox.opayo.eu.elavon.com.",
        )
