"""What must not be in the repository: registry hosts, paths of somebody's machine, dependencies without a hash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")

# Written in pieces, so that this file does not hold what it looks for.
_REGISTRIES = re.compile(
    "|".join(
        (
            "pypi" + r"\.org", "python" + r"hosted\.", "registry\\.np" + "m", "npm" + r"js\.(?:org|com)", "yarn" + r"pkg\.",
            "arti" + "factory", "dev" + "pi[./]", "/root/" + "pypi", "codearti" + "fact", r"pkg\.dev" + "/",
            "--(?:extra-)?index" + "-url", "--trusted" + "-host",
        )
    )
)  # fmt: skip
_MACHINES = re.compile(
    r"(?<![\w.~])/(?:" + "|".join(("wo" + "rk", "ho" + "me", "Us" + "ers", "ro" + "ot")) + r")/\w"
)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,]+\])?==\S+", re.MULTILINE)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository; in a copy without Git, every file that is not made by a tool."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=False,
        )
        if listed.returncode == 0:
            names = os.fsdecode(listed.stdout).split("\0")
            return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())
    made = {"var", "build", "dist", "node_modules"}
    return tuple(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(part in made or part.startswith(".") for part in path.relative_to(ROOT).parts[:-1])
        and "__pycache__" not in path.parts
    )


@cache
def text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def found(pattern: re.Pattern[str]) -> dict[str, str]:
    hits = {str(path.relative_to(ROOT)): pattern.search(text(path)) for path in tracked()}
    return {name: hit[0] for name, hit in hits.items() if hit}


def test_no_file_names_a_package_registry() -> None:
    assert len(tracked()) > 100
    assert found(_REGISTRIES) == {}


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert found(_MACHINES) == {}


def test_nothing_that_tools_make_is_kept() -> None:
    made = re.compile(r"(?:^|/)(?:__pycache__|\.venv|node_modules|var)/|\.(?:pyc|egg-info|key|pem)$")
    assert [str(path) for path in tracked() if made.search(str(path.relative_to(ROOT)))] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_dependency_has_its_hashes_and_no_address(lock: str) -> None:
    locked = text(ROOT / lock)
    entries = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", locked, flags=re.MULTILINE).strip())
    assert len(entries) > 20
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert "://" not in locked


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_dependency_is_locked(lock: str) -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))
    wanted = list(project["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        wanted += project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=~!;]", each)[0].lower() for each in wanted}
    pinned = {name.lower() for name in _PINNED.findall(text(ROOT / lock))}
    assert names - pinned == set()


def test_both_locks_agree() -> None:
    pins = [dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text(ROOT / lock), re.MULTILINE)) for lock in LOCKS]
    assert {
        name: (version, pins[1].get(name))
        for name, version in pins[0].items()
        if pins[1].get(name) != version
    } == {}


def test_ci_can_be_run_directly() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert text(script).startswith("#!/usr/bin/env bash\n")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
