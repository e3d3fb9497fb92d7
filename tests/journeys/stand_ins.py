"""The stand-ins of Opayo, SYSPRO and the shop in a process of their own, for tests whose own process dies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stand_ins() -> Iterator[dict[str, Any]]:
    """The stand-ins in a process of their own, SYSPRO without an idempotency store."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "sandbox", "--json", "--no-idempotency"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
