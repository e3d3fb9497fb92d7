"""The functions behind the catalogue in `transforms`: each takes a value and settled arguments, all are pure.

They raise `ValueError` with half a sentence that says what they take; the catalogue adds name and value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from integration.canonical.money import Money, decimal_text, total
from service.core import references
from service.core.code_page import transliterate
from service.core.source_document import Json

ArgumentValue = str | int | dict[str, str]
Arguments = Mapping[str, ArgumentValue]

_MOST_DIGITS = 18


class Outcome(Struct, frozen=True):
    """A function's result, and what it lost on the way, if anything."""

    value: Json
    note: str = ""


# --- reading a value ------------------------------------------------------------------------------


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, (str, int)):
        return str(value)
    raise ValueError("it takes text or a whole number")


def _money(value: Json) -> Money:
    if isinstance(value, dict) and value.keys() == {"minor", "currency"}:
        minor, currency = value["minor"], value["currency"]
        if isinstance(minor, int) and not isinstance(minor, bool) and isinstance(currency, str):
            return Money(minor, currency)
    raise ValueError("it takes money: minor units and a currency")


def _number(value: Json) -> Decimal:
    number = decimal_text(_text(value))
    if number.adjusted() >= _MOST_DIGITS or number.adjusted() < -_MOST_DIGITS:
        raise ValueError(f"a number has at most {_MOST_DIGITS} digits on either side of the point")
    return number


def _json(money: Money) -> Json:
    return {"minor": money.minor, "currency": money.currency}


def _items(value: Json) -> list[Json]:
    """What is there, in order; a single value is a list of one."""
    found = value if isinstance(value, list) else [value]
    return [item for item in found if item is not None]


def _whole(arguments: Arguments, name: str) -> int:
    value = arguments[name]
    assert isinstance(value, int), "arguments were settled"
    return value


# --- text -----------------------------------------------------------------------------------------


def text(value: Json, _: Arguments) -> Outcome:
    """As text; booleans become SYSPRO's `Y` and `N`."""
    return Outcome(_text(value))


def upper(value: Json, _: Arguments) -> Outcome:
    """In capital letters."""
    return Outcome(_text(value).upper())


def strip(value: Json, _: Arguments) -> Outcome:
    """Without white space around it, and with single spaces inside."""
    return Outcome(" ".join(_text(value).split()))


def cut(value: Json, arguments: Arguments) -> Outcome:
    """At most `length` characters."""
    whole, length = _text(value), _whole(arguments, "length")
    if len(whole) <= length:
        return Outcome(whole)
    return Outcome(whole[:length].rstrip(), f"cut from {len(whole)} to {length} characters")


def pad_zeros(value: Json, arguments: Arguments) -> Outcome:
    """Digits filled with zeros to `width`; other text stays as it is, as SYSPRO's alphanumeric keys do."""
    digits = _text(value)
    plain = digits.isascii() and digits.isdecimal()
    return Outcome(digits.zfill(_whole(arguments, "width")) if plain else digits)


def concat(value: Json, arguments: Arguments) -> Outcome:
    """The texts that are there and not empty, joined by `separator`; nothing when there are none."""
    parts = [_text(item) for item in _items(value)]
    return Outcome(str(arguments["separator"]).join(part for part in parts if part) or None)


def split(value: Json, arguments: Arguments) -> Outcome:
    """The `part` of a text between separators, counted from 1; nothing where there are fewer."""
    parts = _text(value).split(str(arguments["separator"]) or None)
    place = _whole(arguments, "part") - 1
    return Outcome(parts[place].strip() if place < len(parts) else None)


def first_of(value: Json, _: Arguments) -> Outcome:
    """The first value that is there and not an empty text."""
    return Outcome(next((item for item in _items(value) if item != ""), None))


def constant(_: Json, arguments: Arguments) -> Outcome:
    """Always `value`."""
    return Outcome(str(arguments["value"]))


def receipt(_: Json, arguments: Arguments) -> Outcome:
    """A placeholder for what the ERP will answer to the document `of`: its key, or the detail `name`."""
    return Outcome(f"{{{arguments['of']}.{arguments['name']}}}")


