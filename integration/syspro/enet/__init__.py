"""SYSPRO over e.net itself: the REST wrapper that SYSPRO 7 and 8 bring along, with XML in query strings."""

from integration.syspro.enet.client import EnetErp
from integration.syspro.enet.config import EnetConfig

__all__ = ["EnetConfig", "EnetErp"]
