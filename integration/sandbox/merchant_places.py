"""Names and places for the retailer's customers: the data set has none, so these are made up.

Postcodes are of real shape for their country; streets, people and companies are nobody's.
"""

from __future__ import annotations

import random

import msgspec

COUNTRIES = {
    "United Kingdom": "GB", "Germany": "DE", "France": "FR", "EIRE": "IE", "Finland": "FI", "Portugal": "PT",
    "Italy": "IT", "Belgium": "BE", "Sweden": "SE", "Australia": "AU", "Netherlands": "NL", "Spain": "ES",
    "Austria": "AT", "Malta": "MT", "Channel Islands": "JE", "Japan": "JP", "Denmark": "DK",
    "Switzerland": "CH", "Cyprus": "CY", "Norway": "NO",
}  # fmt: skip
"""The retailer's country names as ISO 3166-1 alpha-2."""

# City, region where the country's addresses need one, and the shape of its postcodes: n is a digit 1-9,
# a is a letter of the inward part; other characters stand for themselves.
_PLACES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "GB": (
        ("Leeds", "", "LS1 naa"), ("London", "", "SW1A naa"), ("London", "", "EC1V naa"),
        ("Manchester", "", "M4 naa"), ("Birmingham", "", "B15 naa"), ("Edinburgh", "", "EH3 naa"),
        ("Cardiff", "", "CF10 naa"), ("Belfast", "", "BT7 naa"), ("Bristol", "", "BS8 naa"),
        ("York", "", "YO24 naa"), ("Norwich", "", "NR2 naa"), ("Exeter", "", "EX4 naa"),
        ("Glasgow", "", "G12 naa"), ("Kingston upon Hull", "", "HU5 naa"),
    ),
    "DE": (("Hamburg", "", "200nn"), ("München", "", "803nn"), ("Köln", "", "506nn")),
    "FR": (("Paris", "", "750nn"), ("Lyon", "", "690nn"), ("Besançon", "", "250nn")),
    "IE": (("Dublin", "", "D02 Xann"), ("Cork", "", "T12 Xann"), ("Galway", "", "H91 Xann")),
    "FI": (("Helsinki", "", "009nn"), ("Jyväskylä", "", "409nn")),
    "PT": (("Lisboa", "", "1100-0nn"), ("Porto", "", "4000-0nn")),
    "IT": (("Milano", "MI", "201nn"), ("Torino", "TO", "101nn")),
    "BE": (("Bruxelles", "", "10nn"), ("Gent", "", "90nn")),
    "SE": (("Stockholm", "", "111 nn"), ("Göteborg", "", "411 nn")),
    "AU": (("Sydney", "NSW", "20nn"), ("Melbourne", "VIC", "30nn")),
    "NL": (("Amsterdam", "", "101n aa"), ("Utrecht", "", "351n aa")),
    "ES": (("Madrid", "M", "280nn"), ("Barcelona", "B", "080nn")),
    "AT": (("Wien", "", "10nn"), ("Graz", "", "80nn")),
    "MT": (("Valletta", "", "VLT 10nn"),),
    "JE": (("Saint Helier", "", "JE2 naa"),),
    "JP": (("Minato-ku", "Tokyo", "105-00nn"),),
    "DK": (("København", "", "21nn"), ("Aarhus", "", "80nn")),
    "CH": (("Zürich", "", "80nn"), ("Genève", "", "12nn")),
    "CY": (("Nicosia", "", "10nn"),),
    "NO": (("Oslo", "", "01nn"), ("Tromsø", "", "90nn")),
}  # fmt: skip

_FIRST = (
    "Alice", "Aled", "Amira", "Ben", "Chloë", "Ciarán", "Dafydd", "Eleanor", "Farah", "George", "Hannah", "Imran",
    "Jürgen", "Kate", "Liam", "Maeve", "Nadia", "Oliver", "Priya", "Quentin", "Renée", "Siobhan", "Tom", "Zoe",
)  # fmt: skip
_LAST = (
    "Ashworth", "Brown", "Cartwright", "D'Arcy", "Evans", "Fernández", "Gallagher", "Hughes", "Iqbal", "Jones",
    "Khan", "Lefèvre", "Müller", "Nilsson", "O'Neill", "Patel", "Rossi", "Smith-Jones", "Taylor", "Walsh",
)  # fmt: skip
_TRADE = (
    "Gifts", "Home & Garden", "Interiors", "Toys", "Stationers", "Trading", "Department Store", "Boutique",
)  # fmt: skip
_STREETS = (
    "High Street", "Church Road", "Mill Lane", "Station Approach", "Market Place", "Victoria Terrace",
    "Queen's Walk", "Albion Wharf",
)  # fmt: skip
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"


class Person(msgspec.Struct, frozen=True):
    """A made-up buyer with one address; ``company`` is empty for private people."""

    first_name: str
    last_name: str
    company: str
    street: str
    city: str
    region: str
    postcode: str
    country: str
    email: str
    phone: str


def person(customer: str, country: str) -> Person:
    """Make up the person behind a customer code: always the same one for the same code and country.

    Args:
        customer: the customer code.
        country: ISO 3166-1 alpha-2, one of :data:`COUNTRIES`.
    """
    draw = random.Random(f"{customer}/{country}")  # noqa: S311 - repeatable, not secret
    first, last = draw.choice(_FIRST), draw.choice(_LAST)
    city, region, shape = draw.choice(_PLACES[country])
    company = f"{last} {draw.choice(_TRADE)}" if draw.random() < 0.6 else ""
    return Person(
        first_name=first,
        last_name=last,
        company=company,
        street=f"{draw.randint(1, 240)} {draw.choice(_STREETS)}",
        city=city,
        region=region,
        postcode="".join(_character(draw, sign) for sign in shape),
        country=country,
        email=f"customer{customer}@example.org",
        phone=f"+44113496{draw.randint(0, 9999):04d}",
    )


def _character(draw: random.Random, sign: str) -> str:
    if sign == "n":
        return str(draw.randint(1, 9))
    return draw.choice(_INWARD) if sign == "a" else sign