def lookup(value: Json, arguments: Arguments) -> Outcome:
    """The value beside it in `table`; for others `otherwise`, when it is not empty.

    Raises:
        ValueError: neither the table nor `otherwise` has a value for it.
    """
    table = arguments["table"]
    assert isinstance(table, dict), "arguments were settled"
    found = table.get(_text(value))
    if found is not None:
        return Outcome(found)
    if not arguments["otherwise"]:
        raise ValueError("it is not in the table, and no value is named for others")
    return Outcome(str(arguments["otherwise"]), "not in the table")


def code_page(value: Json, _: Arguments) -> Outcome:
    """In letters that Windows-1252 has."""
    whole = _text(value)
    plain = transliterate(whole)
    return Outcome(plain, "" if plain == whole else "written in the letters of Windows-1252")


def address_line(value: Json, arguments: Arguments) -> Outcome:
    """One line of an address: tidy, in Windows-1252, cut to `length` between words where that is possible."""
    tidy = " ".join(_text(value).split())
    line = " ".join(transliterate(tidy).split()).strip(" ,")
    notes = ["written in the letters of Windows-1252"] if transliterate(tidy) != tidy else []
    length = _whole(arguments, "length")
    if len(line) > length:
        notes.append(f"cut from {len(line)} to {length} characters")
        # A word less reads better on a parcel than half a word, unless it is one long word.
        line = (line[: length + 1].rpartition(" ")[0] or line[:length]).rstrip(" ,")
    return Outcome(line, "; ".join(notes))


def po_number(value: Json, _: Arguments) -> Outcome:
    """A vendor transaction code as `CustomerPoNumber`."""
    code = _text(value)
    short = references.po_number(code)
    return Outcome(short, "" if short == code else "shortened with a digest, so that no two codes collide")


def hex_reference(value: Json, arguments: Arguments) -> Outcome:
    """The first `length` hex digits of a transaction id, and `suffix` behind them."""
    digits = references.hex_reference(_text(value), _whole(arguments, "length"))
    return Outcome(f"{digits}{arguments['suffix']}")


# --- money, numbers, dates ------------------------------------------------------------------------


def minor_to_major(value: Json, _: Arguments) -> Outcome:
    """Money as an exact decimal text in major units, with the currency's own number of decimals."""
    return Outcome(_money(value).plain())


def decimal(value: Json, arguments: Arguments) -> Outcome:
    """A decimal text with exactly `places` places, rounded half to even."""
    exact = _number(value)
    rounded = exact.quantize(Decimal(1).scaleb(-_whole(arguments, "places")), ROUND_HALF_EVEN)
    # Adding zero drops the sign of a negative zero, which no ERP can read.
    return Outcome(f"{rounded + 0:f}", "" if rounded == exact else f"rounded from {exact:f}, half to even")


def date(value: Json, arguments: Arguments) -> Outcome:
    """The business date of a moment in `zone`, written by `format` (strftime)."""
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a time without its zone has no business date")
    local = moment.astimezone(ZoneInfo(str(arguments["zone"])))
    return Outcome(local.strftime(str(arguments["format"])))


def add_up(value: Json, _: Arguments) -> Outcome:
    """The sum of whole numbers, or of money in one currency; nothing when there are none."""
    items = _items(value)
    numbers = [item for item in items if isinstance(item, int) and not isinstance(item, bool)]
    if len(numbers) == len(items):
        return Outcome(sum(numbers) if numbers else None)
    amounts = [_money(item) for item in items]
    return Outcome(_json(total(amounts, amounts[0].currency)))


def zero(value: Json, _: Arguments) -> Outcome:
    """No money, in the currency of an amount."""
    return Outcome(_json(Money(0, _money(value).currency)))


def negate(value: Json, _: Arguments) -> Outcome:
    """A whole number, a decimal text or money with the other sign."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Outcome(-value)
    if isinstance(value, str):
        return Outcome(f"{_number(value).copy_negate() + 0:f}")
    return Outcome(_json(-_money(value)))
