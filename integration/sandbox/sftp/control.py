"""``POST /_sandbox/files`` of the Opayo stand-in: write a day's files and leave them in the vendor's folder."""

from __future__ import annotations

from datetime import date

import msgspec

from integration.sandbox.opayo.clock import uk_day
from integration.sandbox.opayo.parts import Parts
from integration.sandbox.opayo.wire import Request, Response, json_reply
from integration.sandbox.sftp.day_files import Books, ChargebackOrder, day_files
from integration.sandbox.sftp.server import SftpSandbox


class DayBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which UK day, today when absent, and the chargebacks that its notices tell."""

    day: date | None = None
    chargebacks: list[ChargebackOrder] = []


async def write_day(request: Request, opayo: Parts, sftp: SftpSandbox) -> Response:
    """Leave the files of a day; answers their names.

    Raises:
        ValueError: a chargeback names no transaction.
    """
    body = msgspec.json.decode(request.body or b"{}", type=DayBody)
    names = leave_day(opayo, sftp, body)
    return json_reply(201, {"files": names})


def leave_day(opayo: Parts, sftp: SftpSandbox, body: DayBody) -> list[str]:
    """Write the files of a day from the books of Opayo, and leave them; gives their names.

    Raises:
        ValueError: a chargeback names no transaction.
    """
    vendor = opayo.config.vendor
    books = Books(opayo.store, vendor, opayo.config.merchant_number)
    made = day_files(books, body.day or uk_day(opayo.clock.now()), body.chargebacks)
    for name, content in made.items():
        sftp.leave(vendor, name, content)
    return sorted(made)
