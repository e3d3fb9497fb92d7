"""The classes of repair: each looks at an error with what is known, and proposes what would put it right, or nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec import Struct
from rapidfuzz import fuzz, process

from integration.canonical.party import PostalAddress
from service.core.addresses import NAME_LENGTH, SysproAddress, to_syspro
from service.core.code_page import transliterate
from service.core.field_functions import address_line
from service.core.overrides import steps_of, value_at
from service.core.references import PO_NUMBER_LENGTH, po_number
from service.core.repairs import Change, Proposal, iso_currency
from service.core.source_document import Json

Known = Mapping[str, Json]

_ADDRESS = re.compile(r"Ship\w+|CustomerName|\w*Address\w*|\w*PostalCode")
_REFERENCES = frozenset(
    {"Reference", "CustomerPoNumber", "CustomerPurchaseOrder", "JournalReference", "SpecialInstrs"}
)
_UNFINDABLE = re.compile(r"[,*]|^\s|\s$")
_CUSTOMER_WIDTHS = (7, 15)
_NOT_CODE = re.compile(r"[^A-Z0-9]+")

GOOD_SCORE = 85
"""Of 100: a stock code less alike than this is not proposed."""
# Likeness is a guess: two goods may differ by one digit. Only what was learnt, or differs by signs alone, is sure.
_SURE_SCORE = 100
_MARGIN = 5
_PERIODS = {"B": "P", "P": "C"}


class Fault(Struct, frozen=True, kw_only=True):
    """A field of a mapped document that does not fit.

    Attributes:
        target: as in `Lines[0].StockDescription`.
        length: the most characters it may have; 0 when it is no text.
    """

    document: str
    target: str
    value: Json
    length: int = 0

    @property
    def name(self) -> str:
        """The field's own name, without its group."""
        return self.target.rpartition(".")[2]

    @property
    def path(self) -> str:
        """Where it is among the documents of a payment."""
        return f"mapped.{self.document}.{self.target}"


# --- addresses and references ---------------------------------------------------------------------


def address(faults: Sequence[Fault], places: Known) -> Proposal | None:
    """The order's addresses in SYSPRO's shape; a field that is still too long is cut between words."""
    wrong = [fault for fault in faults if _ADDRESS.fullmatch(fault.name) and isinstance(fault.value, str)]
    if not wrong:
        return None
    changes = [
        change
        for place in ("shipping", "billing")
        for change in _shaped(place, value_at(places, ("order", place)))
    ]
    listed = ", ".join(fault.target for fault in wrong)
    if changes:
        lost = any(_letters(change.before) != _letters(change.after) for change in _joined(changes))
        reason = f"{listed} did not fit: the address is broken into SYSPRO's lines of 40 characters"
        return Proposal(repair="address", changes=tuple(changes), reason=reason, certain=not lost)
    cut = tuple(_cut(fault, places) for fault in wrong if fault.length)
    reason = f"{listed} did not fit: cut between words"
    return Proposal(repair="address", changes=cut, reason=reason, certain=False) if cut else None


def _shaped(place: str, given: Json) -> list[Change]:
    if not isinstance(given, dict):
        return []
    before = msgspec.convert(given, PostalAddress)
    shape = to_syspro(before)
    after = _members(before, shape)
    return [
        Change(path=f"order.{place}.{name}", before=given.get(name), after=value)
        for name, value in after.items()
        if given.get(name) is not None and given.get(name) != value
    ]


def _members(before: PostalAddress, shape: SysproAddress) -> dict[str, Json]:
    lines: list[Json] = [line for line in (shape.line1, shape.line2) if line]
    found: dict[str, Json] = {
        "lines": lines, "city": shape.line3, "locality": shape.locality, "region": shape.line4,
        "postcode": shape.postcode,
    }  # fmt: skip
    for name, text in (("name", before.name), ("company", before.company)):
        if len(text) > NAME_LENGTH:
            found[name] = address_line(text, {"length": NAME_LENGTH}).value
    return found


def _joined(changes: Sequence[Change]) -> list[Change]:
    """Changes of one address as one, since a word may go from one line to another."""
    by_place: dict[str, list[Change]] = {}
    for change in changes:
        by_place.setdefault(change.path.split(".")[1], []).append(change)
    return [
        Change(path=place, before=[each.before for each in many], after=[each.after for each in many])
        for place, many in by_place.items()
    ]


def _letters(value: Json) -> str:
    """The letters and digits of a text or list, in any order: what must not be lost."""
    if isinstance(value, list):
        return "".join(sorted("".join(_letters(item) for item in value)))
    return "".join(sorted(_NOT_CODE.sub("", transliterate(str(value or "")).upper())))


def _cut(fault: Fault, places: Known) -> Change:
    after = address_line(fault.value, {"length": fault.length}).value
    return Change(path=fault.path, before=value_at(places, steps_of(fault.path)), after=after)


def reference(faults: Sequence[Fault], places: Known) -> Proposal | None:
    """References in a form that SYSPRO finds again: shortened with a digest, never cut, so that no two collide."""
    wrong = [
        fault
        for fault in faults
        if fault.name in _REFERENCES
        and fault.length >= PO_NUMBER_LENGTH
        and isinstance(fault.value, str)
        and (len(fault.value) > fault.length or _UNFINDABLE.search(fault.value))
        and fault.value.strip()
    ]
    if not wrong:
        return None
    changes = tuple(
        Change(
            path=fault.path,
            before=value_at(places, steps_of(fault.path)),
            after=po_number(str(fault.value)),
        )
        for fault in wrong
    )
    listed = ", ".join(fault.target for fault in wrong)
    reason = (
        f"{listed} could not be a reference: shortened with a digest of the whole, so that no two collide"
    )
    return Proposal(repair="reference", changes=changes, reason=reason)


