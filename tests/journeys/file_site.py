"""A site for tests of files: a pair joined to the acquirer's SFTP server, and what a test does with both."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table, select

from integration.sandbox.sftp import INCOMING, SftpSandbox
from integration.sandbox.sftp.control import DayBody, leave_day
from integration.sandbox.sftp.day_files import ChargebackOrder
from service.flow.files import Arrived, Taken, take
from service.jobs.file_drop import poll
from service.store import pairs
from tests.flow.site import Site

VENDOR = "sandbox"


@dataclass
class Acquirer:
    """The acquirer's server and the site that looks at it."""

    site: Site
    server: SftpSandbox

    async def configure(self, **changes: Any) -> None:
        """Join the pair to the server."""
        async with self.site.engine.begin() as connection:
            settings = await pairs.load(connection, self.site.vault, self.site.pair)
            assert settings is not None
            members = {
                "host": "127.0.0.1",
                "port": self.server.port,
                "user": VENDOR,
                "password": self.server.config.vendors[VENDOR],
                "host_key": self.server.host_key,
                "folder": INCOMING,
            } | changes
            settings.files = msgspec.convert(members, type(settings.files))
            await pairs.save(connection, self.site.vault, settings)
        self.site.stages.forget(self.site.pair)

    async def poll(self) -> dict[str, object]:
        """Look at the folder, as the job does."""
        return await poll(self.site.stages, self.site.pair)

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        async with self.site.engine.connect() as connection:
            found = await connection.execute(select(table).where(table.c.pair == self.site.pair))
            return [dict(row) for row in found.mappings()]

    async def upload(self, name: str, content: bytes | str) -> Taken:
        """Take a file as an upload."""
        settings, _ = await self.site.stages.connections(self.site.pair)
        content = content if isinstance(content, bytes) else content.encode()
        arrived = Arrived(name=name, content=content, source="upload", by="anna")
        return await take(self.site.engine, settings, arrived)


async def a_day(acquirer: Acquirer) -> list[str]:
    """Three payments, a refund-free night, and the files of the day after."""
    north = acquirer.site
    for number, minor in enumerate((10_000, 2_550, 799), 1):
        await north.pay(f"SO-{number}", minor)
    north.opayo.parts.clock.advance(datetime.timedelta(days=1).total_seconds())
    north.opayo.parts.tick()
    await north.pay("SO-4", 5_000)
    orders = [
        ChargebackOrder(vendor_tx_code="SO-1"),
        ChargebackOrder(vendor_tx_code="SO-1", stage="representment"),
    ]
    return leave_day(north.opayo.parts, acquirer.server, DayBody(chargebacks=orders))
