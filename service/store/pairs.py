"""Pairs: one Opayo vendor joined to one SYSPRO company, with its connections and business defaults.

Secrets never lie beside the settings: they are taken out before the row is written, sealed by the vault as one
document, and put back when the pair is loaded for use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.errors import Misconfigured
from integration.syspro.enet.config import EnetConfig
from integration.syspro.site import SiteConfig
from service.core.chargeback_rules import ChargebackSettings
from service.core.customers import CustomerSettings
from service.core.dunning import SubscriptionSettings
from service.core.repairs import Mode, RepairClass
from service.core.sweeping import SweepSettings
from service.store.file_settings import FileSettings
from service.store.rows import JsonObject, documents
from service.store.tables import lanes, pairs, payments, secrets
from service.store.vault import Vault


class OpayoSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where Opayo is and who we are there. The three addresses are separate, as Opayo's services are."""

    pi_url: str
    reporting_url: str
    gateway_url: str = ""
    integration_key: str = ""
    integration_password: str = ""
    reporting_user: str = ""
    reporting_password: str = ""
    webhook_secrets: list[str] = []
    timeout_seconds: float = 60.0
    read_seconds: float = 30.0


class Operator(Struct, kw_only=True, forbid_unknown_fields=True):
    """A SYSPRO operator that belongs to the service alone: one posting lane, one session."""

    operator: str
    password: str = ""


