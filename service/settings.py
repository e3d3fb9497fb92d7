"""Every setting of the service with its type, default and reason; read from `OPAYO_SYSPRO_…` variables.

`DATABASE_URL` alone keeps its usual name. Everything that belongs to a pair (addresses, credentials, business
defaults) lives in the database; `OPAYO_SYSPRO_PAIR` seeds the first one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The process's settings. One error lists every bad variable."""

    model_config = SettingsConfigDict(env_prefix="OPAYO_SYSPRO_", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path("var/opayo-syspro"),
        description="Folder of the private database, the vault's key and the logs.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "OPAYO_SYSPRO_DATABASE_URL"),
        description="A PostgreSQL 15 or newer to use in place of the private one.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(
        default="",
        description="How Opayo reaches us (https://…); needed for hosted payments, whose notification goes there.",
    )
    vault_keys: list[SecretStr] = Field(
        default_factory=list,
        description="The vault's current key and the previous one, as a JSON list; a key file when empty.",
    )
    admin_key: SecretStr | None = Field(
        default=None, description="An API key with the role admin for every pair, made known at start."
    )
    pair: SecretStr | None = Field(
        default=None,
        description="The first pair as one JSON object; saved at the first start, and changed over the API from then on.",
    )
    worker: bool = Field(default=True, description="Whether `serve` also works the lanes.")
    batch: int = Field(default=100, ge=1, le=1000, description="Payments a lane takes at a time.")
    linger_ms: int = Field(
        default=20,
        ge=0,
        le=1000,
        description="How long a lane waits for more work before it starts: latency against cost.",
    )
    poll_seconds: float = Field(
        default=0.5, gt=0, le=60, description="How often a lane looks for a bell whose notification was lost."
    )
    sweep_seconds: float = Field(
        default=1.0, gt=0, le=60, description="How often lanes with due work and no bell are rung."
    )
    stalled_seconds: float = Field(
        default=10.0, gt=1, le=600, description="Silence after which a worker is taken for dead."
    )
    pace: int = Field(
        default=1,
        ge=1,
        le=3600,
        description="Divides every wait of the road; 60 makes minutes seconds in demonstrations and tests.",
    )
    subscriber_networks: list[str] = Field(
        default_factory=list,
        description="Networks that subscribers of events may be in though they are not public, as a JSON list"
        ' (`["10.1.0.0/16"]`); there plain HTTP is allowed, too.',
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged."
    )
    log_format: Literal["json", "console"] = Field(default="json", description="For machines, or for people.")
    max_body_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        description="The largest body that any route accepts, but for files (10 MB).",
    )


def table() -> list[tuple[str, str, str]]:
    """Every setting as (variable, default, meaning): what the handbook and `--help` show."""
    rows = []
    for name, field in Settings.model_fields.items():
        variable = "DATABASE_URL" if name == "database_url" else f"OPAYO_SYSPRO_{name.upper()}"
        default = "" if field.default_factory is not None or field.default is None else str(field.default)
        rows.append((variable, default, field.description or ""))
    return rows
