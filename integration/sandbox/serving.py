"""The sandboxes served together on this machine, with everything a client needs to know in one struct."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Generator

import msgspec
import uvicorn

from integration.sandbox.ecommerce import ShopSandbox, ShopSandboxConfig
from integration.sandbox.faults import ASGIApp
from integration.sandbox.merchant import Merchant, MerchantUrls
from integration.sandbox.merchant_till import GatewayAccess
from integration.sandbox.merchant_world import CURRENCY, World, load_world
from integration.sandbox.opayo import OpayoSandbox
from integration.sandbox.opayo.config import OpayoSandboxConfig
from integration.sandbox.sftp import INCOMING, SftpSandbox
from integration.sandbox.sftp.control import write_day
from integration.sandbox.syspro import Settings, SysproSandbox, SysproSandboxConfig
from integration.sandbox.syspro.config import quirks_named
from integration.sandbox.syspro.world import OPAYO_BANK

HOST = "127.0.0.1"


class SandboxConfig(msgspec.Struct, frozen=True):
    """How the sandboxes are started.

    Attributes:
        opayo_port: TCP port, 0 for a free one; likewise the others.
        seed: of the faults of Opayo, SYSPRO and the shop.
        faults: ``none``, ``rough`` or ``storm``.
        idempotency: whether SYSPRO's face remembers idempotency keys.
        quirks: habits of SYSPRO that differ from the usual ones, by name, as text or JSON.
        slow_seconds: how long the fault ``slow`` keeps an answer back.
        pace: divisor of the senders' waits for retries; 0 takes ``OPAYO_SYSPRO_PACE``.
    """

    opayo_port: int = 0
    syspro_port: int = 0
    shop_port: int = 0
    sftp_port: int = 0
    seed: int = 0
    faults: str = "none"
    idempotency: bool = True
    quirks: dict[str, str] = {}
    slow_seconds: float = 2.0
    pace: float = 0.0


class OperatorFacts(msgspec.Struct, frozen=True):
    """A SYSPRO operator and its password, made up for the sandbox."""

    operator: str
    password: str


class CustomerFacts(msgspec.Struct, frozen=True):
    """A customer SYSPRO was seeded with."""

    code: str
    name: str
    currency: str
    on_hold: bool


class SftpFacts(msgspec.Struct, frozen=True):
    """The SFTP server of the acquirer's stand-in; the vendor is its user."""

    host: str
    port: int
    user: str
    password: str
    host_key: str
    folder: str


class SandboxFacts(msgspec.Struct, frozen=True):
    """What ``opayo-syspro sandbox --json`` prints: addresses, credentials and customers of the sandboxes.

    Addresses have no closing slash. ``opayo``, ``syspro`` and ``shop`` are host roots, below which the control
    paths ``/_sandbox/…`` lie.
    """

    opayo: str
    syspro: str
    shop: str
    vendor: str
    strict_vendor: str
    integration_key: str
    integration_password: str
    reporting_user: str
    reporting_password: str
    webhook_secret: str
    company_id: str
    company_password: str
    operators: tuple[OperatorFacts, ...]
    bank: str
    branch: str
    warehouse: str
    shop_key: str
    shop_secret: str
    shop_token: str
    shop_webhook_secret: str
    customers: tuple[CustomerFacts, ...]
    stock_codes: int
    seed: int
    faults: str
    idempotency: bool
    pid: int
    sftp: SftpFacts
    opayo_pi: str = ""
    opayo_reporting: str = ""
    opayo_gateway: str = ""
    syspro_harmony: str = ""
    syspro_enet: str = ""
    syspro_enet_served: bool = True
    shop_woocommerce: str = ""
    shop_generic: str = ""

    def __post_init__(self) -> None:
        force = msgspec.structs.force_setattr
        force(self, "opayo_pi", f"{self.opayo}/api/v1")
        force(self, "opayo_reporting", f"{self.opayo}/access/access.htm")
        force(self, "opayo_gateway", f"{self.opayo}/gateway/service")
        force(self, "syspro_harmony", f"{self.syspro}/api/harmony/2.0")
        force(self, "syspro_enet", f"{self.syspro}/SYSPROWCFService/Rest")
        force(self, "shop_woocommerce", f"{self.shop}/wp-json/wc/v3")
        force(self, "shop_generic", f"{self.shop}/generic")

    def merchant_urls(self) -> MerchantUrls:
        """What the merchant needs of these facts."""
        access = GatewayAccess(
            self.opayo_pi,
            self.vendor,
            self.integration_key,
            self.integration_password,
            control="" if self.faults == "none" else self.opayo,
        )
        return MerchantUrls(access, self.syspro, self.shop)


