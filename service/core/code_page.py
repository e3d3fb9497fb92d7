"""Text in the code page of the ERP's columns (Windows-1252), which holds the letters of Western Europe only."""

from __future__ import annotations

import unicodedata

_CODE_PAGE = "cp1252"
_SPELLED = {
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ħ": "h",
    "Ħ": "H",
    "ı": "i",
    "ĸ": "k",
    "ŋ": "ng",
    "Ŋ": "NG",
    "ŧ": "t",
    "Ŧ": "T",
    "ə": "e",
    "Ə": "E",
    "ẞ": "ß",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "−": "-",
    "′": "'",
    "″": '"',
}


def transliterate(text: str) -> str:
    """The same text in letters that Windows-1252 has: accents it lacks are dropped, unknown signs become `?`.

    Control characters become spaces. Text that fits already comes back unchanged.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if unicodedata.category(letter) in ("Cc", "Zl", "Zp"):
        return " "
    if _fits(letter):
        return letter
    if letter in _SPELLED:
        return _SPELLED[letter]
    parts = [part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)]
    plain = "".join(parts)
    if plain and _fits(plain):
        return plain
    return "" if unicodedata.category(letter) in ("Mn", "Cf") else "?"


def _fits(text: str) -> bool:
    try:
        text.encode(_CODE_PAGE)
    except UnicodeEncodeError:
        return False
    return True
