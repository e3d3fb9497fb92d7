"""`opayo-syspro demo`: one trading day through sandboxes and service, with the proof that nothing was lost."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec
import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from integration.sandbox.client import Client, Unreachable
from integration.sandbox.fault_plan import PROFILES
from integration.sandbox.merchant import Day, Merchant, SandboxRefused
from integration.sandbox.serving import SandboxFacts
from service.cli.demo_audit import ErpLedger, GatewayLedger, audit
from service.cli.demo_processes import Household, household
from service.cli.demo_report import Course, Result, make_result, show_result, write_result
from service.cli.demo_service import PACE, Service, Summary, environment
from service.store.private_server import PrivateServer

FOLDER = Path("var/demo")


class DemoOptions(msgspec.Struct, frozen=True):
    """The command's options; ``workers`` are worker processes besides the service's own."""

    payments: int
    seed: int
    faults: Literal["none", "rough", "storm"]
    transport: str
    json: str | None
    keep: bool
    port: int
    workers: int


class Stage(msgspec.Struct):
    """Everything that runs: sandboxes, service and the merchant."""

    options: DemoOptions
    facts: SandboxFacts
    merchant: Merchant
    service: Service
    client: Client
    home: Household


@click.command("demo")
@click.option("--payments", type=click.IntRange(1, 100_000), default=120, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the day and of the faults.")
@click.option("--faults", type=click.Choice(list(PROFILES)), default="rough", show_default=True)
@click.option("--transport", type=click.Choice(["harmony", "enet"]), default="harmony", show_default=True)
@click.option("--json", type=click.Path(dir_okay=False), help="Write the result to this file.")
@click.option("--keep", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the service; 0 takes a free one."
)
@click.option("--workers", type=click.IntRange(0, 16), default=0, help="Further worker processes.")
def command(**options: int | str | bool | None) -> None:
    """Play one trading day from Opayo into SYSPRO, with faults on, and prove that nothing was lost."""
    wanted = msgspec.convert(options, DemoOptions)
    try:
        result = _demonstrate(wanted, Console())
    except KeyboardInterrupt:
        raise click.ClickException("Stopped; everything that was started has ended.") from None
    except ExceptionGroup as errors:
        raise click.ClickException(str(_first(errors))) from errors
    except (Unreachable, SandboxRefused) as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(0 if result.passed else 1)


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    # The merchant and the watcher run side by side; the first to fail says why the other was stopped.
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _demonstrate(options: DemoOptions, console: Console) -> Result:
    folder = FOLDER.resolve()
    database = PrivateServer(folder / "service")
    _sweep(folder, database)
    try:
        with household(folder) as home:
            return asyncio.run(_with_stage(options, home, console))
    finally:
        # The last user has gone; a service that was killed has not stopped its server.
        with contextlib.suppress(OSError):
            database.stop()


def _sweep(folder: Path, database: PrivateServer) -> None:
    cluster = database.cluster
    if folder.exists():
        database.stop()
        shutil.rmtree(cluster, ignore_errors=True)
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


async def _with_stage(options: DemoOptions, home: Household, console: Console) -> Result:
    console.print(
        f"Waits are divided by {PACE} (OPAYO_SYSPRO_PACE={PACE}); logs and data are in {home.folder}."
    )
    async with Client(timeout=10.0) as client:
        with console.status("Starting the sandboxes and the service …"):
            stage = await _open(options, home, client)
        with _bars(console) as progress:
            day, summary, seconds = await _play(stage, progress)
        result = await _judge(stage, day, summary, seconds)
        show_result(console, result)
        if options.json:
            write_result(result, Path(options.json))
            console.print(f"The result is in {options.json}.")
        await _farewell(stage, console)
        return result


async def _open(options: DemoOptions, home: Household, client: Client) -> Stage:
    arguments = ["sandbox", "--json", "--seed", str(options.seed), "--faults", options.faults]
    if options.faults == "storm":
        # Exactly-once must rest on look-ups alone: SYSPRO's keys are off for the first half of the storm.
        arguments.append("--no-idempotency")
    sandbox = home.start("sandbox", arguments, {"OPAYO_SYSPRO_PACE": str(PACE)})
    facts = msgspec.json.decode(await sandbox.line("{"), type=SandboxFacts)
    key = f"demo-{secrets.token_urlsafe(24)}"
    variables = environment(facts, str(home.folder / "service"), key, options.transport)
    serve = home.start("serve", ["serve", "--host", "127.0.0.1", "--port", str(options.port)], variables)
    url = (await serve.line("ready ")).removeprefix("ready ").split()[0]
    for number in range(options.workers):
        home.start(f"worker-{number + 1}", ["worker"], variables)
    service = Service(client, url, key)
    await client.send_json(
        "PUT", f"{facts.opayo}/_sandbox/webhook", {"url": service.webhook, "secret": facts.webhook_secret}
    )
    return Stage(options, facts, Merchant(facts.merchant_urls(), options.seed), service, client, home)


def _bars(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


async def _play(stage: Stage, progress: Progress) -> tuple[Day, Summary, float]:
    sales = stage.merchant.sales(stage.options.payments)
    shopping = progress.add_task("Orders paid", total=len(sales))
    settling = progress.add_task("Payments settled", total=stage.options.payments)
    switch = asyncio.Event()

    def on_summary(summary: Summary) -> None:
        stage.home.check()
        settled = min(summary.settled, stage.options.payments)
        progress.update(settling, completed=settled)
        if 2 * settled >= stage.options.payments:
            switch.set()

    async with asyncio.TaskGroup() as group:
        playing = group.create_task(
            stage.merchant.play(sales, lambda count, _: progress.update(shopping, completed=count))
        )
        watching = group.create_task(stage.service.until_final(stage.options.payments, on_summary))
        switching = group.create_task(_switch_keys_on(stage, switch))
        day, (summary, moved) = await playing, await watching
        switching.cancel()
    return day, summary, max(moved, day.ended) - day.began


async def _switch_keys_on(stage: Stage, switch: asyncio.Event) -> None:
    if stage.options.faults != "storm":
        return
    await switch.wait()
    url = f"{stage.facts.syspro}/_sandbox/settings"
    reply = await stage.client.send_json("PUT", url, {"idempotency": True})
    if reply.status != 200:
        raise click.ClickException(f"PUT {url} answered HTTP {reply.status}.")


async def _judge(stage: Stage, day: Day, summary: Summary, seconds: float) -> Result:
    facts, options = stage.facts, stage.options
    gateway = msgspec.json.decode(await _read(stage, f"{facts.opayo}/_sandbox/ledger"), type=GatewayLedger)
    erp = msgspec.json.decode(await _read(stage, f"{facts.syspro}/_sandbox/ledger"), type=ErpLedger)
    shop = msgspec.json.decode(await _read(stage, f"{facts.shop}/_sandbox/ledger"))
    sales = [one.sale for one in day.played]
    course = Course(
        asked=options.payments,
        seed=options.seed,
        faults=options.faults,
        transport=options.transport,
        workers=options.workers,
        sales=len(sales),
        declined=sum(attempt.declined for sale in sales for attempt in sale.attempts),
        never_captured=sum(not sale.captured for sale in sales),
        mistakes=dict(Counter(sale.mistake for sale in sales if sale.mistake)),
        seconds=seconds,
        faults_fired={
            name: await _fired(stage, getattr(facts, name)) for name in ("opayo", "syspro", "shop")
        },
        told=sum(bool(order["history"]) for order in shop["orders"]),
    )
    held, dead = await stage.service.held(), await stage.service.dead_letters()
    return make_result(audit(gateway, erp, held, dead), summary, course)


async def _fired(stage: Stage, root: str) -> dict[str, int]:
    fired: dict[str, int] = msgspec.json.decode(await _read(stage, f"{root}/_sandbox/faults"))["fired"]
    return fired


async def _read(stage: Stage, url: str) -> bytes:
    reply = await stage.client.send("GET", url)
    if reply.status != 200:
        raise click.ClickException(f"GET {url} answered HTTP {reply.status}.")
    return reply.body


async def _farewell(stage: Stage, console: Console) -> None:
    if not stage.options.keep:
        console.print(
            "To keep it running and look around: make serve. The API's description is then at /schema."
        )
        return
    url = stage.service.url
    console.print(f"Still running: {url} (API docs: {url}/schema, API key: {stage.service.admin_key})")
    console.print(f"Opayo {stage.facts.opayo} · SYSPRO {stage.facts.syspro} · shop {stage.facts.shop}")
    console.print("Stop everything with Ctrl-C.")
    # Ctrl-C is how keeping ends; the day was played, and its verdict stands.
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            stage.home.check()
            await asyncio.sleep(1)
