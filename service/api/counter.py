"""The counter of the v3 routes: the till of the caller's pair, and what a repeated call is known by."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from litestar import Request
from litestar.exceptions import NotFoundException
from litestar.params import HeaderParameter
from msgspec import Struct

from service.api.access import identify
from service.api.context import AppContext, Context
from service.api.door import minted_from
from service.api.problems import Refused
from service.flow.intents import Till
from service.store.users import Caller

AnyRequest = Request[Any, Any, Any]
PairHeader = Annotated[
    str, HeaderParameter(name="X-Pair", description="The pair; needed with a key for every pair only.")
]
KeyHeader = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        description="A POST with the same key and body is done once, and answered again.",
    ),
]
# Seconds before each look-up after a lost answer.
_PAUSES = (0.0, 0.5, 1.5)


class Counter(Struct, frozen=True, kw_only=True):
    """Where a request is served: the till of its pair, who asks, and what a repeated call is known by."""

    context: Context
    till: Till
    caller: Caller
    seed: str

    def code(self, given: str | None) -> str:
        """The vendor transaction code: the caller's, or one that a repeated call gets again."""
        return given or f"OS-{self.seed or secrets.token_hex(12)}"


async def provide_counter(
    request: AnyRequest, context: AppContext, x_pair: PairHeader = "", idempotency_key: KeyHeader = ""
) -> Counter:
    """The counter of the caller's pair, for handlers that ask for `counter`."""
    caller = await identify(request)
    pair = x_pair or caller.pair
    if not pair:
        raise Refused(
            400,
            "pair.not-named",
            "The key is for every pair, and the request names none",
            hint="Send `X-Pair`, or use a key for one pair.",
        )
    if not caller.sees(pair):
        raise NotFoundException(f"There is no pair `{pair}`.")
    _, connections = await context.connections(pair)
    pauses = tuple(pause / context.settings.pace for pause in _PAUSES)
    till = Till(engine=context.engine, gateway=connections.gateway, pair=pair, pauses=pauses)
    seed = minted_from(idempotency_key, f"{caller.key_id} {pair} {request.url.path}")
    return Counter(context=context, till=till, caller=caller, seed=seed)
