"""Notices: the words that customers are told, filled in from facts."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{([a-z_]+)\}")


def fill(template: str, facts: Mapping[str, str]) -> str:
    """A template with its words in braces filled in; a word that nobody knows stays as it is, and is seen."""
    return _PLACE.sub(lambda found: facts.get(found[1], found[0]), template).strip()
