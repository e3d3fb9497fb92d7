"""Chores: regular work that talks to SYSPRO, done by whoever holds a posting lane and so has the session.

A second session of the same operator would end the first, so a poll never logs on beside the lane: it waits for its
turn on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from msgspec import Struct

from service.flow import changes, chargebacks, credit_notes, customers
from service.flow.recovery import NOT_THE_PAYMENTS
from service.flow.stage import Stage
from service.flow.turns import Turns
from service.store import schedule

JsonObject = dict[str, object]


class Chore(Struct, frozen=True, kw_only=True):
    """Regular work on a posting lane.

    Attributes:
        every: between two turns; divided by the pace.
        run: does one turn and says what it came to; doing it twice is doing it once.
    """

    name: str
    every: timedelta
    run: Callable[[Stage], Awaitable[JsonObject]]


CHORES: tuple[Chore, ...] = (
    Chore(name="chargeback evidence", every=timedelta(minutes=1), run=chargebacks.gather),
    Chore(name="syspro-changes", every=timedelta(minutes=1), run=changes.poll),
    Chore(name="credit-notes", every=timedelta(minutes=5), run=credit_notes.find),
    Chore(name="customers", every=timedelta(minutes=5), run=customers.keep_in_step),
)


async def advance(stage: Stage, chores: Sequence[Chore]) -> int:
    """Do the chores of the lane's pair that are due; returns how many there were."""
    if stage.lane.kind != "posting" or not chores:
        return 0
    by_name = {chore.name: chore for chore in chores}
    async with stage.reads.connect() as connection:
        due = await schedule.due(connection, stage.lane.pair, list(by_name), stage.clock())
    turns = Turns(
        engine=stage.engine,
        pair=stage.lane.pair,
        clock=stage.clock,
        pace=stage.pace,
        kind="chore",
        ends=NOT_THE_PAYMENTS,
    )
    chosen = [by_name[name] for name in due]
    return sum([await turns.take(chore.name, chore.every, partial(chore.run, stage)) for chore in chosen])
