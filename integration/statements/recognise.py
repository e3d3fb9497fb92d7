"""Which layout a file has, and where its header stands: found by the headers, never by the file's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from integration.statements.layout import StatementLayout, plain
from integration.statements.refusal import FileRefused
from integration.statements.text import Line

_PREAMBLE = 40


class Recognised(Struct, frozen=True):
    """A layout, the line of its header, and the place of each part in a row."""

    layout: StatementLayout
    at: int
    places: dict[str, int]


class _Near(Struct, frozen=True):
    layout: StatementLayout
    missing: tuple[str, ...]
    share: float


def recognise(lines: Sequence[Line], layouts: Iterable[StatementLayout]) -> Recognised | _Near | None:
    """The layout whose columns the first of these lines has that is a header; else the nearest one, if any is near.

    Raises:
        FileRefused: two layouts fit equally well, or a column that is read stands twice.
    """
    nearest: _Near | None = None
    known = list(layouts)
    for index, line in enumerate(lines[:_PREAMBLE]):
        headers = [plain(cell) for cell in line.cells]
        fits = [(layout, _places(layout, headers)) for layout in known]
        whole = [(layout, places) for layout, places in fits if not _missing(layout, places)]
        if whole:
            return _best(whole, index, headers)
        for layout, places in fits:
            nearest = _nearer(nearest, layout, places)
    return nearest


def _places(layout: StatementLayout, headers: Sequence[str]) -> dict[str, int]:
    places = {}
    for part, names, _ in layout.headers():
        found = next((headers.index(plain(name)) for name in names if plain(name) in headers), None)
        if found is not None:
            places[part] = found
    return places


def _missing(layout: StatementLayout, places: dict[str, int]) -> tuple[str, ...]:
    return tuple(names[0] for part, names, required in layout.headers() if required and part not in places)


def _best(
    whole: list[tuple[StatementLayout, dict[str, int]]], index: int, headers: Sequence[str]
) -> Recognised:
    most = max(len(places) for _, places in whole)
    best = [(layout, places) for layout, places in whole if len(places) == most]
    if len(best) > 1:
        names = ", ".join(sorted(layout.name for layout, _ in best))
        raise FileRefused(
            f"The columns fit several layouts: {names}",
            code="file.layout-ambiguous",
            hint="Name the layouts of this pair in its settings, so that one of them fits.",
        )
    layout, places = best[0]
    times = Counter(headers)
    if doubled := sorted({headers[place] for place in places.values() if times[headers[place]] > 1}):
        raise FileRefused(
            f"The column {', '.join(doubled)} stands twice in the file",
            code="file.duplicate-header",
            hint="Delete or rename one of them, so that it is clear which is meant.",
        )
    return Recognised(layout, index, places)


def _nearer(nearest: _Near | None, layout: StatementLayout, places: dict[str, int]) -> _Near | None:
    needed = sum(required for _, _, required in layout.headers())
    missing = _missing(layout, places)
    share = (needed - len(missing)) / needed if needed else 0.0
    if share >= 0.5 and (nearest is None or share > nearest.share):
        return _Near(layout, missing, share)
    return nearest


def unknown(nearest: object) -> FileRefused:
    """Why no layout fits, with the columns that are missing from the nearest."""
    if isinstance(nearest, _Near):
        return FileRefused(
            f"The file looks like layout `{nearest.layout.name}`, and lacks its column {', '.join(nearest.missing)}",
            code="file.columns-missing",
            hint="Export it with these columns, or describe its own layout in the pair's settings.",
        )
    return FileRefused(
        "No layout has the columns of this file",
        code="file.layout-unknown",
        hint="Describe its layout in the pair's settings; the handbook's page Files shows how.",
    )
