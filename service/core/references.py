"""Our own references in the ERP: how a payment is found again, whatever happened to the answer.

Two payments must never share one, and the same payment must always get the same: nothing here is random.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode

PO_NUMBER_LENGTH = 30
REFERENCE_LENGTH = 30

_MARKER = "--"
_DIGEST_LENGTH = 20
_PREFIX_LENGTH = PO_NUMBER_LENGTH - len(_MARKER) - _DIGEST_LENGTH
_PLAIN = re.compile(rf"[A-Z0-9-]{{1,{PO_NUMBER_LENGTH}}}")
_OTHER_SIGNS = re.compile(r"[^A-Z0-9]+")
_NOT_HEX = re.compile(r"[^0-9A-F]")


def po_number(vendor_tx_code: str) -> str:
    """The customer's order number in the ERP for a vendor transaction code: `[A-Z0-9-]`, at most 30 characters.

    A code that has this form already stays as it is. Any other one, longer or with small letters or other signs,
    becomes a readable beginning, the marker `--` and 100 bits of its SHA-256: `WEB-2025--7QK…`. A code that
    holds the marker itself is shortened as well, so that no code can look like another one's short form.

    Raises:
        ValueError: the code is empty.
    """
    if not vendor_tx_code:
        raise ValueError("a payment without a vendor transaction code has no reference")
    if _PLAIN.fullmatch(vendor_tx_code) and _MARKER not in vendor_tx_code:
        return vendor_tx_code
    digest = b32encode(hashlib.sha256(vendor_tx_code.encode("utf-8")).digest()).decode("ascii")
    readable = _OTHER_SIGNS.sub("-", vendor_tx_code.upper()).strip("-")[:_PREFIX_LENGTH].rstrip("-")
    return f"{readable}{_MARKER}{digest[:_DIGEST_LENGTH]}"


def hex_reference(transaction_id: str, length: int = REFERENCE_LENGTH) -> str:
    """The first hex digits of a gateway's transaction id, in capitals and without punctuation.

    Raises:
        ValueError: the id has fewer hex digits than that.
    """
    digits = _NOT_HEX.sub("", transaction_id.upper())
    if len(digits) < length:
        raise ValueError(f"a transaction id has at least {length} hex digits, not {len(digits)}")
    return digits[:length]
