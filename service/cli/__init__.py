"""The command line: `opayo-syspro`. Other packages' commands join by the entry-point group below."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import rich_click as click

from integration.errors import IntegrationError

GROUP = "opayo_syspro.commands"

# Name → module under `service.cli` that has `command`; imported when it is asked for, so that starting is quick.
_COMMANDS = {
    "backfill": "Read history from Opayo's lists.",
    "demo": "Play one trading day through sandboxes and service.",
    "doctor": "Check both systems light by light.",
    "replay": "Send waiting payments round again.",
    "sandbox": "Run stand-ins for Opayo, SYSPRO and a shop.",
    "serve": "Run the service: API and worker.",
    "settings": "List every setting with its default and meaning.",
    "simulate": "Run a whole site in one process under a seed, with faults.",
    "stop": "Stop the private database.",
    "vault": "Change the key under which secrets are sealed.",
    "version": "Print the version.",
    "worker": "Work the lanes, beside a running service.",
}


class _Commands(click.RichGroup):
    """Finds commands by name, ours and those that other packages bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_COMMANDS, *(point.name for point in entry_points(group=GROUP))})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _COMMANDS:
            from importlib import import_module

            command: click.Command = import_module(f"service.cli.{name}").command
            return command
        for point in entry_points(group=GROUP):
            if point.name == name:
                loaded: click.Command = point.load()
                return loaded
        return None


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Posts Opayo payments into the SYSPRO ERP exactly once, and proves it to the penny."""


def main() -> None:
    """Run the command line; an error that we understand is a sentence, not a trace."""
    try:
        cli(prog_name="opayo-syspro")
    except IntegrationError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
