"""`opayo-syspro version`."""

from importlib.metadata import version

import rich_click as click


@click.command("version")
def command() -> None:
    """Print the version."""
    click.echo(version("opayo-syspro"))
