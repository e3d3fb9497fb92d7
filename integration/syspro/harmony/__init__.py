"""SYSPRO over JSON: the façade `/api/harmony/2.0` that a site puts in front of its business objects."""

from integration.syspro.harmony.client import HarmonyErp

__all__ = ["HarmonyErp"]
