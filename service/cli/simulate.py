"""`opayo-syspro simulate`: a whole site in one process under a seed, with everything going wrong that can."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

import rich_click as click
from msgspec import Struct, convert

from service.cli.simulation import database
from service.cli.simulation.run import Options, Outcome, simulate
from service.store.private_server import PrivateServer

FOLDER = Path("var/simulation")


class SimulateOptions(Struct, frozen=True, kw_only=True):
    """The command's options."""

    seed: int
    seeds: int
    events: int
    transport: Literal["harmony", "enet"]
    trace: str | None


@click.command("simulate")
@click.option("--seed", type=int, default=1, show_default=True, help="The first seed.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many, one by one.")
@click.option("--events", type=click.IntRange(1), default=300, show_default=True, help="Payments in each.")
@click.option("--transport", type=click.Choice(["harmony", "enet"]), default="harmony", show_default=True)
@click.option("--trace", type=click.Path(dir_okay=False), help="Write what happened to this file, in order.")
def command(**options: int | str | None) -> None:
    """Run seeds of the simulation; the same seed gives the same trace."""
    _same_hashes()
    wanted = convert(options, SimulateOptions)
    broken = 0
    with PrivateServer(FOLDER, durable=False).running() as server:
        url = database.create(server, "simulation")
        for seed in range(wanted.seed, wanted.seed + wanted.seeds):
            outcome = simulate(url, Options(seed=seed, events=wanted.events, transport=wanted.transport))
            click.echo("\n".join(report(outcome)))
            broken += bool(outcome.broken)
            if wanted.trace:
                Path(wanted.trace).write_text("\n".join(outcome.trace) + "\n")
    if broken:
        raise click.ClickException(f"{broken} of {wanted.seeds} seeds broke a promise")


def _same_hashes() -> None:
    """Start anew with the hashes of texts fixed: sets of texts are then walked alike in every process."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "service.cli", *sys.argv[1:]])  # noqa: S606


def report(outcome: Outcome) -> list[str]:
    """What a person reads of a seed: one line, and one for every promise that was broken."""
    options = outcome.options
    states = ", ".join(f"{count} {state}" for state, count in outcome.states.items())
    lines = [
        f"seed {options.seed}: {'broken' if outcome.broken else 'ok'}, {outcome.digest[:16]}, "
        f"{outcome.simulated_seconds:,.0f} s simulated in {outcome.cpu_seconds:.1f} s of CPU, "
        f"{outcome.calls} calls, {outcome.kills} kills, {outcome.pauses} pauses, "
        f"{outcome.connections_lost} connections lost; {states}"
    ]
    lines += [f"  {each.name} {each.claim}: {each.evidence}" for each in outcome.broken]
    if outcome.broken:
        lines.append(f"  replay it: {replay(options)}")
    return lines


def replay(options: Options) -> str:
    """The command that runs a seed again."""
    return (
        f"opayo-syspro simulate --seed {options.seed} --events {options.events} "
        f"--transport {options.transport}"
    )
