"""A stand-in for Opayo: Pi REST, the Server protocol, Reporting & Admin, and a labelled JSON webhook.

The webhook, the ``/_sandbox`` paths and the trigger words are ours; everything else follows the published
wire formats. Card numbers other than the published test cards are refused, and none is kept.
"""

from __future__ import annotations

from integration.sandbox.opayo.app import OpayoSandbox
from integration.sandbox.opayo.config import OpayoSandboxConfig

__all__ = ["OpayoSandbox", "OpayoSandboxConfig"]
