"""Who may do what: API keys with the roles viewer, operator and admin, each for one pair or for all.

A key goes in `Authorization: Bearer …` or `X-Api-Key`. A pair that a key is not for does not exist for it: 404.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from service.api.context import Context
from service.core.card_data import mask
from service.store import pairs, users
from service.store.users import Caller

_KEPT_SECONDS = 10.0

AnyConnection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[AnyConnection, BaseRouteHandler], Awaitable[None]]


def _offered(connection: AnyConnection) -> str:
    header = connection.headers.get("authorization", "")
    scheme, _, key = header.partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return connection.headers.get("x-api-key", "").strip()


async def identify(connection: AnyConnection) -> Caller:
    """The caller of a request.

    Raises:
        NotAuthorizedException: there is no key, or none that is known.
    """
    context: Context = connection.app.state.context
    known = context.known.callers
    key = _offered(connection)
    if not key:
        raise NotAuthorizedException("Send an API key in the header `Authorization: Bearer …`.")
    digest = users.digest(key)
    kept = known.get(digest)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    async with context.engine.begin() as database:
        caller = await users.caller(database, key)
        if caller is None:
            known.pop(digest, None)
            raise NotAuthorizedException("The API key is unknown or revoked.")
        await users.used(database, caller.key_id, context.now())
    known[digest] = (time.monotonic() + _KEPT_SECONDS, caller)
    return caller


async def _is_there(context: Context, pair: str) -> bool:
    if pair not in context.known.pairs:
        async with context.engine.connect() as database:
            context.known.pairs.update(await pairs.names(database))
    return pair in context.known.pairs


def needs(role: str) -> Guard:
    """A guard that lets in callers with at least a role, and only for a pair of theirs that exists.

    A route with `opt={"makes_pair": True}` may name a pair that does not exist yet.
    """

    async def guard(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        caller = await identify(connection)
        pair = connection.path_params.get("pair")
        if isinstance(pair, str):
            context: Context = connection.app.state.context
            there = handler.opt.get("makes_pair") or await _is_there(context, pair)
            if not there or not caller.sees(pair):
                raise NotFoundException(f"There is no pair `{mask(pair)}`.")
        if not caller.may(role):
            raise PermissionDeniedException(f"This needs the role {role}; the key's role is {caller.role}.")
        connection.state.caller = caller

    return guard


def provide_caller(request: AnyConnection) -> Caller:
    """The caller that the guard let in, for handlers that ask for `caller`."""
    caller: Caller = request.state.caller
    return caller
