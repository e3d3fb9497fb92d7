"""The command line with a clock that jumps: it adds the seconds in the file `clock` of the street's folder to the time.

Only this process is fooled: the database, the sandbox and the log keep the machine's time, as other machines would.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

import service.app
from service.cli import main
from service.flow.stages import Stages
from service.settings import Settings
from service.store.vault import Vault

_OFFSET = Path(os.environ["SOAK_FOLDER"]) / "clock"
_build_stages = service.app.build_stages


def jumping() -> datetime:
    """Now, and the offset."""
    return datetime.now(UTC) + timedelta(seconds=float(_OFFSET.read_text()))


def build_stages(settings: Settings, engine: AsyncEngine, vault: Vault) -> Stages:
    """The service's own stages on our clock."""
    stages = _build_stages(settings, engine, vault)
    stages.shared = msgspec.structs.replace(stages.shared, clock=jumping)
    return stages


if __name__ == "__main__":
    service.app.build_stages = build_stages
    main()
