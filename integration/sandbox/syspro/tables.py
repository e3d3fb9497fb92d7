"""Tables of immutable rows with indexes and an undo log: a posting either happens wholly or not at all."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Row = TypeVar("Row")
IndexKeys = Callable[[Row], Iterable[str]]


class UndoLog:
    """Steps that take back, newest first, what was written since a mark."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], None]] = []

    def note(self, step: Callable[[], None]) -> None:
        """Remember how to take one write back."""
        self._steps.append(step)

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._steps)

    def back_to(self, mark: int) -> None:
        """Undo every write since ``mark``."""
        while len(self._steps) > mark:
            self._steps.pop()()

    def settle(self) -> None:
        """Make everything written so far final."""
        self._steps.clear()


class Table(Generic[Row]):
    """Rows by text key, in key order, with secondary indexes of one or more values per row."""

    def __init__(self, undo: UndoLog, **indexes: IndexKeys[Row]) -> None:
        self._undo = undo
        self._rows: dict[str, Row] = {}
        self._keys: list[str] = []
        self._keys_of = indexes
        self._index: dict[str, dict[str, dict[str, None]]] = {name: {} for name in indexes}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Row]:
        return (self._rows[key] for key in self._keys)

    def get(self, key: str) -> Row | None:
        """The row of a key, or ``None``."""
        return self._rows.get(key)

    def __getitem__(self, key: str) -> Row:
        return self._rows[key]

    def put(self, key: str, row: Row) -> None:
        """Insert or replace a row."""
        before = self._rows.get(key)
        self._write(key, row)
        self._undo.note(lambda: self._write(key, before))

    def remove(self, key: str) -> None:
        """Take a row away; nothing happens when there is none."""
        before = self._rows.get(key)
        if before is not None:
            self._write(key, None)
            self._undo.note(lambda: self._write(key, before))

    def keys_after(self, start: str) -> list[str]:
        """All keys greater than ``start``, in order."""
        return self._keys[bisect_right(self._keys, start) :] if start else self._keys

    def has_index(self, name: str) -> bool:
        """Whether rows can be found by this element without a scan."""
        return name in self._index

    def count_by(self, name: str, value: str) -> int:
        """How many rows :meth:`keys_by` would name."""
        return len(self._index[name].get(value, ()))

    def keys_by(self, name: str, value: str) -> list[str]:
        """Keys of the rows whose index ``name`` holds ``value``, in the order written."""
        return list(self._index[name].get(value, ()))

    def by(self, name: str, value: str) -> list[Row]:
        """The rows whose index ``name`` holds ``value``."""
        return [self._rows[key] for key in self._index[name].get(value, ())]

    def _write(self, key: str, row: Row | None) -> None:
        before = self._rows.get(key)
        if before is not None:
            self._unindex(key, before)
        if row is None:
            self._rows.pop(key, None)
            self._keys.remove(key)
            return
        if before is None:
            insort(self._keys, key)
        self._rows[key] = row
        for name, keys_of in self._keys_of.items():
            for value in keys_of(row):
                self._index[name].setdefault(value, {})[key] = None

    def _unindex(self, key: str, row: Row) -> None:
        for name, keys_of in self._keys_of.items():
            for value in keys_of(row):
                held = self._index[name].get(value, {})
                held.pop(key, None)
                if not held:
                    self._index[name].pop(value, None)
