"""Logs and metrics with one vocabulary, and without secrets.

Events are past tense and carry keys, not prose: `log.info("payment.posted", lane=…, attempt=2)`. The metrics'
names and labels are the same words; every metric of the road carries its pair.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from integration.http import Spent

registry = CollectorRegistry()

EVENTS = Counter(
    "opayo_syspro_events_total", "Messages at the door.", ["pair", "source", "outcome"], registry=registry
)
STEPS = Counter(
    "opayo_syspro_steps_total", "Steps taken on the road.", ["pair", "step", "outcome"], registry=registry
)
SWEPT = Counter(
    "opayo_syspro_swept_total",
    "Transactions that the sweeper saw first: known, alone (nobody else told), history, failure, changed.",
    ["pair", "outcome"],
    registry=registry,
)
CALLS = Histogram(
    "opayo_syspro_call_seconds",
    "Calls to other systems.",
    ["system", "method", "outcome"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
    registry=registry,
)
PAYMENTS = Gauge("opayo_syspro_payments", "Payments by state.", ["pair", "state"], registry=registry)
POSTINGS = Gauge(
    "opayo_syspro_postings",
    "Postings by state; ambiguous should be none.",
    ["pair", "state"],
    registry=registry,
)

_SECRET_KEY = re.compile(
    r"(?i)password|secret|authorization|token|session_?key|card_?identifier|security_?key|security_?code|cv2|cavv"
    r"|creq|cres|pareq|pares|signature|crypt|card_?number|api_?key|vault"
)


def observe(spent: Spent) -> None:
    """Count one call to another system."""
    CALLS.labels(spent.system, spent.method, spent.outcome).observe(spent.seconds)


def redactor(hide: Callable[[str], str]) -> structlog.typing.Processor:
    """A log processor that hides secrets by their key, and card data wherever it is.

    Args:
        hide: gives a text back without card data.
    """

    def redact(
        _logger: object, _method: str, event: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        for key, value in list(event.items()):
            if _SECRET_KEY.search(key):
                event[key] = "…"
            elif value is not None and not isinstance(value, int | float):
                event[key] = hide(value if isinstance(value, str) else str(value))
        return event

    return redact


def configure(level: str, style: str, hide: Callable[[str], str], stream: TextIO | None = None) -> None:
    """Set up logging for the process: to the error stream, so that output stays for answers.

    Args:
        hide: gives a text back without card data (`service.core.card_data.mask`).
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    )
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redactor(hide),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=out, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", force=True
    )
    # These log a line per request or per job, with addresses in it.
    for chatty in ("procrastinate", "alembic"):
        logging.getLogger(chatty).setLevel(logging.ERROR if chatty == "procrastinate" else logging.WARNING)
