"""The whole schema: every module that describes tables is named here, so that migrations and tests see them all."""

from __future__ import annotations

from service.store import (
    tables,
    tables_changes,
    tables_chargebacks,
    tables_customers,
    tables_events,
    tables_files,
    tables_refunds,
    tables_repairs,
    tables_subscriptions,
    tables_sweeps,
)
from service.store.columns import metadata

__all__ = [
    "metadata",
    "tables",
    "tables_changes",
    "tables_chargebacks",
    "tables_customers",
    "tables_events",
    "tables_files",
    "tables_refunds",
    "tables_repairs",
    "tables_subscriptions",
    "tables_sweeps",
]
