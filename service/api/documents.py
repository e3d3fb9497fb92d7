"""A document as a person writes it: a JSON object, or the text of a YAML file."""

from __future__ import annotations

import msgspec
import yaml
from msgspec import Struct

from service.api.parameters import JsonObject, NoteText
from service.api.problems import Refused

_LONGEST = 200_000


class Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flow or mapping: exactly one of `document` and `yaml`. Its `version` is given by the service."""

    document: JsonObject | None = None
    yaml: str = msgspec.field(default="")
    note: NoteText = ""


def read_document(written: Written) -> JsonObject:
    """The document, whichever way it was written.

    Raises:
        Refused: neither or both were given, or the YAML is none that is safe to read.
    """
    if (written.document is None) == (not written.yaml):
        raise Refused(422, "document.one-form", "Send either `document` or `yaml`")
    if written.document is not None:
        return written.document
    if len(written.yaml) > _LONGEST:
        raise Refused(422, "document.too-long", f"A document has at most {_LONGEST} characters")
    try:
        # A reference may name the same part a billion times over; no document of ours needs one.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(written.yaml)):
            raise Refused(422, "document.references", "A document has no references (`*name`)")
        found = yaml.safe_load(written.yaml)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = str(getattr(error, "problem", None) or "it cannot be read")
        raise Refused(422, "document.yaml", f"This is no YAML: {where}") from error
    if not isinstance(found, dict):
        raise Refused(422, "document.yaml", "The YAML holds no document with named members")
    return {str(name): value for name, value in found.items()}
