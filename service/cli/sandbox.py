"""`opayo-syspro sandbox`: stand-ins for Opayo, SYSPRO, a web shop and the acquirer's SFTP server, served until stopped."""

from __future__ import annotations

import asyncio
import signal

import msgspec
import rich_click as click
import uvloop
from rich.console import Console
from rich.table import Table

from integration.sandbox.fault_plan import PROFILES
from integration.sandbox.serving import SandboxConfig, SandboxFacts, running
from integration.sandbox.syspro.config import quirks_named


@click.command("sandbox")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line when ready.")
@click.option(
    "--opayo-port", type=click.IntRange(0, 65535), default=0, help="Port of Opayo; 0 picks a free one."
)
@click.option("--syspro-port", type=click.IntRange(0, 65535), default=0, help="Port of SYSPRO.")
@click.option("--shop-port", type=click.IntRange(0, 65535), default=0, help="Port of the shop.")
@click.option(
    "--sftp-port", type=click.IntRange(0, 65535), default=0, help="Port of the acquirer's SFTP server."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the faults.")
@click.option("--faults", type=click.Choice(list(PROFILES)), default="none", show_default=True)
@click.option(
    "--idempotency/--no-idempotency",
    default=True,
    help="Whether SYSPRO's JSON face remembers idempotency keys.",
)
@click.option(
    "--quirk",
    "quirks",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A habit of SYSPRO to switch; without a value it is switched on. May be given several times.",
)
def command(as_json: bool, quirks: tuple[str, ...], **options: int | str | bool) -> None:
    """Serve stand-ins for Opayo, SYSPRO, a web shop and the acquirer's SFTP server until stopped."""
    named = {name: value or "true" for name, _, value in (quirk.partition("=") for quirk in quirks)}
    try:
        quirks_named(named)
    except msgspec.ValidationError as error:
        raise click.BadParameter(
            f"{error}. The handbook's page Sandbox lists them.", param_hint="--quirk"
        ) from None
    config = msgspec.convert({**options, "quirks": named}, SandboxConfig)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(config, as_json))
        except OSError as error:
            raise click.ClickException(f"The sandbox cannot listen: {error}. Choose other ports.") from error


async def _serve(config: SandboxConfig, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as sandboxes:
        if as_json:
            click.echo(msgspec.json.encode(sandboxes.facts))
        else:
            _show(sandboxes.facts)
        await stop.wait()


def _show(facts: SandboxFacts) -> None:
    table = Table(title="Sandboxes", show_header=False)
    rows = {
        "Opayo, Pi REST": facts.opayo_pi,
        "Opayo, Reporting & Admin": facts.opayo_reporting,
        "Opayo, Server protocol": facts.opayo_gateway,
        "Vendor": f"{facts.vendor}, integration key {facts.integration_key}",
        "SYSPRO, JSON": facts.syspro_harmony,
        "SYSPRO operators": ", ".join(one.operator for one in facts.operators),
        "Shop, WooCommerce": facts.shop_woocommerce,
        "Shop, generic": facts.shop_generic,
        "Acquirer, SFTP": f"{facts.sftp.user}@{facts.sftp.host}:{facts.sftp.port}, folder {facts.sftp.folder}",
        "SFTP host key": facts.sftp.host_key,
        "Customers and stock codes": f"{len(facts.customers)} and {facts.stock_codes}",
        "Faults": facts.faults,
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console = Console()
    console.print(table)
    console.print("Passwords and all customers: opayo-syspro sandbox --json. Stop with Ctrl-C.")
