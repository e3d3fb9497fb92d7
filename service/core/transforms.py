"""The closed catalogue of field functions: what a mapping may do to a value, and nothing else.

Each is pure and named. Nothing (`None`) passes through all of them untouched, except `first_of`, `concat` and
`constant`, which can make something of it. Where a function changed what a value says, cut it, rounded it or
wrote it in other letters, it leaves a note for the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.core import field_functions as functions
from service.core.field_functions import Arguments, ArgumentValue, Outcome
from service.core.source_document import Json


class TransformFailed(ValueError):
    """A value that a field function cannot take.

    Attributes:
        reason: which function, and what it takes, without the value: it may stand in an error or a log.
    """

    def __init__(self, reason: str, value: Json) -> None:
        shown = repr(value)
        super().__init__(f"{reason}; it got {shown if len(shown) <= 60 else shown[:57] + '…'}")
        self.reason = reason


class BadArguments(ValueError):
    """A mapping that names an unknown function, or gives one arguments it does not have."""


class Argument(Struct, frozen=True, kw_only=True):
    """One argument of a function; without a default it must be given.

    Attributes:
        kind: `table` is text by text, `zone` the IANA name of a time zone.
        least, most: bounds of an integer.
    """

    name: str
    kind: Literal["text", "integer", "table", "zone"]
    default: str | int | None = None
    least: int = 0
    most: int = 400

    def suits(self, value: ArgumentValue) -> bool:
        """Whether a value can be this argument."""
        if self.kind == "table":
            return isinstance(value, dict)
        if self.kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        return isinstance(value, str) and (self.kind == "text" or _is_zone(value))

    def wanted(self) -> str:
        """What the argument must be, in words."""
        names = {"text": "a text", "table": "a table of text by text", "zone": "a time zone"}
        return names.get(self.kind, f"a whole number from {self.least} to {self.most}")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return False
    return True


class Transform(Struct, frozen=True, kw_only=True):
    """A field function of the catalogue.

    Attributes:
        summary: what it does, for the person who picks it.
        takes_nothing: it is applied even where the source has no value.
    """

    name: str
    summary: str
    function: Callable[[Json, Arguments], Outcome]
    arguments: tuple[Argument, ...] = ()
    takes_nothing: bool = False

    def settle(self, given: Arguments) -> dict[str, ArgumentValue]:
        """The arguments with their defaults.

        Raises:
            BadArguments: one is unknown, missing, of the wrong kind or out of bounds.
        """
        known = {argument.name: argument for argument in self.arguments}
        if unknown := sorted(set(given) - set(known)):
            has = ", ".join(sorted(known)) or "none"
            raise BadArguments(f"`{self.name}` has no argument `{unknown[0]}`; it has {has}")
        settled: dict[str, ArgumentValue] = {}
        for name, argument in known.items():
            value = given.get(name, argument.default)
            if value is None:
                raise BadArguments(f"`{self.name}` needs the argument `{name}`: {argument.wanted()}")
            if not argument.suits(value):
                raise BadArguments(f"`{self.name}` cannot take {value!r} as `{name}`: {argument.wanted()}")
            settled[name] = value
        return settled

    def apply(self, value: Json, arguments: Arguments) -> Outcome:
        """The function's result for a value; `arguments` are settled ones.

        Raises:
            TransformFailed: it cannot take this value.
        """
        if value is None and not self.takes_nothing:
            return Outcome(None)
        try:
            return self.function(value, arguments)
        except (ValueError, OverflowError) as error:
            raise TransformFailed(f"`{self.name}` cannot take it: {error}", value) from error


_LENGTH = Argument(name="length", kind="integer", least=1)
_SEPARATOR = Argument(name="separator", kind="text", default=" ")
_ALL = (
    Transform(name="text", summary="As text; yes and no become Y and N.", function=functions.text),
    Transform(name="upper", summary="In capital letters.", function=functions.upper),
    Transform(
        name="strip", summary="Without spaces around it, single spaces inside.", function=functions.strip
    ),
    Transform(
        name="cut",
        summary="At most so many characters; leaves a note.",
        function=functions.cut,
        arguments=(_LENGTH,),
    ),
    Transform(
        name="pad_zeros",
        summary="Digits with zeros before them; other text stays as it is.",
        function=functions.pad_zeros,
        arguments=(Argument(name="width", kind="integer", least=1, most=50),),
    ),
    Transform(
        name="concat",
        summary="The values that are there, joined.",
        function=functions.concat,
        arguments=(_SEPARATOR,),
        takes_nothing=True,
    ),
    Transform(
        name="split",
        summary="One part of a text, counted from 1; nothing where there are fewer parts.",
        function=functions.split,
        arguments=(_SEPARATOR, Argument(name="part", kind="integer", default=1, least=1)),
    ),
    Transform(
        name="first_of",
        summary="The first value that is not empty.",
        function=functions.first_of,
        takes_nothing=True,
    ),
    Transform(
        name="constant",
        summary="Always this text.",
        function=functions.constant,
        arguments=(Argument(name="value", kind="text"),),
        takes_nothing=True,
    ),
    Transform(
        name="lookup",
        summary="The value beside it in a table; fails on others unless `otherwise` is given.",
        function=functions.lookup,
        arguments=(Argument(name="table", kind="table"), Argument(name="otherwise", kind="text", default="")),
    ),
    Transform(
        name="minor_to_major",
        summary="Money as an exact decimal text, with the currency's own number of decimals.",
        function=functions.minor_to_major,
    ),
    Transform(
        name="decimal",
        summary="A decimal text with exactly so many places, rounded half to even; leaves a note.",
        function=functions.decimal,
        arguments=(Argument(name="places", kind="integer", most=9),),
    ),
    Transform(
        name="date",
        summary="The business date of a moment in a time zone.",
        function=functions.date,
        arguments=(
            Argument(name="zone", kind="zone", default="Europe/London"),
            Argument(name="format", kind="text", default="%Y-%m-%d"),
        ),
    ),
    Transform(
        name="hex_reference",
        summary="The first hex digits of a transaction id, in capitals, with a suffix behind them.",
        function=functions.hex_reference,
        arguments=(
            Argument(name="length", kind="integer", default=30, least=16, most=32),
            Argument(name="suffix", kind="text", default=""),
        ),
    ),
    Transform(
        name="po_number",
        summary="A vendor transaction code as an order number of at most 30 characters; no two collide.",
        function=functions.po_number,
    ),
    Transform(
        name="code_page",
        summary="In the letters of Windows-1252; leaves a note.",
        function=functions.code_page,
    ),
    Transform(
        name="address_line",
        summary="One line of an address: tidy, in the ERP's letters, cut between words; leaves a note.",
        function=functions.address_line,
        arguments=(Argument(name="length", kind="integer", default=40, least=1),),
    ),
    Transform(
        name="sum", summary="Amounts of one currency, or whole numbers, added.", function=functions.add_up
    ),
    Transform(
        name="zero",
        summary="No money, in the currency of an amount.",
        function=functions.zero,
    ),
    Transform(name="negate", summary="Money or a number with the other sign.", function=functions.negate),
    Transform(
        name="receipt",
        summary="What the ERP answers to an earlier document of the same payment: its key, or a named detail.",
        function=functions.receipt,
        arguments=(Argument(name="of", kind="text"), Argument(name="name", kind="text", default="key")),
        takes_nothing=True,
    ),
)

CATALOGUE: Mapping[str, Transform] = {transform.name: transform for transform in _ALL}
"""All field functions by name. It is closed: a mapping cannot bring its own."""


def transform_named(name: str) -> Transform:
    """A function of the catalogue.

    Raises:
        BadArguments: there is none of that name.
    """
    if name not in CATALOGUE:
        raise BadArguments(f"there is no field function `{name}`; there are {', '.join(sorted(CATALOGUE))}")
    return CATALOGUE[name]
