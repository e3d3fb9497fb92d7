"""What no error text, evidence or log line may hold: secrets and business data in URLs."""

from __future__ import annotations

import logging
import re

_SECRET_QUERY = re.compile(
    r"(?i)\b((?:operator|company)?password|userid|xmlin|xmlparameters|token|signature|secret|key)=[^&\s\"']*"
)
_SECRET_HOST = re.compile(r"//[^/@\s]+@")


def redact(url: str) -> str:
    """A URL, or a text that holds some, without the values of parameters that may be secret or business data."""
    return _SECRET_QUERY.sub(r"\1=…", _SECRET_HOST.sub("//…@", url))


class RedactedUrls(logging.Filter):
    """Rewrites every URL of a library's log records: e.net carries passwords and documents in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, redacted."""
        record.msg = redact(record.getMessage())
        record.args = ()
        return True
