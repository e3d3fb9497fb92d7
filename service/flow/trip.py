"""One payment's walk over one batch: what each step decided, until it is written down.

A step never writes to the database. It says what became of the payment (`passed`, `held`, `ended`, `waits`,
`failed`) and the road writes payment, postings, audit lines, dead letters and alerts together.
"""

from __future__ import annotations

from datetime import datetime

from service.core.flows import Node
from service.core.lifecycle import PaymentState, move, rank
from service.core.screening_memory import ScreeningEvent
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.dead_letters import DeadLetter
from service.store.payments import Payment
from service.store.repairs import NewRepair

JsonObject = dict[str, object]

# States in which nothing is left to do for the road.
FINAL = frozenset(
    {PaymentState.CONFIRMED, PaymentState.EXCEPTION, PaymentState.IGNORED, PaymentState.REJECTED,
     PaymentState.HELD, PaymentState.DEAD_LETTER, PaymentState.RECONCILED}
)  # fmt: skip


class Trip:
    """A payment under way.

    Attributes:
        payment: the working copy that the steps change.
        node: where on its flow it stands.
        moving: whether the next step may be taken in this walk.
        passed_node: whether the step at `node` is done, so that the road moves on to the next.
    """

    def __init__(self, payment: Payment, node: Node) -> None:
        self.payment = payment
        self.node = node
        self.moving = True
        self.passed_node = False
        self.lines: list[Line] = []
        self.letters: list[DeadLetter] = []
        self.alerts: list[Alert] = []
        self.repairs: list[NewRepair] = []
        self.screened: ScreeningEvent | None = None
        self.pause: str = ""  # why the lane must stop, if it must

    def __repr__(self) -> str:
        return f"Trip({self.payment.vendor_tx_code!r} at {self.node.id!r})"

    def note(self, action: str, **detail: object) -> None:
        """Leave a line in the audit trail."""
        self.lines.append(
            Line(pair=self.payment.pair, payment_id=self.payment.payment_id, action=action, detail=detail)
        )

    def find(self, step: str, finding: JsonObject) -> None:
        """Leave a finding on the payment: worth a person's look, and no reason to stop."""
        self.payment.findings = {**self.payment.findings, step: finding}

    def alert(self, code: str, title: str, *, subject: str = "", severity: str = "warning") -> None:
        """Raise an alert about the payment, or about `subject`."""
        about = subject or f"payment {self.payment.vendor_tx_code}"
        self.alerts.append(
            Alert(pair=self.payment.pair, code=code, subject=about, title=title, severity=severity)
        )

    def passed(self, to: PaymentState | None = None, **detail: object) -> None:
        """The step is done: the payment is in the step's state, and goes on."""
        self.payment.attempts = 0
        self.payment.failing_since = None
        self.payment.error = None
        # A flow may map or post twice; a payment never goes back for it.
        if to is not None and rank(to) > rank(PaymentState(self.payment.state)):
            self._become(to)
            self.note(f"payment.{to}", **detail)
        self.passed_node = True

    def waits(self, until: datetime) -> None:
        """Nothing more can be done before a time; the same step is taken again then."""
        self.payment.due_at = until
        self.moving = False

    def ended(self, to: PaymentState, now: datetime, **detail: object) -> None:
        """The road ends here for the payment, until a person or the gateway says otherwise."""
        self._become(to)
        self.payment.final_at = now
        self.payment.lane = None
        self.payment.due_at = None
        self.moving = False
        self.note(f"payment.{to}", **detail)

    def _become(self, to: PaymentState) -> None:
        self.payment.state = str(move(PaymentState(self.payment.state), to))