class Running(msgspec.Struct, frozen=True):
    """The sandboxes while they are served, for a caller in the same process."""

    facts: SandboxFacts
    opayo: OpayoSandbox
    syspro: SysproSandbox
    shop: ShopSandbox
    sftp: SftpSandbox


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: three of them share one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextlib.asynccontextmanager
async def running(config: SandboxConfig | None = None) -> AsyncIterator[Running]:
    """Serve the sandboxes until the block ends; SYSPRO knows the retailer's customers and stock then.

    Raises:
        ValueError: for an unknown fault profile.
        OSError: when a port is taken.
    """
    config = config or SandboxConfig()
    opayo = OpayoSandbox(_opayo_config(config))
    syspro = SysproSandbox(
        SysproSandboxConfig(
            seed=config.seed + 1,
            settings=Settings(idempotency=config.idempotency),
            quirks=quirks_named(config.quirks),
        )
    )
    shop = ShopSandbox(ShopSandboxConfig(seed=config.seed + 2))
    for plan in (opayo.plan, syspro.plan, shop.plan):
        plan.set_profile(config.faults)
        plan.slow_seconds = config.slow_seconds
    world = load_world()
    async with contextlib.AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(_served(app, port))
            for app, port in (
                (opayo.app, config.opayo_port),
                (syspro.app, config.syspro_port),
                (shop.app, config.shop_port),
            )
        ]
        sftp = await stack.enter_async_context(SftpSandbox().served(HOST, config.sftp_port))
        opayo.control.more["POST", "files"] = lambda request: write_day(request, opayo.parts, sftp)
        facts = _facts(config, urls, (opayo, syspro, shop), (world, sftp))
        made = Running(facts, opayo, syspro, shop, sftp)
        await Merchant(made.facts.merchant_urls(), config.seed, world).seed_syspro(made.facts.warehouse)
        yield made


def _opayo_config(config: SandboxConfig) -> OpayoSandboxConfig:
    plain = OpayoSandboxConfig(seed=config.seed)
    return msgspec.structs.replace(plain, pace=config.pace) if config.pace else plain


@contextlib.asynccontextmanager
async def _served(app: ASGIApp, port: int) -> AsyncIterator[str]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    # A face may name the server it stands for; uvicorn's own name would stand beside it.
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, server_header=False
    )
    server = _Server(settings)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if serving.done():
                await serving
                raise RuntimeError("A sandbox stopped before it listened.")
            await asyncio.sleep(0.005)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


def _facts(
    config: SandboxConfig,
    urls: list[str],
    sandboxes: tuple[OpayoSandbox, SysproSandbox, ShopSandbox],
    beside: tuple[World, SftpSandbox],
) -> SandboxFacts:
    opayo, syspro, shop = sandboxes[0].config, sandboxes[1].config, sandboxes[2].config
    world, sftp = beside
    return SandboxFacts(
        opayo=urls[0],
        syspro=urls[1],
        shop=urls[2],
        vendor=opayo.vendor,
        strict_vendor=opayo.strict_vendor,
        integration_key=opayo.integration_key,
        integration_password=opayo.integration_password,
        reporting_user=opayo.reporting_user,
        reporting_password=opayo.reporting_password,
        webhook_secret=opayo.webhook_secret,
        company_id=syspro.company,
        company_password=syspro.company_password,
        operators=tuple(OperatorFacts(name, password) for name, password in syspro.operators.items()),
        bank=OPAYO_BANK,
        branch=syspro.branch,
        warehouse=syspro.warehouse,
        shop_key=shop.consumer_key,
        shop_secret=shop.consumer_secret,
        shop_token=shop.bearer_token,
        shop_webhook_secret=shop.webhook_secret,
        customers=tuple(
            CustomerFacts(str(one.code), one.name, CURRENCY, one.on_hold) for one in world.customers
        ),
        stock_codes=len(world.stock),
        seed=config.seed,
        faults=config.faults,
        idempotency=config.idempotency,
        pid=os.getpid(),
        sftp=SftpFacts(
            HOST, sftp.port, opayo.vendor, sftp.config.vendors[opayo.vendor], sftp.host_key, INCOMING
        ),
    )