class SysproSettings(SiteConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where SYSPRO is and as whom we post; what the site does differently is among the members too.

    Attributes:
        in_flight: posts an operator may have under way over the JSON face. Over e.net it is always one: an
            operator's session is one SYSPRO runtime.
        enet: what the site does differently over e.net; ignored over the JSON face.
    """

    base_url: str
    company_id: str
    operators: list[Operator]
    company_password: str = ""
    transport: Literal["harmony", "enet"] = "harmony"
    in_flight: int = 4
    query_seconds: float = 15.0
    post_seconds: float = 120.0
    # A factory: the OpenAPI generator hashes defaults, and this one holds mappings.
    enet: EnetConfig = msgspec.field(default_factory=EnetConfig)

    @property
    def posts_at_once(self) -> int:
        """Posts an operator really has under way."""
        return 1 if self.transport == "enet" else self.in_flight


class ShopSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """The web shop, if the pair has one."""

    kind: Literal["woocommerce", "generic"]
    base_url: str
    key: str = ""
    secret: str = ""
    webhook_secret: str = ""
    paid_status: str = "processing"
    statuses: dict[str, str] = {}  # an order's status in the shop after an event (`order.dispatched`)


class RefundSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """How money goes back.

    Attributes:
        pattern: `R1` credit, adjustment and withdrawal; `R2` a negative miscellaneous receipt in place of the
            withdrawal; `R3` the credit alone, and people capture the money.
        goods: when a refund is a credit note of the order: never, or when it is of the whole invoice.
        on_void: what a void of a posted payment does: refund it in the ledger (`reverse`), or tell a person (`alert`).
        two_persons_above: refunds above so many minor units need a second person; `None` for none.
        proposals: whether credit notes raised in the ERP against paid invoices become refund proposals.
        send_up_to: proposals up to so many minor units are sent to Opayo without a person; 0 sends none.
    """

    pattern: Literal["R1", "R2", "R3"] = "R1"
    goods: Literal["never", "whole-invoice"] = "never"
    on_void: Literal["reverse", "alert"] = "reverse"
    two_persons_above: int | None = None
    proposals: bool = True
    send_up_to: int = 0


class PairSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything a pair needs.

    Attributes:
        flows: the flow that each kind of transaction takes; a kind without one goes to dead letters.
        defaults: what mappings read as `pair.…` (customer, warehouse, branch, bank, order_uom, …).
        repairs: what each class of repair may do: `off`, `propose` (when left out) or `apply`.
    """

    pair: str
    name: str
    vendor: str
    opayo: OpayoSettings
    syspro: SysproSettings
    shop: ShopSettings | None = None
    currencies: list[str] = msgspec.field(default_factory=lambda: ["GBP"])
    defaults: dict[str, str] = {}
    flows: dict[str, str] = {}
    time_zone: str = "Europe/London"
    notify: str = ""  # one Apprise address; it may hold a token, so it is sealed
    order_wait_minutes: int = 60
    changes_days: int = 120  # SYSPRO's orders and invoices dated further back are not watched
    rate_max_age_days: int = 10
    refunds: RefundSettings = msgspec.field(default_factory=RefundSettings)
    chargebacks: ChargebackSettings = msgspec.field(default_factory=ChargebackSettings)
    subscriptions: SubscriptionSettings = msgspec.field(default_factory=SubscriptionSettings)
    files: FileSettings = msgspec.field(default_factory=FileSettings)
    customers: CustomerSettings = msgspec.field(default_factory=CustomerSettings)
    sweeps: SweepSettings = msgspec.field(default_factory=SweepSettings)
    repairs: dict[RepairClass, Mode] = {}

    def flow_for(self, kind: str) -> str | None:
        """The flow that transactions of a kind take, or `None`."""
        if kind in self.flows:
            return self.flows[kind]
        if kind == "payment" and self.shop is not None:
            return "order_to_cash"
        if kind in ("refund", "chargeback", "subscription"):
            return kind
        return "payment" if kind in ("payment", "deferred", "repeat", "authorise", "manual") else None


_SECRET_NAMES = frozenset(
    ("integration_password", "reporting_password", "webhook_secrets", "company_password", "password",
     "secret", "webhook_secret", "notify", "private_key", "passphrase")
)  # fmt: skip


def split_secrets(value: object, path: str = "") -> tuple[object, dict[str, object]]:
    """A settings document without its secrets, and the secrets by their path."""
    found: dict[str, object] = {}
    if isinstance(value, dict):
        open_part: JsonObject = {}
        for name, member in value.items():
            here = f"{path}/{name}" if path else str(name)
            if name in _SECRET_NAMES:
                found[here] = member
                continue
            open_part[name], inner = split_secrets(member, here)
            found |= inner
        return open_part, found
    if isinstance(value, list):
        items = []
        for index, member in enumerate(value):
            item, inner = split_secrets(member, f"{path}/{_place(member, index)}")
            items.append(item)
            found |= inner
        return items, found
    return value, found


def join_secrets(document: JsonObject, found: Mapping[str, object]) -> JsonObject:
    """The settings document with its secrets put back; the opposite of `split_secrets`."""
    for path, secret in found.items():
        *parents, name = path.split("/")
        place: object = document
        for parent in parents:
            if isinstance(place, list):
                items = (item for index, item in enumerate(place) if _place(item, index) == parent)
                place = next(items, None)
            elif isinstance(place, dict):
                place = place.get(parent)
        if isinstance(place, dict):
            place[name] = secret
    return document


def _place(item: object, index: int) -> str:
    """What tells an item of a list from the others: an operator's name stays when the order changes."""
    return str(item["operator"]) if isinstance(item, dict) and "operator" in item else str(index)


def _context(pair: str) -> str:
    return f"pair:{pair}/connections"


async def save(connection: AsyncConnection, vault: Vault, settings: PairSettings) -> None:
    """Create a pair or replace its settings; secrets left empty keep their stored value."""
    document = msgspec.to_builtins(settings)
    open_part, found = split_secrets(document)
    previous = await _secrets(connection, vault, settings.pair)
    kept = {path: secret or previous.get(path, secret) for path, secret in found.items()}
    values = {"name": settings.name, "settings": open_part, "changed_at": func.now()}
    await connection.execute(
        insert(pairs)
        .values(pair=settings.pair, **values)
        .on_conflict_do_update(index_elements=["pair"], set_=values)
    )
    sealed = vault.seal(msgspec.json.encode(kept), _context(settings.pair))
    await connection.execute(
        insert(secrets)
        .values(pair=settings.pair, name="connections", sealed=sealed)
        .on_conflict_do_update(
            index_elements=["pair", "name"], set_={"sealed": sealed, "changed_at": func.now()}
        )
    )
    await _lanes(connection, settings)


async def _lanes(connection: AsyncConnection, settings: PairSettings) -> None:
    rows = [
        {"pair": settings.pair, "lane": f"{settings.pair}/screening", "kind": "screening", "operator": ""}
    ]
    rows += [
        {"pair": settings.pair, "lane": f"{settings.pair}/post/{each.operator}", "kind": "posting",
         "operator": each.operator}
        for each in settings.syspro.operators
    ]  # fmt: skip
    await connection.execute(insert(lanes).values(rows).on_conflict_do_nothing())
    await _retire(connection, settings.pair, [str(row["lane"]) for row in rows])


async def _retire(connection: AsyncConnection, pair: str, kept: list[str]) -> None:
    """Close the lanes of operators that are gone; what waits on them goes to one that stays."""
    retired = await connection.scalars(
        delete(lanes).where(lanes.c.pair == pair, lanes.c.lane.not_in(kept)).returning(lanes.c.lane)
    )
    if not (gone := list(retired)):
        return
    # Who holds the screening lane may be about to put work on a lane that is gone: fence it off.
    await connection.execute(
        update(lanes).where(lanes.c.pair == pair, lanes.c.lane == kept[0]).values(epoch=lanes.c.epoch + 1)
    )
    await connection.execute(
        update(payments).where(payments.c.pair == pair, payments.c.lane.in_(gone)).values(lane=kept[-1])
    )


async def _secrets(connection: AsyncConnection, vault: Vault, pair: str) -> dict[str, object]:
    sealed = await connection.scalar(
        select(secrets.c.sealed).where(secrets.c.pair == pair, secrets.c.name == "connections")
    )
    if sealed is None:
        return {}
    return msgspec.json.decode(vault.open(sealed, _context(pair)), type=dict[str, object])


async def load(connection: AsyncConnection, vault: Vault, pair: str) -> PairSettings | None:
    """A pair with its secrets, for use; `None` when there is no such pair.

    Raises:
        Misconfigured: the stored settings do not fit this version, or no key opens the secrets.
    """
    document = await connection.scalar(select(pairs.c.settings).where(pairs.c.pair == pair))
    if document is None:
        return None
    try:
        return msgspec.convert(join_secrets(document, await _secrets(connection, vault, pair)), PairSettings)
    except msgspec.ValidationError as error:
        raise Misconfigured(
            f"The stored settings of pair `{pair}` do not fit this version: {error}",
            code="pair.settings",
            hint="Save the pair's settings again.",
        ) from error


async def names(connection: AsyncConnection) -> list[str]:
    """The pairs there are, in order."""
    return list((await connection.scalars(select(pairs.c.pair).order_by(pairs.c.pair))).all())


async def shown(connection: AsyncConnection, pair: str | None) -> list[JsonObject]:
    """Pairs as the API shows them: settings without any secret; all of them, or one."""
    statement = select(pairs.c.pair, pairs.c.name, pairs.c.paused, pairs.c.created_at, pairs.c.settings)
    if pair is not None:
        statement = statement.where(pairs.c.pair == pair)
    rows = await connection.execute(statement.order_by(pairs.c.pair))
    return documents(rows)
