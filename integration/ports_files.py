"""What the service asks of the folder in which others leave files; the rest of its needs is in `integration.ports`."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class DroppedFile(Struct, frozen=True, kw_only=True):
    """A file that lies in the folder: its bare name, its size in bytes, and when it changed (Unix seconds)."""

    name: str
    size: int
    modified: int


class FileDrop(Protocol):
    """The folder of one pair on somebody's file server."""

    async def files(self) -> tuple[DroppedFile, ...]:
        """The files that lie there and are said to be complete, by name."""
        ...

    async def fetch(self, file: DroppedFile, most: int) -> bytes:
        """The whole file; `Unreachable` when less or more of it came than was listed.

        `most` is the number of bytes beyond which it is not fetched: `Rejected` with code `file.too-large`.
        """
        ...

    async def archive(self, name: str, archived_as: str) -> None:
        """Move a file to the archive in one step; a file that is gone was moved before."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...
