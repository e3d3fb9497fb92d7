"""`opayo-syspro stop`: stop the private database of a data folder."""

import rich_click as click

from service.settings import Settings
from service.store.private_server import PrivateServer


@click.command("stop")
def command() -> None:
    """Stop the private database; a service that uses it loses it, and starts it again when it starts."""
    stopped = PrivateServer(Settings().data_dir).stop()
    click.echo("stopped" if stopped else "nothing was running")
