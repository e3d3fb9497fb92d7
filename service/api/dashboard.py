"""One pair at a glance: how many payments are where, how much money, what needs a person."""

from __future__ import annotations

from litestar import Router, get
from msgspec import Struct

from service.api.access import needs
from service.api.context import AppContext
from service.api.parameters import PairName
from service.store import audit, dead_letters, inbox, payment_views

JsonObject = dict[str, object]


class Summary(Struct, frozen=True, kw_only=True):
    """The state of a pair.

    Attributes:
        states: payments by state; `awaiting_capture` are those whose money Opayo has not taken yet.
        by_currency: minor units by state, by currency.
        dead_letters: open ones by cause, payments and messages together.
        ambiguous: postings whose outcome is not known; the target is zero.
        duplicates_ignored: deliveries of a message beyond its first.
        retries: attempts that failed and were made again.
        open_inbox: messages not yet ingested.
    """

    pair: str
    states: dict[str, int]
    by_currency: dict[str, dict[str, int]]
    dead_letters: dict[str, int]
    postings: dict[str, int]
    ambiguous: int
    duplicates_ignored: int
    retries: int
    open_inbox: int


@get("/api/v1/pairs/{pair:str}/summary", guards=[needs("viewer")], summary="Show a pair at a glance")
async def summary(pair: PairName, context: AppContext) -> Summary:
    """Counts and sums of a pair, as they are now."""
    async with context.engine.connect() as connection:
        totals = await payment_views.totals(connection, pair)
        postings = await payment_views.posting_counts(connection, pair)
        messages = await inbox.counts(connection, pair)
        letters = await dead_letters.by_code(connection, pair)
        retries = await audit.counts(connection, pair, "payment.retried")
    states: dict[str, int] = {}
    by_currency: dict[str, dict[str, int]] = {}
    for row in totals:
        state, currency = str(row["state"]), str(row["currency"])
        states[state] = states.get(state, 0) + int(str(row["payments"]))
        by_currency.setdefault(currency, {})[state] = int(str(row["minor"]))
    return Summary(
        pair=pair,
        states=states,
        by_currency=by_currency,
        dead_letters=letters,
        postings=postings,
        ambiguous=postings.get("ambiguous", 0) + postings.get("sent", 0),
        duplicates_ignored=messages["duplicates"],
        retries=retries,
        open_inbox=messages["open"],
    )


router = Router(path="", route_handlers=[summary], tags=["Dashboard"])
