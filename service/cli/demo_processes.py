"""The demonstration's child processes: started with logs, waited for, and ended on every way out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import rich_click as click

_PATIENCE_SECONDS = 90.0
_POLL_SECONDS = 0.05
_GOODBYE_SECONDS = 20.0


class Child(msgspec.Struct):
    """A process of ours; its standard output and errors go to two files."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    errors: Path

    async def line(self, beginning: str) -> str:
        """Wait for the first line of its standard output that begins so.

        Raises:
            click.ClickException: when the process ends, or is silent for a minute and a half.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            ended = self.process.poll()
            for line in self.output.read_text(errors="replace").splitlines(keepends=True):
                if line.startswith(beginning) and line.endswith("\n"):
                    return line.strip()
            if ended is not None:
                raise click.ClickException(f"{self.name} ended with code {ended}.\n{self.last_words()}")
            await asyncio.sleep(_POLL_SECONDS)
        raise click.ClickException(f"{self.name} did not start in time.\n{self.last_words()}")

    def last_words(self, lines: int = 20) -> str:
        """The end of its errors, or of its output when it made none."""
        text = self.errors.read_text(errors="replace") or self.output.read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def end(self) -> None:
        """Ask it to stop, wait, and kill its whole group when it does not."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_GOODBYE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Household:
    """Starts commands of this program and ends them in reverse order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> Child:
        """Start ``opayo-syspro`` with arguments, in a session of its own, the environment added to ours."""
        output, errors = self.folder / f"{name}.out.log", self.folder / f"{name}.err.log"
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(  # noqa: S603 - our own program, arguments from this module's callers
                [sys.executable, "-m", "service.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                start_new_session=True,
            )
        child = Child(name, process, output, errors)
        self.children.append(child)
        return child

    def check(self) -> None:
        """Make sure that everybody still runs.

        Raises:
            click.ClickException: when one has ended.
        """
        for child in self.children:
            ended = child.process.poll()
            if ended is not None:
                raise click.ClickException(f"{child.name} ended with code {ended}.\n{child.last_words()}")

    def end(self) -> None:
        """End everybody, the last started first."""
        while self.children:
            self.children.pop().end()


@contextlib.contextmanager
def household(folder: Path) -> Iterator[Household]:
    """A household for the time of a ``with`` block; SIGTERM and SIGHUP leave the block as Ctrl-C does."""
    mine = Household(folder)
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield mine
    finally:
        # A second Ctrl-C must not leave a server behind.
        kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            mine.end()
        finally:
            signal.signal(signal.SIGINT, kept)
            for number, handler in before.items():
                signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    # Ctrl-C is the way out that asyncio knows how to unwind.
    signal.raise_signal(signal.SIGINT)
