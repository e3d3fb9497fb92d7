"""Opayo: addresses, keys, Reporting with its list of IP addresses, and the secret that signs its events."""

from __future__ import annotations

from integration.errors import IntegrationError, Transient
from integration.ports import Gateway
from service.cli.lights import network
from service.cli.lights.board import Board, Suspect
from service.cli.lights.network import Place
from service.store.pairs import PairSettings

CONNECTION, TLS, CLOCK = network.names("Opayo")
PI = "Opayo Pi"
REPORTING = "Opayo Reporting"
ADDRESS = "Opayo Reporting address"
SECRET = "webhook secret"  # noqa: S105 - the name of a light

NAMES = (CONNECTION, TLS, CLOCK, PI, REPORTING, ADDRESS, SECRET)

_WRONG_ADDRESS = "4020"
_ENTER_ADDRESS = (
    "Enter the address from which this machine goes out to the internet among the valid IP addresses in MyOpayo"
    " (Settings), and wait some minutes."
)
_NOT_OPAYO = (
    "Something listens there, and does not answer as Opayo does: check host and path of `opayo.pi_url` (it ends in"
    " /api/v1) and `opayo.reporting_url` (/access/access.htm), and proxies in between; else ask Opayo's status page."
)


async def look(board: Board, settings: PairSettings, gateway: Gateway) -> None:
    """Light Opayo's lamps."""
    opayo = settings.opayo
    urls = {
        "opayo.pi_url": opayo.pi_url,
        "opayo.reporting_url": opayo.reporting_url,
        "opayo.gateway_url": opayo.gateway_url,
    }
    answering = await network.look(board, Place(system="Opayo", urls=urls, service="Opayo"))

    async def keys() -> str:
        await gateway.ping()
        return f"a session key for vendor {settings.vendor}"

    async def look_ups() -> str:
        await gateway.ping_reporting()
        return f"it answers look-ups of user {opayo.reporting_user}"

    if "opayo.pi_url" in answering:
        await board.ask(PI, keys, _blame)
    if "opayo.reporting_url" in answering and await board.ask(REPORTING, look_ups, _blame):
        board.green(ADDRESS, "Opayo takes look-ups from this machine's address")
    guilty = TLS if board.is_red(TLS) else CONNECTION
    board.explain(f"it waits for `{guilty}`", PI, REPORTING)
    board.explain(f"it waits for `{REPORTING}`", ADDRESS)
    _secret(board, opayo.webhook_secrets)


def _blame(error: IntegrationError) -> Suspect | None:
    if error.evidence.get("opayo_reporting_code") == _WRONG_ADDRESS:
        return Suspect(ADDRESS, _ENTER_ADDRESS)
    if isinstance(error, Transient) and "opayo_reporting_code" not in error.evidence:
        return Suspect(CONNECTION, _NOT_OPAYO)
    return None


def _secret(board: Board, secrets: list[str]) -> None:
    held = [secret for secret in secrets if secret.strip()]
    if held:
        board.green(SECRET, f"{len(held)} set")
    else:
        board.red(
            SECRET,
            "none is set",
            "Set `opayo.webhook_secrets` to the secret that the sender of events signs with: unsigned events are"
            " refused.",
        )
