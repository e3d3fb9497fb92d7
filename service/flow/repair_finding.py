"""What could put a failed payment right: rules of people, what SYSPRO knows, what was learnt."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from integration.errors import IntegrationError
from service.core import repair_kinds as kinds
from service.core.expressions import BadCondition, Fact, compile_condition
from service.core.flow_steps import VARIABLES
from service.core.overrides import steps_of, value_at
from service.core.repair_kinds import Fault, Match
from service.core.repairs import Change, Proposal
from service.core.source_document import Json
from service.flow.amend import places_of, traced_of
from service.flow.facts import facts_of
from service.flow.field_help import dictionary_of
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import fix_rules, repairs
from service.store.fix_rules import KeptRule
from service.store.payments import Payment

JsonObject = dict[str, object]

RULE_VARIABLES = frozenset(VARIABLES) | {"value"}
"""What a rule's condition may read: the facts of flows, and the value at the rule's field."""

_UNFIT = "mapping.unmapped-field"
_UNFINDABLE = "syspro.unfindable-reference"


class Found(Struct, frozen=True, kw_only=True):
    """A proposal, and the rule it comes from, if it does."""

    proposal: Proposal
    rule: str = ""
    version: int = 0


async def proposals(trip: Trip, stage: Stage) -> list[Found]:
    """Everything that could put the payment's error right; a person's rules first."""
    payment = trip.payment
    code = str((payment.error or {}).get("code", ""))
    async with stage.reads.connect() as connection:
        rules = await fix_rules.of_code(connection, payment.pair, code)
    found = [
        Found(proposal=each, rule=rule.rule, version=rule.version)
        for rule in rules
        if (each := by_rule(rule, payment, stage))
    ]
    return found + [Found(proposal=each) for each in await _of_classes(trip, stage, code)]


async def _of_classes(trip: Trip, stage: Stage, code: str) -> Sequence[Proposal]:
    places = places_of(trip.payment)
    match code:
        case "mapping.unmapped-field" | "syspro.unfindable-reference":
            faults = _faults(trip.payment, code)
            made = [kinds.address(faults, places), kinds.reference(faults, places)]
            made.append(kinds.currency_alias(places, trip.payment.currency))
        case "posting.currency-differs":
            made = [kinds.currency_alias(places, trip.payment.currency)]
        case "syspro.unknown-customer":
            made = [await _customer(trip, stage, places)]
        case "syspro.unknown-stock-code":
            made = [await _stock(stage, places)]
        case "syspro.period-closed":
            made = [_period(trip.payment, stage, places)]
        case _:
            made = []
    return [each for each in made if each is not None]


# --- rules ----------------------------------------------------------------------------------------


def by_rule(rule: KeptRule, payment: Payment, stage: Stage) -> Proposal | None:
    """What a rule would change on a payment, or nothing when it does not fit."""
    places = places_of(payment)
    changes = tuple(
        Change(path=path, before=value, after=rule.after)
        for path in _paths(rule.field, places)
        if (value := value_at(places, steps_of(path))) != rule.after and _fits(rule, value, payment, stage)
    )
    if not changes:
        return None
    reason = f"Rule {rule.rule}, version {rule.version}, kept from a correction"
    return Proposal(repair="rule", changes=changes, reason=reason)


def _paths(field: str, places: dict[str, Json]) -> list[str]:
    head, mark, tail = field.partition("[]")
    if not mark:
        return [field]
    items = value_at(places, steps_of(head))
    return [f"{head}[{index}]{tail}" for index in range(len(items) if isinstance(items, list) else 0)]


def _fits(rule: KeptRule, value: Json, payment: Payment, stage: Stage) -> bool:
    if not rule.condition:
        return value == rule.before
    facts: dict[str, Fact] = dict(facts_of(payment, stage.clock(), stage.pair.time_zone))
    facts["value"] = value if isinstance(value, (str, int)) else ""
    try:
        return compile_condition(rule.condition, RULE_VARIABLES).holds(facts)
    except BadCondition:
        return False


# --- classes --------------------------------------------------------------------------------------


def _faults(payment: Payment, code: str) -> list[Fault]:
    """Fields that did not fit; where it is the reference that SYSPRO could not find again, all text fields."""
    found = []
    for kind, fields in traced_of(payment).items():
        for field in fields:
            target = str(field["target"])
            known = dictionary_of(kind).field(target)
            if known is not None and (field["outcome"] == "failed" or code == _UNFINDABLE):
                length = known.length if known.type == "text" else 0
                found.append(Fault(document=kind, target=target, value=field.get("value"), length=length))
    return found


async def _customer(trip: Trip, stage: Stage, places: dict[str, Json]) -> Proposal | None:
    if stage.erp is None:
        return None
    found: dict[str, str] = {}
    for spelling in kinds.customer_spellings(trip.payment.customer):
        customer = await stage.session.customer(spelling)
        if customer is not None:
            found.setdefault(customer.customer.lstrip("0").upper(), spelling)
    return kinds.customer_code(places, list(found.values()))


async def _stock(stage: Stage, places: dict[str, Json]) -> Proposal | None:
    lines = value_at(places, ("order", "lines"))
    wanted = {
        str(line.get("stock_code"))
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, dict) and line.get("kind") == "stock" and line.get("stock_code")
    }
    if stage.erp is None or not wanted:
        return None
    async with stage.reads.connect() as connection:
        learnt = await repairs.aliases(connection, stage.lane.pair)
        known = await repairs.stock_codes(connection, stage.lane.pair)
    matches: dict[str, Match] = {}
    for code in sorted(wanted):
        if not await _in_stock(stage, code) and (match := await _meant(stage, code, learnt, known)):
            matches[code] = match
    return kinds.stock_codes(places, matches)


async def _meant(stage: Stage, code: str, learnt: dict[str, str], known: set[str]) -> Match | None:
    if code not in learnt:
        spellings = [each for each in kinds.stock_spellings(code) if await _in_stock(stage, each)]
        if len(spellings) == 1:
            return Match(stock_code=spellings[0], score=100, why="the same but for signs and case")
    match = kinds.closest(code, learnt, known)
    return match if match is not None and await _in_stock(stage, match.stock_code) else None


async def _in_stock(stage: Stage, code: str) -> bool:
    try:
        item = await stage.memo.get("stock", code, lambda: stage.session.stock_item(code))
    except IntegrationError:
        return False
    return item is not None and not item.on_hold


def _period(payment: Payment, stage: Stage, places: dict[str, Json]) -> Proposal | None:
    begun = {posting.kind for posting in payment.postings if posting.state not in ("prepared", "refused")}
    open_kinds = (kinds.RELATIVE_PERIOD & payment.mapped.keys()) - begun
    return kinds.closed_period(places, open_kinds, stage.pair.syspro.posting_period)
