"""A SYSPRO company in memory: one store with SYSPRO's business rules, and the faces that serve it."""

from integration.sandbox.syspro.config import Quirks, Settings, SysproSandboxConfig
from integration.sandbox.syspro.sandbox import SysproSandbox

__all__ = ["Quirks", "Settings", "SysproSandbox", "SysproSandboxConfig"]
