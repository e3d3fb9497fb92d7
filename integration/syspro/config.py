"""What a SYSPRO transport must know to reach one company as one operator."""

from __future__ import annotations

from integration.syspro.site import SiteConfig


class SysproConfig(SiteConfig, frozen=True, kw_only=True):
    """One operator's way into one SYSPRO company. Business defaults are not here: the mapping gives them.

    Attributes:
        base_url: the transport's whole base (`https://erp.example/api/harmony/2.0`).
        operator: an operator of the service's own, since a second logon ends the first.
        company_password: often blank; not the operator's.
        query_timeout, post_timeout, logon_timeout: seconds to wait for an answer.
        in_flight: calls at once in the session.
    """

    base_url: str
    operator: str
    operator_password: str
    company_id: str
    company_password: str = ""
    query_timeout: float = 15.0
    post_timeout: float = 120.0
    logon_timeout: float = 30.0
    in_flight: int = 4

    def __repr__(self) -> str:
        return f"SysproConfig(base_url={self.base_url!r}, operator={self.operator!r}, company_id={self.company_id!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("base_url", self.base_url), ("operator", self.operator), ("company_id", self.company_id)]
