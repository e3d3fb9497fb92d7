"""The customer accounts of the shop, in memory: both faces read and change them, and so may a person."""

from __future__ import annotations

import datetime as dt

import msgspec

from integration.sandbox.ecommerce.address import Address


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """An account as ``POST /_sandbox/customers`` takes it; ``id`` 0 is the next free number."""

    email: str
    id: int = 0
    first_name: str = ""
    last_name: str = ""
    billing: Address = Address()
    shipping: Address = Address()
    meta: dict[str, str] = {}


class Account(msgspec.Struct):
    """An account with its times, and how often it was written over an interface."""

    id: int
    email: str
    created_at: dt.datetime
    modified_at: dt.datetime
    first_name: str = ""
    last_name: str = ""
    billing: Address = Address()
    shipping: Address = Address()
    meta: dict[str, str] = {}
    writes: int = 0


class EmailTaken(ValueError):
    """Another account has the e-mail address."""


class Accounts:
    """Accounts by number; each e-mail address once, in any case."""

    def __init__(self) -> None:
        self.by_id: dict[int, Account] = {}

    def reset(self) -> None:
        """Forget every account."""
        self.by_id.clear()

    def create(self, new: NewAccount) -> Account:
        """Take an account in.

        Raises:
            EmailTaken: another one has the address.
            ValueError: no address, or a number that is taken.
        """
        if "@" not in new.email:
            raise ValueError("An account needs an e-mail address.")
        if self.of_email(new.email) is not None:
            raise EmailTaken(new.email)
        number = new.id or max(self.by_id, default=0) + 1
        if number in self.by_id:
            raise ValueError(f"There is a customer {number} already.")
        now = dt.datetime.now(dt.UTC)
        members = {name: getattr(new, name) for name in ("first_name", "last_name", "billing", "shipping")}
        account = Account(number, new.email, now, now, **members, meta=dict(new.meta))
        self.by_id[number] = account
        return account

    def of_email(self, email: str) -> Account | None:
        """The account of an e-mail address."""
        wanted = email.casefold()
        return next((each for each in self.by_id.values() if each.email.casefold() == wanted), None)

    def change(self, account: Account, members: dict[str, object]) -> bool:
        """Change the members named; addresses member by member. Whether anything is different.

        Raises:
            EmailTaken: another account has the address.
            msgspec.ValidationError: a member is of the wrong kind.
        """
        before = msgspec.to_builtins(account)
        wanted = dict(before)
        for name in ("email", "first_name", "last_name"):
            wanted[name] = members.get(name, wanted[name])
        for name in ("billing", "shipping", "meta"):
            given = members.get(name)
            wanted[name] = {**before[name], **(given if isinstance(given, dict) else {})}
        changed: Account = msgspec.convert(wanted, Account)
        other = self.of_email(changed.email)
        if other is not None and other is not account:
            raise EmailTaken(changed.email)
        if wanted == before:
            return False
        for name in ("email", "first_name", "last_name", "billing", "shipping", "meta"):
            setattr(account, name, getattr(changed, name))
        account.modified_at = dt.datetime.now(dt.UTC)
        return True
