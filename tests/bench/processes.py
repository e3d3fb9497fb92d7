"""Processes of a bench: started, measured from the outside, and stopped."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[tuple[int, str]]:
    """A Python command that prints its address first; its pid and the address."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    try:
        yield process.pid, process.stdout.readline().strip().removeprefix("ready ")
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _stat(pid: int) -> list[str]:
    # The command's name stands in brackets and may hold anything, spaces too.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    """The living children of a process."""
    every = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [each for each in every if _parent(each) == pid]


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except OSError:
        return 0  # it ended meanwhile


def cpu_seconds(pid: int, *, family: bool = False) -> float:
    """CPU time of a process; with `family`, of its children too, the dead ones included."""
    fields = _stat(pid)
    ticks = sum(int(fields[index]) for index in (11, 12))
    if family:
        ticks += sum(int(fields[index]) for index in (13, 14))
        for child in children(pid):
            with contextlib.suppress(OSError):
                ticks += sum(int(_stat(child)[index]) for index in (11, 12))
    return ticks / _TICK


def memory_mb(pid: int) -> float:
    """Proportional memory of a process in MB: shared pages are counted in parts."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
