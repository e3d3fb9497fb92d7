"""The web shop, where the pair has one."""

from __future__ import annotations

from integration.errors import IntegrationError, Transient
from integration.ports import Storefront
from service.cli.lights import network
from service.cli.lights.board import Board, Suspect
from service.cli.lights.network import Place
from service.store.pairs import ShopSettings

CONNECTION, TLS, CLOCK = network.names("shop")
SHOP = "shop"
SECRET = "shop webhook secret"  # noqa: S105 - the name of a light

NAMES = (CONNECTION, TLS, CLOCK, SHOP, SECRET)


async def look(board: Board, settings: ShopSettings, storefront: Storefront) -> None:
    """Light the shop's lamps."""
    place = Place(system="shop", urls={"shop.base_url": settings.base_url}, service="the shop")

    async def ping() -> str:
        await storefront.ping()
        return f"{settings.base_url} lets us read orders"

    if await network.look(board, place):
        await board.ask(SHOP, ping, _blame)
    board.explain(f"it waits for `{TLS if board.is_red(TLS) else CONNECTION}`", SHOP)
    if settings.webhook_secret.strip():
        board.green(SECRET, "set")
    else:
        board.red(
            SECRET,
            "none is set",
            "Set `shop.webhook_secret` to the secret of the shop's web hook: unsigned events are refused, and orders"
            " are found only by asking.",
        )


def _blame(error: IntegrationError) -> Suspect | None:
    return Suspect(CONNECTION, _NOT_THE_SHOP) if isinstance(error, Transient) else None


_NOT_THE_SHOP = (
    "Something listens there, and does not answer as the shop does: check host and path of `shop.base_url`, and the"
    " shop's own log."
)
