"""Session tokens in the styles of different releases: blanks behind, JSON quotes, GUIDs."""

from __future__ import annotations

import re

from integration.sandbox.syspro.config import Quirks
from integration.sandbox.syspro.sessions import Session, Sessions

BLANKS = "  "
_GUID = re.compile(r"\{?([0-9A-F]{8})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{12})\}?")


def as_shown(token: str, quirks: Quirks) -> str:
    """A logon's answer: 34 hexadecimal digits and two blanks, unless the site has another style."""
    shown = token + BLANKS
    if quirks.guid_token:
        cut = (token[:8], token[8:12], token[12:16], token[16:20], token[20:32])
        shown = "{" + "-".join(cut) + "}"
    return f'"{shown}"' if quirks.json_quoted_token else shown


def session_of(token: str, sessions: Sessions, quirks: Quirks) -> Session | None:
    """The live session a client means; a trimmed token counts unless the site is strict."""
    guid = _GUID.fullmatch(token.strip())
    if guid is not None:
        return sessions.current("".join(guid.groups()) + "00") if quirks.guid_token else None
    if quirks.trimmed_token_refused and not token.endswith(BLANKS):
        return None
    return sessions.current(token)
