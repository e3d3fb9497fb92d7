"""A shop's order becomes a canonical one whose lines add up to what the shopper pays, to the penny."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct, structs

from integration.canonical.money import Money, exponent, total
from integration.canonical.order import LineKind, OrderLine
from integration.errors import InvalidPayment

# SYSPRO and most shops keep unit prices to five decimals.
_UNIT_PRICE = Decimal("0.00001")


class ShopLine(Struct, frozen=True, kw_only=True):
    """A line as a shop tells it: exact decimals in major units, `net` and `tax` after discounts.

    `unit_price` is used as told, and derived from `net` and `quantity` when it is not.
    """

    kind: LineKind
    net: Decimal
    tax: Decimal
    stock_code: str = ""
    description: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None


def exact_money(amount: Decimal, currency: str, what: str) -> Money:
    """An amount that must be exact in its currency.

    Raises:
        InvalidPayment: it has more decimals than the currency, or is no number.
    """
    try:
        return Money.of(amount, currency)
    except ValueError as error:
        raise InvalidPayment(f"{what}: {error}", code="shop.amount") from error


def order_lines(lines: Sequence[ShopLine], due: Money, order: str) -> tuple[OrderLine, ...]:
    """Canonical lines whose gross values sum to the order's total.

    Free delivery and empty fees are left out. Shops that tax the subtotal keep fractions of a penny on their
    lines: the pennies that rounding moves, at most one for each rounded amount, go to the tax of the largest
    line. Any other difference is refused.

    Raises:
        InvalidPayment: the lines do not add up, or a line has no quantity.
    """
    kept = [line for line in lines if line.kind == "stock" or line.net or line.tax]
    made = [_line(line, due.currency, order) for line in kept]
    difference = due - total([line.gross for line in made], due.currency)
    if not difference:
        return tuple(made)
    places = Decimal(1).scaleb(-exponent(due.currency))
    rounded = sum(amount % places != 0 for line in kept for amount in (line.net, line.tax))
    if not made or abs(difference.minor) > rounded:
        raise InvalidPayment(
            f"The lines of order {order} differ from its total {due} by {difference}",
            code="shop.lines-do-not-add-up",
            hint="Correct the order in the shop, or let it tell its fees and vouchers as lines, then replay.",
            evidence={"order": order, "difference_minor": difference.minor, "currency": due.currency},
        )
    largest = max(range(len(made)), key=lambda place: made[place].gross)
    made[largest] = structs.replace(made[largest], tax=made[largest].tax + difference)
    return tuple(made)


def _line(line: ShopLine, currency: str, order: str) -> OrderLine:
    if not (line.quantity.is_finite() and line.quantity > 0):
        raise InvalidPayment(f"A line of order {order} has quantity {line.quantity}", code="shop.quantity")
    price = line.unit_price
    if price is None:
        price = (line.net / line.quantity).quantize(_UNIT_PRICE, ROUND_HALF_EVEN)
    return OrderLine(
        kind=line.kind,
        net=_nearest(line.net, currency, order),
        tax=_nearest(line.tax, currency, order),
        stock_code=line.stock_code,
        description=line.description,
        quantity=line.quantity,
        unit_price=price,
    )


def _nearest(amount: Decimal, currency: str, order: str) -> Money:
    if not amount.is_finite():
        raise InvalidPayment(f"A line of order {order} has amount {amount}", code="shop.amount")
    places = Decimal(1).scaleb(-exponent(currency))
    return Money.of(amount.quantize(places, ROUND_HALF_EVEN), currency)
