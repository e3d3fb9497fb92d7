"""What screening remembers of each customer of a pair: the payments of the last ninety days, and no more.

The memory is a function of the events it has seen, whatever their order: an event that comes late takes its place
by time and id, one that comes twice counts once, and one that is older than the window when it comes only makes
the customer older. So a lane's new owner rebuilds it from the event log and goes on where the last one stood.
Facts look strictly into the past of their payment.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from service.core.screening import Facts

WINDOW = timedelta(days=90)
MOST_PER_CUSTOMER = 500
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class ScreeningEvent(Struct, frozen=True, kw_only=True):
    """A payment, as screening remembers it.

    Attributes:
        at: aware time in UTC.
        event_id: the transaction's id; with the time it gives the order.
        customer: any key of the person who pays.
        card: anything that tells cards apart and is no card number, such as scheme and last four digits.
    """

    at: datetime
    event_id: str
    customer: str
    amount_minor: int
    currency: str
    card: str = ""


class Candidate(Struct, frozen=True, kw_only=True):
    """A payment to be screened: the event it will be, and what the gateway and the ERP say about it.

    Attributes:
        customer_since: when the ERP got to know the customer, if it says.
    """

    event: ScreeningEvent
    avs_result: str = ""
    cv2_result: str = ""
    three_d_secure: str = ""
    fraud_action: str = ""
    shipping_differs: bool = False
    customer_since: datetime | None = None


class _Customer:
    """One customer's payments in their order, and when the first of all was."""

    __slots__ = ("events", "first_at")

    def __init__(self, first_at: datetime) -> None:
        self.events: list[ScreeningEvent] = []
        self.first_at = first_at


def _place(event: ScreeningEvent) -> tuple[datetime, str]:
    return event.at, event.event_id


class Memory:
    """The memory of one pair. It belongs to the holder of the pair's screening lane."""

    def __init__(self) -> None:
        self._customers: dict[str, _Customer] = {}

    def observe(self, event: ScreeningEvent) -> None:
        """Remember a payment; a second delivery of the same event changes nothing."""
        customer = self._customers.setdefault(event.customer, _Customer(event.at))
        customer.first_at = min(customer.first_at, event.at)
        events = customer.events
        index = bisect_left(events, _place(event), key=_place)
        if index < len(events) and _place(events[index]) == _place(event):
            return
        insort(events, event, key=_place)
        oldest = bisect_left(events, events[-1].at - WINDOW, key=lambda known: known.at)
        del events[: max(oldest, len(events) - MOST_PER_CUSTOMER)]

    def facts_for(self, candidate: Candidate) -> Facts:
        """The facts of a payment; those about the past count only what comes before it by time and id."""
        event = candidate.event
        past = self._past(event)
        day = [known for known in past if known.at > event.at - _DAY]
        return Facts(
            amount_minor=event.amount_minor,
            currency=event.currency,
            hour=uk_hour(event.at),
            avs_result=candidate.avs_result,
            cv2_result=candidate.cv2_result,
            three_d_secure=candidate.three_d_secure,
            fraud_action=candidate.fraud_action,
            customer_age_days=self._age_days(candidate),
            payments_last_hour=sum(1 for known in day if known.at > event.at - _HOUR),
            payments_last_day=len(day),
            amount_last_day_minor=sum(
                known.amount_minor for known in day if known.currency == event.currency
            ),
            distinct_cards_last_day=len({known.card for known in [*day, event] if known.card}),
            first_payment=self._is_first(event, past),
            shipping_differs=candidate.shipping_differs,
            times_usual_amount_percent=_percent_of_usual(event, past),
        )

    def _past(self, event: ScreeningEvent) -> Sequence[ScreeningEvent]:
        customer = self._customers.get(event.customer)
        if customer is None:
            return ()
        return customer.events[: bisect_left(customer.events, _place(event), key=_place)]

    def _is_first(self, event: ScreeningEvent, past: Sequence[ScreeningEvent]) -> bool:
        customer = self._customers.get(event.customer)
        return not past and (customer is None or customer.first_at >= event.at)

    def _age_days(self, candidate: Candidate) -> int:
        event = candidate.event
        known_since = [event.at]
        if event.customer in self._customers:
            known_since.append(self._customers[event.customer].first_at)
        if candidate.customer_since is not None:
            known_since.append(candidate.customer_since)
        return (event.at - min(known_since)).days

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Memory):
            return NotImplemented
        return self._state() == other._state()

    __hash__ = None  # type: ignore[assignment]

    def _state(self) -> dict[str, tuple[datetime, list[ScreeningEvent]]]:
        return {name: (customer.first_at, customer.events) for name, customer in self._customers.items()}


def _percent_of_usual(event: ScreeningEvent, past: Sequence[ScreeningEvent]) -> int:
    amounts = [known.amount_minor for known in past if known.currency == event.currency]
    usual = sum(amounts)
    return event.amount_minor * len(amounts) * 100 // usual if usual > 0 else 0


def uk_hour(at: datetime) -> int:
    """The hour of an aware time by UK clocks, which are an hour ahead in summer (last Sundays of March and October)."""
    utc = at.astimezone(UTC)
    summer = _last_sunday(utc.year, 3) <= utc < _last_sunday(utc.year, 10)
    return (utc + timedelta(hours=int(summer))).hour


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)
