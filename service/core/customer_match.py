"""Which SYSPRO customer is this customer of the shop? A score with its reasons, and what may follow from it.

The same e-mail address or account code settles it, where it points at one customer alone. Otherwise names, postcodes,
streets and telephone numbers are compared. Scores are whole numbers from 0 to 100; they do not depend on which side
is asked about which, nor on the order of candidates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct
from rapidfuzz import fuzz

from service.core.customer_fields import Fields

DecisionKind = Literal["linked", "propose", "new"]

_WORD = re.compile(r"[^\W_]+")
_NO_NAMES = frozenset(
    ("ltd", "limited", "plc", "llp", "inc", "llc", "gmbh", "co", "company", "the", "mr", "mrs", "ms", "miss", "dr", "and")
)  # fmt: skip
_STREETS = {"st": "street", "rd": "road", "ave": "avenue", "ln": "lane", "dr": "drive", "sq": "square"}
_WEIGHTS = {"name": 50, "postcode": 20, "street": 20, "phone": 10}
# A name by itself says little: at most so much, and less than its likeness.
_NAME_ALONE = 80
_NAME_ALONE_LESS = 15
_OTHER_EMAIL = 90
_PHONE_DIGITS = 9
# So much better than the second must the best candidate be to be taken without a person.
_MARGIN = 5


class Identity(Struct, frozen=True, kw_only=True):
    """What a customer is recognised by, in a form for comparison.

    Attributes:
        key: its own key on its side.
        account: of an account of the shop, the SYSPRO code that it bears.
        names: of company and person, each as its words in order of the alphabet.
    """

    key: str
    email: str = ""
    account: str = ""
    names: tuple[str, ...] = ()
    postcode: str = ""
    street: str = ""
    phone: str = ""

    @property
    def words(self) -> list[str]:
        """The words of its names that are worth a search."""
        return sorted({word for name in self.names for word in name.split() if len(word) > 1})


class Candidate(Struct, frozen=True, kw_only=True):
    """A SYSPRO customer that it could be."""

    customer: str
    score: int
    reasons: tuple[str, ...]


class Decision(Struct, frozen=True, kw_only=True):
    """What follows: take the customer, ask a person, or nobody is like it.

    Attributes:
        customer: the one that is taken.
        candidates: those worth a look, best first.
    """

    kind: DecisionKind
    customer: str = ""
    why: str = ""
    candidates: tuple[Candidate, ...] = ()


class Bars(Struct, frozen=True, kw_only=True):
    """From which score on a customer is taken, and from which a person is asked."""

    link_at: int = 95
    propose_at: int = 70


def identity(key: str, fields: Fields, account: str = "") -> Identity:
    """What a customer is recognised by."""
    place = fields.get("sold_to") or ("",) * 7
    names = {_name_key(value) for value in fields.get("name", ())}
    return Identity(
        key=key,
        email=fields.get("email", ("",))[0].strip().casefold(),
        account=account_key(account),
        names=tuple(sorted(names - {""})),
        postcode="".join(_WORD.findall(place[6])).upper(),
        street=_street_key(f"{place[0]} {place[1]}"),
        phone="".join(re.findall(r"\d", fields.get("phone", ("",))[0]))[-_PHONE_DIGITS:],
    )


def account_key(code: str) -> str:
    """A SYSPRO code as codes are compared: numeric ones without their zeros."""
    plain = code.strip().upper()
    return plain.lstrip("0") if plain.isdigit() else plain


def _plain(text: str) -> list[str]:
    apart = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    return _WORD.findall("".join(letter for letter in apart if not unicodedata.combining(letter)))


def _name_key(name: str) -> str:
    words = _plain(name)
    return " ".join(sorted([word for word in words if word not in _NO_NAMES] or words))


def _street_key(street: str) -> str:
    return " ".join(_STREETS.get(word, word) for word in _plain(street))


# --- scoring --------------------------------------------------------------------------------------


def score(one: Identity, other: Identity) -> tuple[int, tuple[str, ...]]:
    """How alike two customers are, 0 to 100, and why; the same whichever is asked about first."""
    if one.email and one.email == other.email:
        return 100, ("the same e-mail address",)
    parts: dict[str, int] = {}
    if one.names and other.names:
        parts["name"] = max(round(fuzz.ratio(a, b)) for a in one.names for b in other.names)
    if one.postcode and other.postcode:
        parts["postcode"] = 100 if one.postcode == other.postcode else 0
    if one.street and other.street:
        parts["street"] = round(fuzz.ratio(*sorted((one.street, other.street))))
    if one.phone and other.phone:
        parts["phone"] = 100 if one.phone == other.phone else 0
    if "name" not in parts:
        return 0, ("a name is missing",)
    total = sum(_WEIGHTS[part] for part in parts)
    points = sum(_WEIGHTS[part] * value for part, value in parts.items()) // total
    reasons = [f"{part} alike to {value} in 100" for part, value in parts.items()]
    if len(parts) == 1:
        points = max(0, min(points - _NAME_ALONE_LESS, _NAME_ALONE))
        reasons.append("nothing but the name is known of both")
    if one.email and other.email:
        points = min(points, _OTHER_EMAIL)
        reasons.append("the e-mail addresses differ")
    return points, tuple(reasons)


def decide(asked: Identity, among: Iterable[Identity], bars: Bars, linked: Collection[str] = ()) -> Decision:
    """Which customer it is.

    Args:
        asked: the account of the shop.
        among: SYSPRO customers it could be.
        linked: those of them that are linked with another account: they are never taken without a person.
    """
    pool = {each.key: each for each in among}
    scored = {key: score(asked, each) for key, each in pool.items()}
    named = [key for key in pool if asked.account and account_key(key) == asked.account]
    if len(named) == 1:
        scored[named[0]] = (100, ("the account names the SYSPRO customer",))
    ranked = sorted(
        (
            Candidate(customer=key, score=points, reasons=_with(reasons, key in linked))
            for key, (points, reasons) in scored.items()
            if points >= bars.propose_at
        ),
        key=lambda each: (-each.score, each.customer),
    )
    exact = named if len(named) == 1 else [key for key in sorted(pool) if _same_email(asked, pool[key])]
    shown = tuple(ranked[:10])
    if len(exact) == 1 and exact[0] not in linked:
        why = scored[exact[0]][1][0]
        return Decision(kind="linked", customer=exact[0], why=why, candidates=shown)
    if not ranked:
        return Decision(kind="new", why="nobody is like it")
    if exact:
        several = (
            f"{len(exact)} customers have the e-mail address" if len(exact) > 1 else "it is linked already"
        )
        return Decision(kind="propose", why=several, candidates=shown)
    return _by_score(ranked, bars, linked, shown)


def _by_score(
    ranked: list[Candidate], bars: Bars, linked: Collection[str], shown: tuple[Candidate, ...]
) -> Decision:
    best = ranked[0]
    second = ranked[1].score if len(ranked) > 1 else 0
    if best.score < bars.link_at:
        return Decision(kind="propose", why=f"{best.score} is below {bars.link_at}", candidates=shown)
    if best.score - second < _MARGIN:
        return Decision(kind="propose", why="two customers are alike", candidates=shown)
    if best.customer in linked:
        return Decision(kind="propose", why="it is linked already", candidates=shown)
    return Decision(kind="linked", customer=best.customer, why="; ".join(best.reasons), candidates=shown)


def _same_email(one: Identity, other: Identity) -> bool:
    return bool(one.email) and one.email == other.email


def _with(reasons: tuple[str, ...], linked: bool) -> tuple[str, ...]:
    return (*reasons, "linked with another account") if linked else reasons
