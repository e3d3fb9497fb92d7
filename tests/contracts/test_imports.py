"""What may import what: the contracts of `pyproject.toml`, and what starting the service must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import api
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]

# An ImportError would be swallowed by libraries that have an optional use for these.
_START = """
import sys

FORBIDDEN = {"mlflow", "sklearn", "pandas", "scipy", "jupyter", "jupyter_core", "IPython", "notebook"}

class Tried(BaseException):
    pass

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise Tried(name)

sys.meta_path.insert(0, Guard())
for module in sys.argv[1:]:
    __import__(module)
print(*sorted(name for name in sys.modules if name.startswith("integration.sandbox")))
"""

CONTRACTS = {
    "The packages point one way",
    "The service points inward",
    "Connectors do not know each other",
    "A sandbox shares no code with the connector it answers",
    "Decisions are pure",
    "One door to HTTP",
    "The running service needs no experiment tracker",
    "Production code cannot reach a sandbox",
}


def start(*modules: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _START, *modules], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def started() -> subprocess.CompletedProcess[str]:
    """A process that imported everything that `serve` and `worker` import."""
    return start(
        "service.app", "service.cli", "service.cli.serve", "service.cli.worker", "service.jobs.worker"
    )


def test_starting_the_service_does_not_even_try_to_import_what_trains_models(
    started: subprocess.CompletedProcess[str],
) -> None:
    assert started.returncode == 0, started.stderr


def test_the_guard_sees_an_import_that_is_only_tried() -> None:
    done = start("service.settings", "pandas")
    assert done.returncode != 0
    assert "Tried: pandas" in done.stderr


def test_starting_the_service_does_not_load_a_sandbox(started: subprocess.CompletedProcess[str]) -> None:
    assert started.stdout.split() == []


def test_the_import_contracts_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None, no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_no_import_contract_was_dropped() -> None:
    written = api.read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    assert {contract["name"] for contract in written} >= CONTRACTS
