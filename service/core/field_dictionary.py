"""What the ERP allows in each field of a document: type, length, choices. The facts are data, not code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from integration.canonical.money import decimal_text, exponent
from service.core.source_document import Json

_INDEX = re.compile(r"\[\d\]")


class UnreadableDictionary(ValueError):
    """A field dictionary that does not have the form of one; the text says where."""


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of an ERP document.

    Attributes:
        type: `list` is a repeated group; its fields are written `Group[].Field`.
        element: SYSPRO's own element for it, where the transport needs another name.
        length: most characters of a text; digits before the point of a decimal or amount.
        places: most digits after the point of a decimal.
        least, most: bounds of an integer.
        choices: the only values a text may have, when there are any.
        required: the ERP refuses the document without it; in a repeated group, in every item.
    """

    type: Literal["text", "integer", "decimal", "date", "money", "list"]
    description: str
    element: str = ""
    length: int = 0
    places: int = 0
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False

    def fault(self, value: Json) -> str:
        """What is wrong with a value, as half a sentence that does not repeat it; empty when it fits."""
        match self.type:
            case "text":
                return self._text_fault(value)
            case "integer":
                return self._integer_fault(value)
            case "decimal":
                return self._decimal_fault(value)
            case "date":
                return "" if _is_date(value) else "is no date such as 2025-06-02"
            case "money":
                return self._money_fault(value)
            case _:
                return "is filled by the rows of its group, not by a row of its own"

    def _text_fault(self, value: Json) -> str:
        if not isinstance(value, str):
            return "is no text"
        if len(value) > self.length:
            return f"has {len(value)} characters, and SYSPRO takes {self.length}"
        if self.choices and value not in self.choices:
            return f"is none of {', '.join(self.choices)}"
        return ""

    def _integer_fault(self, value: Json) -> str:
        if not isinstance(value, int) or isinstance(value, bool):
            return "is no whole number"
        low = self.least is not None and value < self.least
        high = self.most is not None and value > self.most
        return f"is not between {self.least} and {self.most}" if low or high else ""

    def _decimal_fault(self, value: Json) -> str:
        try:
            number = decimal_text(value if isinstance(value, str) else "")
        except ValueError:
            return "is no decimal number"
        places = -int(number.normalize().as_tuple().exponent)
        return self._digits_fault(number) or (
            f"has more than {self.places} places" if places > self.places else ""
        )

    def _money_fault(self, value: Json) -> str:
        if not isinstance(value, dict) or value.keys() != {"minor", "currency"}:
            return "is no amount of money"
        minor, currency = value["minor"], value["currency"]
        if not isinstance(minor, int) or isinstance(minor, bool) or not isinstance(currency, str):
            return "is no amount of money"
        try:
            return self._digits_fault(Decimal(minor).scaleb(-exponent(currency)))
        except ValueError:
            return "has no ISO 4217 currency"

    def _digits_fault(self, number: Decimal) -> str:
        fits = number.is_zero() or number.adjusted() < self.length
        return "" if fits else f"has more than {self.length} digits before the point"


def _is_date(value: Json) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


class FieldDictionary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All fields of one kind of ERP document.

    Attributes:
        document: the kind (`sales_order`, `ar_payment`).
        fields: by path; the fields of a repeated group are written `Lines[].StockCode`.
    """

    document: str
    description: str
    fields: Mapping[str, Field]

    @classmethod
    def from_dict(cls, data: object) -> FieldDictionary:
        """Read a dictionary from what YAML or JSON gave.

        Raises:
            UnreadableDictionary: it has not the form of one.
        """
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise UnreadableDictionary(f"this is no field dictionary: {error}") from error

    def field(self, target: str) -> Field | None:
        """The field at a target path; `Unapplied[0].X` is a field `Unapplied[].X`."""
        return self.fields.get(_INDEX.sub("[]", target))

    def gaps(self, values: Mapping[str, Json]) -> list[str]:
        """The required fields that a document lacks, as target paths."""
        missing: list[str] = []
        for path, field in self.fields.items():
            group, _, member = path.partition("[].")
            if not field.required:
                continue
            if not member and not values.get(path):
                missing.append(path)
            items = values.get(group) if member else None
            for index, item in enumerate(items if isinstance(items, list) else []):
                if isinstance(item, dict) and item.get(member) is None:
                    missing.append(f"{group}[{index}].{member}")
        return missing
