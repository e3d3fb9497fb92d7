"""Dead letters: what cannot move until a person has looked. Correct them, and send them round again."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import Router, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from integration.errors import IntegrationError
from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.desk import desk
from service.api.parameters import PAGE, Filter, JsonObject, NoteText, Page, PairName, read
from service.core.lifecycle import IllegalMove
from service.flow import replay
from service.flow.correct import Corrected, Correction, correct
from service.flow.desk import Desk
from service.flow.repair_desk import keep_as_rule, rules_of
from service.flow.replay import Way
from service.store import dead_letters
from service.store.dead_letters import Filters
from service.store.users import Caller

_MOST_AT_ONCE = 1000


class Letter(Struct, frozen=True, kw_only=True):
    """An open dead letter: of a payment, or of a message that never became one (then `inbox_id` is set).

    Attributes:
        ambiguous: an answer of SYSPRO's was lost; a replay looks for our reference before anything is sent.
    """

    dead_letter_id: int
    payment_id: int | None
    inbox_id: int | None
    step: str
    code: str
    error: JsonObject
    opened_at: datetime
    vendor_tx_code: str | None
    transaction_id: str | None
    amount_minor: int | None
    currency: str | None
    state: str | None
    ambiguous: bool | None = None


class LetterPage(Struct, frozen=True, kw_only=True):
    """A page of dead letters, newest first."""

    items: list[Letter]
    next_cursor: int | None


class Edit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields to correct, all or none of them.

    Attributes:
        keep_as_rule: do the same for the next payment with this error; needs a note. No rule changes money.
        condition: when the rule applies, in CEL over the facts of flows and `value`; empty: to the same value exactly.
    """

    corrections: list[Correction]
    note: NoteText = ""
    keep_as_rule: bool = False
    condition: str = ""


class Edited(Struct, frozen=True, kw_only=True):
    """What was corrected, and the rules it was kept as; replay the payment to see it go."""

    corrected: list[Corrected]
    rules: list[str] = []


class Replay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to replay.

    Attributes:
        from_step: a step or node; `start` reads Opayo and the shop anew; empty is where it stopped.
        flow_version: a version of its flow; empty is the live one.
        same_version: the version it walks already.
    """

    from_step: str = ""
    flow_version: int | None = None
    same_version: bool = False
    note: NoteText = ""


class Replayed(Struct, frozen=True, kw_only=True):
    """Where what was replayed is now; a message has no payment yet."""

    dead_letter_id: int
    payment_id: int | None
    inbox_id: int | None
    state: str


class BulkReplay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters to replay; what is left out does not matter. With `dry_run` they are only counted."""

    code: str = ""
    step: str = ""
    currency: str = ""
    kind: str = ""
    flow: str = ""
    customer: str = ""
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    from_step: str = ""
    flow_version: int | None = None
    same_version: bool = False
    dry_run: bool = False
    note: NoteText = ""


class NotReplayed(Struct, frozen=True, kw_only=True):
    """A dead letter that stays, and why."""

    dead_letter_id: int
    code: str
    title: str


class BulkReplayed(Struct, frozen=True, kw_only=True):
    """How many matched, how many were sent round again, and which were not."""

    matched: int
    replayed: int
    dry_run: bool
    refused: list[NotReplayed]


def provide_causes(code: Filter = "", step: Filter = "", currency: Filter = "", kind: Filter = "") -> Filters:
    """The filters by cause, currency and kind of transaction."""
    return Filters(code=code, step=step, currency=currency, kind=kind)


@get(
    "/dead-letters",
    guards=[needs("viewer")],
    dependencies={**PAGE, "causes": Provide(provide_causes, sync_to_thread=False)},
    summary="List dead letters",
)
async def list_letters(
    pair: PairName, context: AppContext, page: NamedDependency[Page], causes: NamedDependency[Filters]
) -> LetterPage:
    """Open dead letters of a pair, newest first, each with its cause and next step."""
    async with context.engine.connect() as connection:
        rows = await dead_letters.listed(connection, pair, causes, before=page.cursor, limit=page.limit)
    items = [read(row, Letter) for row in rows]
    return LetterPage(items=items, next_cursor=page.next_cursor([each.dead_letter_id for each in items]))


