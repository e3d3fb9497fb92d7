"""The road: walks payments over their flows, a batch at a time.

One round takes each moving payment of the batch over the node it stands on. What a round did is written down, in one
transaction that the lane's fence guards, before anything is sent to another system, after anything was sent, and when
a payment leaves the lane, waits or rests; steps between these moments only read and decide, and would decide the same
again. Nothing else moves a payment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

import structlog

from service.core.flows import FlowDocument, next_node
from service.core.lifecycle import PaymentState
from service.flow.aggregate import aggregate
from service.flow.confirm import confirm
from service.flow.facts import facts_of
from service.flow.look_up import look_up
from service.flow.map import map_documents
from service.flow.post import post
from service.flow.recovery import NOT_THE_PAYMENTS, failed
from service.flow.repair import repair
from service.flow.screen import remember, screen
from service.flow.stage import Stage
from service.flow.tell import tell
from service.flow.trip import FINAL, Trip
from service.flow.validate import validate
from service.flow.wait import wait
from service.store import alerts, audit, bell, dead_letters, lanes, payments, repairs
from service.telemetry import STEPS

log = structlog.get_logger()

StepFunction = Callable[[Sequence[Trip], Stage], Awaitable[None]]

STEPS_BY_NAME: dict[str, StepFunction] = {
    "aggregate": aggregate,
    "validate": validate,
    "map": map_documents,
    "screen": screen,
    "look_up": look_up,
    "post": post,
    "confirm": confirm,
    "tell": tell,
    "wait": wait,
}
_POSTING_STEPS = frozenset({"look_up", "post", "confirm", "tell"})
# Their lane's holder owns what they remember; `branch` and `wait` are taken wherever the payment is.
_SCREENING_STEPS = frozenset({"validate", "map", "screen", "aggregate"})
# Steps that change nothing outside the payment: what they decided may be written with the step after them.
# `aggregate` counts rows, so it begins and ends with everything written.
_ONLY_DECIDE = frozenset({"branch", "validate", "map", "screen", "look_up", "confirm"})


def posting_lane(names: Sequence[str], payment: payments.Payment) -> str:
    """The posting lane of a payment: one order stays on one lane, whatever its number of payments."""
    key = payment.order_reference or payment.vendor_tx_code
    return names[sum(key.encode()) % len(names)]


async def advance(stage: Stage, limit: int) -> int:
    """Walk what is due on the lane, once.

    Returns:
        How many payments were due; 0 means that the lane has nothing to do.

    Raises:
        LaneLost: another holder took the lane over; nothing more was written.
    """
    async with stage.reads.connect() as connection:
        found = await payments.due(connection, stage.lane.pair, stage.lane.lane, stage.clock(), limit)
    if found:
        await walk(stage, found)
    return len(found)


async def walk(stage: Stage, found: Sequence[payments.Payment]) -> None:
    """Walk payments until each has left the lane, waits, or is at rest."""
    async with stage.reads.connect() as connection:
        flows = {
            (each.flow, each.flow_version): await stage.library.flow(
                connection, each.pair, each.flow, each.flow_version
            )
            for each in found
        }
        screens = stage.lane.kind == "screening"  # only there a payment is given its posting lane
        posting_lanes = await lanes.names(connection, "posting", stage.lane.pair) if screens else []
    stage.save = lambda trips: _save(stage, trips)
    trips = []
    for payment in found:
        flow = flows[payment.flow, payment.flow_version]
        trips.append(Trip(payment, flow.node(payment.node)))
    while moving := [trip for trip in trips if trip.moving]:
        taken = {trip: trip.node.step for trip in moving}
        await _round(stage, moving)
        for trip in moving:
            if trip.passed_node:
                flow = flows[trip.payment.flow, trip.payment.flow_version]
                _move_on_or_stop(trip, flow, stage, posting_lanes)
        await repair([trip for trip in moving if trip.letters], stage)
        await _save(stage, [trip for trip in moving if _is_due_to_be_written(trip, taken[trip])])


def _is_due_to_be_written(trip: Trip, taken: str) -> bool:
    return not trip.moving or taken not in _ONLY_DECIDE or trip.node.step == "aggregate"


async def _round(stage: Stage, moving: Sequence[Trip]) -> None:
    """Take each trip over its node; trips on nodes of the same step go together."""
    ordered = sorted(moving, key=lambda trip: trip.node.step)
    for step, group in groupby(ordered, key=lambda trip: trip.node.step):
        batch = list(group)
        await _take(step, batch, stage)
        for trip in batch:
            STEPS.labels(stage.lane.pair, step, "passed" if trip.passed_node else "stopped").inc()


async def _take(step: str, batch: Sequence[Trip], stage: Stage) -> None:
    if step == "branch":
        for trip in batch:
            trip.passed()
        return
    try:
        await STEPS_BY_NAME[step](batch, stage)
    except NOT_THE_PAYMENTS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a step raises for its batch, each payment is told
        for trip in batch:
            if trip.moving and not trip.passed_node:
                failed(trip, error, stage)


def _move_on_or_stop(trip: Trip, flow: FlowDocument, stage: Stage, posting_lanes: Sequence[str]) -> None:
    try:
        _move_on(trip, flow, stage, posting_lanes)
    except Exception as error:  # noqa: BLE001 - a condition that cannot decide stops its payment, not the lane
        failed(trip, error, stage)


def _move_on(trip: Trip, flow: FlowDocument, stage: Stage, posting_lanes: Sequence[str]) -> None:
    payment = trip.payment
    trip.passed_node = False
    # Only a branch reads them, and they take two documents apart.
    facts = facts_of(payment, stage.clock(), stage.pair.time_zone) if trip.node.branches else {}
    following = next_node(flow, trip.node.id, facts)
    if following is None or flow.node(following).step == "end":
        payment.lane, payment.due_at, payment.node = None, None, following or trip.node.id
        payment.final_at = stage.clock() if PaymentState(payment.state) in FINAL else None
        trip.moving = False
        return
    trip.node = flow.node(following)
    payment.node = following
    wanted = stage.lane.lane
    if trip.node.step in _SCREENING_STEPS:
        wanted = bell.screening(payment.pair)
    elif _asks_the_erp(trip) and stage.lane.kind == "screening":
        wanted = posting_lane(posting_lanes, payment)
    if wanted != stage.lane.lane:
        payment.lane, payment.due_at, trip.moving = wanted, stage.clock(), False


def _asks_the_erp(trip: Trip) -> bool:
    return trip.node.step in _POSTING_STEPS or "until" in trip.node.settings


async def _save(stage: Stage, trips: Sequence[Trip]) -> None:
    """Write trips down in one transaction, and ring the lanes that got work by it."""
    if not trips:
        return
    rung = sorted(
        {trip.payment.lane for trip in trips if trip.payment.lane and trip.payment.lane != stage.lane.lane}
    )
    async with stage.engine.begin() as connection:
        if rung:
            await bell.share(connection, rung)
        await lanes.fence(connection, stage.lane)
        await payments.save(connection, [trip.payment for trip in trips])
        await remember(connection, trips, stage)
        await audit.write(connection, [line for trip in trips for line in trip.lines])
        await dead_letters.open_all(connection, [letter for trip in trips for letter in trip.letters])
        await repairs.add(connection, [each for trip in trips for each in trip.repairs])
        await alerts.raise_all(connection, [alert for trip in trips for alert in trip.alerts])
        for reason in {trip.pause for trip in trips if trip.pause}:
            await lanes.switch(connection, stage.lane.pair, stage.lane.lane, paused=True, reason=reason)
        await bell.ring(connection, rung)
    for trip in trips:
        trip.lines, trip.letters, trip.repairs, trip.alerts, trip.pause = [], [], [], [], ""
