"""The keyed checksums of the classic protocols: VPSSignature and Reporting's signature."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_BEFORE_KEY = ("VPSTxId", "VendorTxCode", "Status", "TxAuthNo")
_AFTER_KEY = (
    "AddressResult",
    "PostCodeResult",
    "CV2Result",
    "GiftAid",
    "3DSecureStatus",
    "CAVV",
    "AddressStatus",
    "PayerStatus",
    "CardType",
    "Last4Digits",
    "DeclineCode",
    "ExpiryDate",
    "FraudResponse",
    "BankAuthCode",
    "ACSTransID",
    "DSTransID",
    "SchemeTraceID",
)


def vps_signature(fields: Mapping[str, str], vendor: str, security_key: str) -> str:
    """Upper-case MD5 of a notification in protocol 4.00's order; absent fields count as empty."""
    parts = [fields.get(name, "") for name in _BEFORE_KEY]
    parts += [vendor.lower(), fields.get("AVSCV2", ""), security_key]
    parts += [fields.get(name, "") for name in _AFTER_KEY]
    text = "".join(parts).encode("iso-8859-1", "replace")
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


def reporting_signature(signed: str, password: str) -> str:
    """Hex digest of the elements exactly as sent, then the password element.

    SHA-256 when the elements say ``<algorithm>sha256</algorithm>``, MD5 else.
    """
    text = f"{signed}<password>{password}</password>".encode()
    if re.search("<algorithm>sha256</algorithm>$", signed, re.IGNORECASE):
        return hashlib.sha256(text).hexdigest()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()