# --- codes ----------------------------------------------------------------------------------------


def customer_spellings(code: str) -> tuple[str, ...]:
    """Other spellings of a customer's code: without blanks, in capitals, with zeros before it or without."""
    plain = "".join(code.split())
    bare = plain.lstrip("0") if plain.isdecimal() else ""
    padded = [bare, *(bare.zfill(width) for width in _CUSTOMER_WIDTHS)] if bare else []
    return tuple(dict.fromkeys(each for each in (plain, plain.upper(), *padded) if each and each != code))


def customer_code(places: Known, found: Collection[str]) -> Proposal | None:
    """The one spelling of the payment's customer that SYSPRO knows; where it knows two, a person decides."""
    before = value_at(places, ("customer",))
    if not isinstance(before, str) or len(found) != 1:
        return None
    (after,) = found
    changes = [Change(path="customer", before=before, after=after)]
    if value_at(places, ("order", "customer", "reference")) == before:
        changes.append(Change(path="order.customer.reference", before=before, after=after))
    reason = f"SYSPRO does not know customer {before}, and knows {after}"
    return Proposal(repair="customer-code", changes=tuple(changes), reason=reason)


def currency_alias(places: Known, currency: str) -> Proposal | None:
    """Another spelling of the payment's own currency in a document; another currency is never touched."""
    mapped = value_at(places, ("mapped",))
    changes = tuple(
        Change(path=f"mapped.{kind}.Currency", before=text, after=currency)
        for kind, document in (mapped if isinstance(mapped, dict) else {}).items()
        if isinstance(document, dict)
        and isinstance(text := document.get("Currency"), str)
        and text != currency
        and iso_currency(text) == currency
    )
    if not changes:
        return None
    reason = f"{changes[0].before} is another spelling of {currency}, the payment's own currency"
    return Proposal(repair="currency-alias", changes=changes, reason=reason)


class Match(Struct, frozen=True, kw_only=True):
    """A stock code that another one may mean.

    Attributes:
        score: 0 to 100; 100 when it was learnt or is the same but for signs and case.
    """

    stock_code: str
    score: int
    why: str


def closest(code: str, learnt: Mapping[str, str], known: Collection[str]) -> Match | None:
    """What a stock code may mean: what was learnt, the same without signs, or the one known code much like it."""
    if code in learnt:
        return Match(stock_code=learnt[code], score=100, why="learnt from a correction")
    same = sorted({each for each in known if _plain(each) == _plain(code)})
    if len(same) == 1:
        return Match(stock_code=same[0], score=100, why="the same but for signs and case")
    if same or not _plain(code):
        return None
    ranked = process.extract(
        _plain(code), {each: _plain(each) for each in sorted(known)}, scorer=fuzz.ratio, limit=2
    )
    if not ranked or ranked[0][1] < GOOD_SCORE or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < _MARGIN):
        return None
    score = int(ranked[0][1])
    return Match(stock_code=ranked[0][2], score=score, why=f"{score} % alike, and no other is")


def stock_spellings(code: str) -> tuple[str, ...]:
    """Other spellings of a stock code: in capitals, without blanks, without signs."""
    plain = "".join(code.split())
    return tuple(
        dict.fromkeys(each for each in (plain, plain.upper(), _plain(code)) if each and each != code)
    )


def _plain(code: str) -> str:
    return _NOT_CODE.sub("", code.upper())


def stock_codes(places: Known, matches: Mapping[str, Match]) -> Proposal | None:
    """The order's lines with the stock codes that SYSPRO knows."""
    lines = value_at(places, ("order", "lines"))
    changes = tuple(
        Change(path=f"order.lines[{index}].stock_code", before=str(code), after=matches[str(code)].stock_code)
        for index, line in enumerate(lines if isinstance(lines, list) else [])
        if isinstance(line, dict) and (code := line.get("stock_code")) in matches
    )
    if not changes:
        return None
    told = [f"{code} is {match.stock_code} ({match.why})" for code, match in sorted(matches.items())]
    certain = all(match.score >= _SURE_SCORE for match in matches.values())
    return Proposal(repair="stock-code", changes=changes, reason="; ".join(told), certain=certain)


# --- periods --------------------------------------------------------------------------------------


def closed_period(places: Known, kinds: Collection[str], site: str) -> Proposal | None:
    """The next period, for documents that are not in the ledger; SYSPRO takes none after the current one.

    Args:
        kinds: the documents that have a relative period and are not posted.
        site: the period the pair posts to: `C` current, `P` previous, `B` the one before.
    """
    changes = []
    for kind in sorted(kinds):
        before = value_at(places, ("mapped", kind, "PostingPeriod"))
        after = _PERIODS.get(str(before or site))
        if after is not None:
            changes.append(Change(path=f"mapped.{kind}.PostingPeriod", before=before, after=after))
    if not changes:
        return None
    words = {"P": "the previous period", "C": "the current period"}[str(changes[0].after)]
    return Proposal(
        repair="closed-period",
        changes=tuple(changes),
        reason=f"The posting period is closed; {words} comes next",
        from_start=False,
    )


RELATIVE_PERIOD = frozenset(
    {"ar_payment", "ar_invoice", "order_invoice", "ar_adjustment", "misc_receipt", "cash_transaction"}
)
"""The documents that SYSPRO posts to a relative period."""
