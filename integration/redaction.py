"""What no error text, evidence or log line may hold: secrets and business data in URLs."""

from __future__ import annotations

import re

_SECRET_QUERY = re.compile(
    r"(?i)\b((?:operator|company)?password|userid|xmlin|xmlparameters|token|signature|secret|key)=[^&\s\"']*"
)
_SECRET_HOST = re.compile(r"//[^/@\s]+@")


def redact(url: str) -> str:
    """A URL, or a text that holds some, without the values of parameters that may be secret or business data."""
    return _SECRET_QUERY.sub(r"\1=…", _SECRET_HOST.sub("//…@", url))
