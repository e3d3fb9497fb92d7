"""Operators that somebody else works as too: noted by the sessions that were ended, told as alerts.

SYSPRO ends an operator's session when the same operator logs on again, so each such session costs a posting its turn.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncEngine

from service.store import alerts
from service.store.alerts import Alert

_TODO = (
    "Somebody else logs on to SYSPRO as this operator: a person, another program, or `opayo-syspro doctor`. Give the"
    " service an operator of its own, change its password, and acknowledge this alert. Postings are tried again."
)


def subject_of(operator: str) -> str:
    """What an alert about an operator is about."""
    return f"operator {operator}"


class Evictions:
    """Counts, for each pair and operator of this process, how often it was thrown out of a fresh session.

    Attributes:
        code: of the alerts.
    """

    code: ClassVar[str] = "syspro.evicted"

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()
        self._untold: Counter[tuple[str, str]] = Counter()

    def note(self, pair: str, operator: str) -> None:
        """Somebody's logon ended the operator's session, and ended the next one too before a call could begin."""
        self._counted[pair, operator] += 1
        self._untold[pair, operator] += 1

    async def report(self, engine: AsyncEngine) -> None:
        """Raise an alert for each operator that was thrown out since the last report."""
        untold, self._untold = self._untold, Counter()
        if not untold:
            return
        try:
            async with engine.begin() as connection:
                await alerts.raise_all(connection, [self._alert(*whose) for whose in untold.elements()])
        except BaseException:
            self._untold += untold
            raise

    def _alert(self, pair: str, operator: str) -> Alert:
        times = self._counted[pair, operator]
        title = (
            f"SYSPRO operator {operator} was thrown out of its session {times} times since the service started"
            if times > 1
            else f"SYSPRO operator {operator} was thrown out of its session"
        )
        return Alert(
            pair=pair,
            code=self.code,
            subject=subject_of(operator),
            title=title,
            error={
                "code": self.code,
                "title": title,
                "hint": _TODO,
                "retried": True,
                "evidence": {"operator": operator, "evictions": times},
            },
        )
