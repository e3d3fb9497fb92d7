"""`opayo-syspro settings`: every setting in one table."""

import rich_click as click
from rich.console import Console
from rich.table import Table

from service.settings import table


@click.command("settings")
def command() -> None:
    """List every setting: its variable, default and meaning."""
    shown = Table("variable", "default", "meaning")
    for variable, default, meaning in table():
        shown.add_row(variable, default, meaning)
    Console(width=140).print(shown)
