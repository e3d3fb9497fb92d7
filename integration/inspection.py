"""What `doctor` asks of an ERP beside its port: is everything there that a posting will need?

Nothing here changes the ERP's books; a rehearsal is validated there and not posted.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from integration.canonical.documents import ErpDocument


class Seats(Struct, frozen=True, kw_only=True):
    """Licence seats of the ERP: how many there are, and how many are taken, ours included."""

    licensed: int
    taken: int


class BankAccount(Struct, frozen=True, kw_only=True):
    """A bank of the ERP's cash book; `ledger_code` is the account that its money moves on."""

    bank: str
    description: str = ""
    ledger_code: str = ""


class ErpInspection(Protocol):
    """One operator's look around. Methods raise errors of `integration.errors` as those of the port do."""

    @property
    def sessions_lost(self) -> int:
        """How often our session was ended under us since it was first opened."""
        ...

    async def seats(self) -> Seats | None:
        """Licence seats, or `None` where the ERP does not tell them."""
        ...

    async def barred(self) -> tuple[str, ...]:
        """The business objects, of those we post and read with, that the operator may not use."""
        ...

    async def bank(self, code: str) -> BankAccount | None:
        """A bank, or `None`."""
        ...

    async def check_account(self, ledger_code: str) -> str:
        """The description of a ledger account that may be posted to.

        Raises:
            Rejected: there is no such account, or it is on hold.
        """
        ...

    async def rehearse(self, document: ErpDocument) -> None:
        """Have a document validated and not posted; raises what posting it would."""
        ...
