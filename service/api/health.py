"""Is the service alive and ready, and what has it counted?

Health needs no key. Metrics need a key for every pair with the role viewer, from this machine too: behind a proxy
every caller looks local. Prometheus sends it as `authorization: {credentials: …}`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from msgspec import Struct
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from service.api.access import needs
from service.api.context import AppContext
from service.store import pairs, payment_views
from service.store.users import Caller
from service.telemetry import PAYMENTS, POSTINGS, registry


class Health(Struct, frozen=True, kw_only=True):
    """`live` is true whenever there is an answer; `ready` when the database answers too."""

    status: Literal["ok", "degraded"]
    live: bool
    ready: bool
    database: Literal["ok", "unreachable"]
    version: str


@get("/health", opt={"public": True}, security=[], summary="Say whether the service is ready")
async def health(context: AppContext) -> Response[Health]:
    """200 when the service can take messages, 503 when its database is away."""
    ready = True
    try:
        async with context.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:  # noqa: BLE001 - whatever the database says, it is not ready
        ready = False
    found = Health(
        status="ok" if ready else "degraded",
        live=True,
        ready=ready,
        database="ok" if ready else "unreachable",
        version=version("opayo-syspro"),
    )
    return Response(found, status_code=200 if ready else 503)


@get("/metrics", guards=[needs("viewer")], media_type=CONTENT_TYPE_LATEST, summary="Count for Prometheus")
async def metrics(context: AppContext, caller: NamedDependency[Caller]) -> Response[bytes]:
    """Everything counted by this process, and the payments and postings of every pair by state."""
    if caller.pair is not None:
        raise PermissionDeniedException("Metrics are of every pair; this key is for one.")
    PAYMENTS.clear()
    POSTINGS.clear()
    async with context.engine.connect() as connection:
        for pair in await pairs.names(connection):
            for row in await payment_views.totals(connection, pair):
                # A state has a row for each currency.
                PAYMENTS.labels(pair, str(row["state"])).inc(int(str(row["payments"])))
            counts = await payment_views.posting_counts(connection, pair)
            for state in ("prepared", "sent", "ambiguous", "confirmed", "refused", "parked"):
                POSTINGS.labels(pair, state).set(counts.get(state, 0))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


router = Router(path="", route_handlers=[health, metrics], tags=["Health"])
