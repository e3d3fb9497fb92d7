"""The HTTP face of the service."""

from litestar import Router

from service.api import (
    alerts,
    cards,
    chargeback_evidence,
    chargebacks,
    customer_links,
    customers,
    dashboard,
    dead_letter_help,
    dead_letters,
    events,
    files,
    flows,
    health,
    inbox,
    keys,
    lanes,
    live,
    mappings,
    pairs,
    payments,
    plans,
    refund_proposals,
    rehearsals,
    repair_rules,
    repairs,
    subscribers,
    subscriptions,
    sweeps,
    transactions,
    webhooks,
)
from service.api.door import Door
from service.api.problems import problems_of

_OURS = Router(
    path="",
    route_handlers=[
        alerts.router,
        cards.router,
        chargeback_evidence.router,
        chargebacks.router,
        customer_links.router,
        customers.router,
        dashboard.router,
        dead_letter_help.router,
        dead_letters.router,
        events.router,
        files.router,
        flows.router,
        health.router,
        inbox.router,
        keys.router,
        lanes.router,
        live.router,
        mappings.router,
        pairs.router,
        payments.router,
        refund_proposals.router,
        plans.router,
        rehearsals.router,
        repair_rules.router,
        repairs.router,
        subscribers.router,
        subscriptions.router,
        sweeps.router,
        transactions.router,
    ],
    middleware=[Door()],
)

for _route in _OURS.routes:
    for _handler in getattr(_route, "route_handlers", ()):
        _handler.responses = {**problems_of(_handler), **(_handler.responses or {})}

# What others push to us has its own guards: signatures, and masking where we refuse.
ROUTERS = [webhooks.router, _OURS]
