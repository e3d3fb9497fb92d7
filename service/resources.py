"""Files that come with the product: templates, field dictionaries, samples.

In a checkout they lie in `data/` beside the packages; in the wheel, inside `service/`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

_HERE = Path(__file__).parent
DATA = _HERE / "data" if (_HERE / "data").is_dir() else _HERE.parent / "data"


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def text(name: str) -> str:
    """A file's text by its path below `data/`."""
    return (DATA / name).read_text(encoding="utf-8")


def document(name: str) -> object:
    """A YAML file's content; a fresh copy at each call."""
    return yaml.load(text(name), Loader=_LOADER)  # noqa: S506 - the safe loader, in C where it is there


def names(folder: str) -> list[str]:
    """The names, without their ending, of the YAML files in a folder below `data/`."""
    return sorted(path.stem for path in (DATA / folder).glob("*.yaml"))
