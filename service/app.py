"""The composition root: settings become connectors, connectors become stages, and routes are put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.ecommerce.config import GenericConfig, WooCommerceConfig
from integration.ecommerce.generic import GenericStorefront
from integration.ecommerce.woocommerce import WooCommerceStorefront
from integration.errors import Misconfigured
from integration.opayo.client import OpayoGateway
from integration.opayo.config import OpayoConfig
from integration.ports import ERP, Storefront
from integration.ports_files import FileDrop
from integration.sftp import SftpConfig, SftpDrop
from integration.syspro.config import SysproConfig
from integration.syspro.enet.client import EnetErp
from integration.syspro.harmony.client import HarmonyErp
from integration.syspro.site import SiteConfig
from service.api import ROUTERS, access, problems
from service.api.context import Context, provide_context
from service.flow.connections import Connections
from service.flow.library import install_templates
from service.flow.stages import Stages, Surroundings
from service.jobs.worker import Worker
from service.settings import Settings
from service.store import pairs, users
from service.store.database import Database, create_engine
from service.store.file_settings import FileSettings
from service.store.inbox import Batcher
from service.store.migrations import migrate
from service.store.pairs import Operator, PairSettings, SysproSettings
from service.store.users import NewKey
from service.store.vault import Vault, open_vault
from service.telemetry import observe


def connect(settings: PairSettings) -> Connections:
    """The connectors of a pair.

    Raises:
        Misconfigured: an address or name in the settings cannot be right.
    """
    opayo = settings.opayo
    gateway = OpayoGateway(
        OpayoConfig(
            vendor=settings.vendor,
            integration_key=opayo.integration_key,
            integration_password=opayo.integration_password,
            pi_url=opayo.pi_url,
            reporting_url=opayo.reporting_url,
            service_url=opayo.gateway_url,
            reporting_user=opayo.reporting_user,
            reporting_password=opayo.reporting_password,
            timeout=opayo.timeout_seconds,
            read_timeout=opayo.read_seconds,
        ),
        observe,
    )

    def erp(operator: Operator, on_evicted: Callable[[], None] | None = None) -> ERP:
        return _erp(settings.syspro, operator, on_evicted)

    return Connections(gateway=gateway, storefront=_storefront(settings), erp=erp, drop=_drop(settings.files))


def _drop(folder: FileSettings) -> Callable[[], FileDrop] | None:
    if not folder.host:
        return None
    members = {name: getattr(folder, name) for name in SftpConfig.__struct_fields__ if hasattr(folder, name)}
    config = SftpConfig(**members)
    return lambda: SftpDrop(config)


def _erp(syspro: SysproSettings, operator: Operator, on_evicted: Callable[[], None] | None) -> ERP:
    habits = {name: getattr(syspro, name) for name in SiteConfig.__struct_fields__}
    config = SysproConfig(
        base_url=syspro.base_url,
        operator=operator.operator,
        operator_password=operator.password,
        company_id=syspro.company_id,
        company_password=syspro.company_password,
        query_timeout=syspro.query_seconds,
        post_timeout=syspro.post_seconds,
        logon_timeout=syspro.query_seconds,
        in_flight=syspro.posts_at_once,
        **habits,
    )
    if syspro.transport == "enet":
        return EnetErp(config, syspro.enet, on_evicted=on_evicted, observe=observe)
    return HarmonyErp(config, on_evicted=on_evicted, observe=observe)


def _storefront(settings: PairSettings) -> Storefront | None:
    shop = settings.shop
    if shop is None:
        return None
    if shop.kind == "woocommerce":
        return WooCommerceStorefront(
            WooCommerceConfig(base_url=shop.base_url, consumer_key=shop.key, consumer_secret=shop.secret),
            observe,
        )
    return GenericStorefront(GenericConfig(base_url=shop.base_url, token=shop.secret), observe)


def build_stages(settings: Settings, engine: AsyncEngine, vault: Vault) -> Stages:
    """The stages of a process."""
    return Stages(
        Surroundings(
            engine=engine,
            vault=vault,
            connect=connect,
            pace=settings.pace,
            private_networks=tuple(settings.subscriber_networks),
        )
    )


async def seed(settings: Settings, engine: AsyncEngine, vault: Vault) -> None:
    """Make the first pair and the admin key of the settings known, and give every pair its templates."""
    async with engine.begin() as connection:
        if settings.pair is not None:
            first = _first_pair(settings.pair.get_secret_value())
            # Afterwards the pair belongs to the people who change it over the API.
            if first.pair not in await pairs.names(connection):
                await pairs.save(connection, vault, first)
        if settings.admin_key is not None:
            await users.create(
                connection,
                NewKey(name="admin (settings)", role="admin"),
                settings.admin_key.get_secret_value(),
            )
        for pair in await pairs.names(connection):
            await install_templates(connection, pair)


def _first_pair(text: str) -> PairSettings:
    try:
        return msgspec.json.decode(text, type=PairSettings)
    except msgspec.MsgspecError as error:
        raise Misconfigured(
            f"OPAYO_SYSPRO_PAIR is not a pair: {error}",
            code="settings.pair",
            hint="It is one JSON object; the handbook's page Settings shows one.",
        ) from None


def create_app(settings: Settings, database: Database) -> Litestar:
    """The service as an ASGI application: API, and the worker unless the settings say otherwise."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        migrate(database.url)
        engine = create_engine(database.url)
        vault = open_vault([key.get_secret_value() for key in settings.vault_keys], settings.data_dir)
        await seed(settings, engine, vault)
        stages = build_stages(settings, engine, vault)
        app.state.context = Context(
            engine=engine, vault=vault, stages=stages, batcher=Batcher(engine), settings=settings
        )
        try:
            if settings.worker:
                async with Worker(stages, database.url, settings).running():
                    yield
            else:
                yield
                await stages.close()
        finally:
            await engine.dispose()

    return Litestar(
        route_handlers=ROUTERS,
        lifespan=[lifespan],
        dependencies={
            "context": Provide(provide_context, sync_to_thread=False),
            "caller": Provide(access.provide_caller, sync_to_thread=False),
        },
        exception_handlers=problems.HANDLERS,  # type: ignore[arg-type]
        request_max_body_size=settings.max_body_bytes,
        openapi_config=OpenAPIConfig(
            title="opayo-syspro",
            version="0.1.0",
            description="Opayo payments into SYSPRO, exactly once.",
            components=Components(security_schemes={"ApiKey": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"ApiKey": []}],
            render_plugins=[SwaggerRenderPlugin()],
        ),
        logging_config=None,
        debug=False,
    )
