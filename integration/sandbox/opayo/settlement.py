"""What the UK midnight does: batches per acquirer, expiries, and failures the bank reports later."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.sandbox.opayo.clock import uk_day, uk_midnight
from integration.sandbox.opayo.engine import Engine
from integration.sandbox.opayo.store import Batch, Transaction

FAILURE_WORD = "SANDBOX-SETTLEMENT-FAILURE"
"""In a description: the bank refuses the row after the batch (txstate 23). Ours, not Opayo's."""

_HOLD_DAYS = 30
_AUTHENTICATE_DAYS = 90


class Settlement:
    """Runs the nightly job for every UK midnight that passed since it last looked."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.next_cut = self._cut_after(engine.clock.now())

    def tick(self) -> None:
        """Catch up with the clock; cheap when no midnight has passed."""
        now = self.engine.clock.now()
        while self.next_cut <= now:
            cut = self.next_cut
            self.next_cut = self._cut_after(cut)
            self._fail_settled(cut)
            self._expire(cut)
            self._batch(cut)

    def restart(self) -> None:
        """Follow a clock that was set back."""
        self.next_cut = min(self.next_cut, self._cut_after(self.engine.clock.now()))

    def _cut_after(self, moment: datetime) -> datetime:
        cut = uk_midnight(uk_day(moment), minute=1)
        return cut if cut > moment else uk_midnight(uk_day(moment) + timedelta(days=1), minute=1)

    def _batch(self, cut: datetime) -> None:
        midnight = cut - timedelta(minutes=1)
        groups: dict[tuple[str, str], list[Transaction]] = {}
        for row in self.engine.store.transactions.values():
            due = row.captured > 0 and not row.batch_id and row.txstate == 16
            if due and row.captured_at is not None and row.captured_at < midnight:
                groups.setdefault((row.vendor, row.acquirer), []).append(row)
        for (vendor, acquirer), rows in sorted(groups.items()):
            batch = Batch(self.engine.store.next_batch(), vendor, acquirer, cut, rows)
            self.engine.store.batches.append(batch)
            for row in rows:
                row.batch_id, row.settled_at = batch.id, cut
                self.engine.emit("payment.settled", row, row.captured)

    def _fail_settled(self, cut: datetime) -> None:
        for row in self.engine.store.transactions.values():
            if row.txstate == 16 and row.settled_at is not None and FAILURE_WORD in row.details.description:
                row.txstate = 23
                self.engine.emit("payment.settlement_failed", row, row.captured)

    def _expire(self, cut: datetime) -> None:
        for row in self.engine.store.transactions.values():
            age = cut - row.created
            if row.txstate == 14 and age > timedelta(days=_HOLD_DAYS):
                row.txstate = 27
                self.engine.emit("payment.aborted", row, row.amount)
            elif row.txstate in {15, 21} and age > timedelta(days=_AUTHENTICATE_DAYS):
                row.txstate = 26