@get("/dead-letters/{dead_letter_id:int}", guards=[needs("viewer")], summary="Show a dead letter")
async def show_letter(pair: PairName, dead_letter_id: FromPath[int], context: AppContext) -> Letter:
    """One open dead letter; the payment's own page has all the rest."""
    return await _letter(context, pair, dead_letter_id)


@patch("/dead-letters/{dead_letter_id:int}", guards=[needs("operator")], summary="Correct a dead letter")
async def edit_letter(
    pair: PairName,
    dead_letter_id: FromPath[int],
    data: JSONBody[Edit],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Edited:
    """Correct the payment's order or customer. Before and after are in the audit trail; replay it then."""
    letter = await _letter(context, pair, dead_letter_id)
    if letter.payment_id is None:
        raise NotFoundException("A message that never became a payment has nothing to correct; replay it.")
    async with desk(context, pair, caller, data.note) as at:
        corrected = await correct(at, letter.payment_id, data.corrections)
        rules = []
        if data.keep_as_rule:
            made = [(each.path, msgspec.to_builtins(each.before), each.after) for each in corrected]
            kept = [await keep_as_rule(at, rule) for rule in rules_of(letter.code, made, data.condition)]
            rules = [name for name, _ in kept]
        return Edited(corrected=corrected, rules=rules)


@post(
    "/dead-letters/{dead_letter_id:int}/replay",
    status_code=200,
    guards=[needs("operator")],
    summary="Replay a dead letter",
)
async def replay_letter(
    pair: PairName,
    dead_letter_id: FromPath[int],
    data: JSONBody[Replay],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Replayed:
    """Send a payment round again from a step of your choice, or take its message again."""
    letter = await _letter(context, pair, dead_letter_id)
    context.stages.forget(pair)
    async with desk(context, pair, caller, data.note) as at:
        return await _replay(at, letter, _way(data))


@post("/dead-letters/replay", status_code=200, guards=[needs("operator")], summary="Replay many dead letters")
async def replay_letters(
    pair: PairName, data: JSONBody[BulkReplay], context: AppContext, caller: NamedDependency[Caller]
) -> BulkReplayed:
    """Replay every dead letter of a cause or filter, up to 1000 at a time; one that cannot go does not stop the others."""
    causes = Filters(**{name: getattr(data, name) for name in Filters.__struct_fields__})
    async with context.engine.connect() as connection:
        matched = await dead_letters.matching(connection, pair, causes)
        rows = await dead_letters.listed(connection, pair, causes, limit=_MOST_AT_ONCE)
    letters = [read(row, Letter) for row in rows]
    refused: list[NotReplayed] = []
    way = _way(data)
    context.stages.forget(pair)
    for letter in [] if data.dry_run else letters:
        try:
            async with desk(context, pair, caller, data.note) as at:
                await _replay(at, letter, way)
        except (IntegrationError, IllegalMove) as error:
            refused.append(_why(letter, error))
    replayed = 0 if data.dry_run else len(letters) - len(refused)
    return BulkReplayed(matched=matched, replayed=replayed, dry_run=data.dry_run, refused=refused)


def _way(data: Replay | BulkReplay) -> Way:
    return Way(from_step=data.from_step, flow_version=data.flow_version, same_version=data.same_version)


async def _letter(context: Context, pair: str, dead_letter_id: int) -> Letter:
    async with context.engine.connect() as connection:
        row = await dead_letters.one(connection, pair, dead_letter_id)
    if row is None:
        raise NotFoundException(f"Pair `{pair}` has no open dead letter {dead_letter_id}.")
    return read(row, Letter)


async def _replay(at: Desk, letter: Letter, way: Way) -> Replayed:
    if letter.payment_id is None:
        await replay.replay_message(at, letter.inbox_id or 0)
        state = "received"
    else:
        state = (await replay.replay(at, letter.payment_id, way)).state
    return Replayed(
        dead_letter_id=letter.dead_letter_id,
        payment_id=letter.payment_id,
        inbox_id=letter.inbox_id,
        state=state,
    )


def _why(letter: Letter, error: IntegrationError | IllegalMove) -> NotReplayed:
    code = error.error_code if isinstance(error, IntegrationError) else "payment.illegal-move"
    title = error.title if isinstance(error, IntegrationError) else str(error)
    return NotReplayed(dead_letter_id=letter.dead_letter_id, code=code, title=title)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_letters, show_letter, edit_letter, replay_letter, replay_letters],
    tags=["Dead letters"],
)
