"""What a SYSPRO transport must know to reach one company as one operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from integration.syspro.classify import DEFAULT_RULES, Rule


class SysproConfig(Struct, frozen=True, kw_only=True):
    """One operator's way into one SYSPRO company. Business defaults are not here: the mapping gives them.

    Attributes:
        base_url: the transport's whole base (`https://erp.example/api/harmony/2.0`).
        operator: an operator of the service's own, since a second logon ends the first.
        company_password: often blank; not the operator's.
        query_timeout, post_timeout, logon_timeout: seconds to wait for an answer.
        in_flight: calls at once in the session.
        currency_map: ISO 4217 to the site's own code where they differ (`{"GBP": "$"}`).
        entry_amount_sign: +1 where a positive `EntryAmount` debits, −1 should a site prove otherwise.
        posting_period: the relative AR period: current, previous, or the one before.
        accept_orders_if_no_credit: take orders past the credit limit; a decision of the site's finance.
        rate_side: which of SYSPRO's two rates is the book rate.
        look_again_after: seconds before each look for an order whose number was not returned.
        read_again_after: seconds before a read whose answer was lost is made again, once for each.
        rules: how SYSPRO's errors are classified; the first match wins.
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
    currency_map: Mapping[str, str] = {}
    entry_amount_sign: Literal[1, -1] = 1
    posting_period: Literal["C", "P", "B"] = "C"
    accept_orders_if_no_credit: bool = False
    rate_side: Literal["buy", "sell"] = "sell"
    look_again_after: tuple[float, ...] = (0.0, 0.5, 2.0)
    read_again_after: tuple[float, ...] = (0.05, 0.25)
    rules: tuple[Rule, ...] = DEFAULT_RULES

    def __repr__(self) -> str:
        return f"SysproConfig(base_url={self.base_url!r}, operator={self.operator!r}, company_id={self.company_id!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("base_url", self.base_url), ("operator", self.operator), ("company_id", self.company_id)]
