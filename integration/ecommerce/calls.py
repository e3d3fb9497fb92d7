"""Calls to a shop: what its refusals mean, and reads that are made twice."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from integration.errors import (
    AlreadyPosted,
    IntegrationError,
    Misconfigured,
    NotFound,
    Rejected,
    Unreachable,
)
from integration.http import Answer, Call, HttpClient

T = TypeVar("T")

_PAUSE = 0.05


class _Refusal(Struct):
    """WooCommerce's error body; the generic storefront nests the same under `error`."""

    code: str = ""
    message: str = ""
    error: _Refusal | None = None


class Account(Struct, frozen=True, kw_only=True):
    """Which customer account is written; `path` is that of all of them."""

    path: str
    reference: str
    new: bool


class ShopApi:
    """Authenticated calls to one shop.

    Args:
        http: the shop's client.
        authorization: the header's value.
    """

    def __init__(self, http: HttpClient, authorization: str) -> None:
        self._http = http
        self._headers = {"authorization": authorization}

    async def read(self, path: str, kind: type[T], *, about: str, params: dict[str, str] | None = None) -> T:
        """Read JSON, once more at once after `Unreachable`.

        Raises:
            NotFound: there is no such record.
            Misconfigured: address or credentials are wrong.
            Rejected, Unreachable, Throttled: the shop refuses, or gives no usable answer.
        """
        call = Call(method="GET", path=path, params=params or {}, headers=self._headers, about=about)
        try:
            return (await self._accepted(call)).decode(kind)
        except Unreachable:
            await asyncio.sleep(_PAUSE)
            return (await self._accepted(call)).decode(kind)

    async def write(self, method: str, path: str, body: object, *, about: str) -> Answer:
        """Write JSON, once; errors as for `read`, and `OutcomeUnknown` for a lost answer."""
        return await self._accepted(
            Call(
                method=method,
                path=path,
                headers=self._headers,
                body=msgspec.json.encode(body),
                write=True,
                about=about,
            )
        )

    async def write_account(self, account: Account, body: object, exists: Collection[str]) -> Answer:
        """Make a customer account, or write one; errors as for `write`.

        Args:
            exists: the codes by which this shop says that an e-mail address has an account.

        Raises:
            AlreadyPosted: the shop has an account of this e-mail address.
        """
        path = account.path if account.new else f"{account.path}/{quote(account.reference, safe='')}"
        about = "a new customer" if account.new else f"customer {account.reference}"
        try:
            return await self.write("POST" if account.new else "PUT", path, body, about=about)
        except Rejected as error:
            if error.evidence.get("shop_code") in exists:
                raise AlreadyPosted(
                    "The shop has an account of this e-mail address already",
                    reference=account.reference,
                    code="shop.customer-exists",
                ) from error
            raise

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()

    async def _accepted(self, call: Call) -> Answer:
        answer = await self._http.send(call)
        if error := _refused(answer):
            raise error
        return answer


def _refused(answer: Answer) -> IntegrationError | None:
    if answer.status < 300:
        return None
    if error := answer.failure():
        return error
    if answer.status in (401, 403):
        return Misconfigured(
            f"The shop refuses our credentials (HTTP {answer.status})",
            code="shop.credentials",
            hint="Create a key with read and write rights in the shop and enter it for this pair.",
        )
    if answer.status < 400 or "json" not in answer.headers.get("content-type", ""):
        return _wrong_address(answer)
    try:
        told = msgspec.json.decode(answer.body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return answer.lost(f"its error makes no sense (HTTP {answer.status})")
    told = told.error or told
    if told.code in ("rest_no_route", "no_route"):
        return _wrong_address(answer)
    about = answer.call.about
    if answer.status == 404:
        return NotFound(f"The shop does not know {about}", code="shop.not-found")
    return Rejected(
        f"The shop refused {about}: {told.message or 'no reason given'}",
        code="shop.refused",
        evidence={"http_status": answer.status, "shop_code": told.code},
    )


def _wrong_address(answer: Answer) -> Misconfigured:
    return Misconfigured(
        f"{answer.call.path} got HTTP {answer.status} from something that is not the shop's API",
        code="shop.address",
        hint="Check the shop's address of this pair.",
    )
