"""What `pip install` brings: the four packages, their data and docs, and a command that works anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
PACKAGES = {"integration", "models", "service", "training"}

pytestmark = pytest.mark.xdist_group("packaging")  # one wheel for all of them

_RESOURCES = """
from service import resources
from service.store import migrations
import integration, models, service, training
print(resources.DATA)
print(*(module.__file__ for module in (integration, models, service, training)), sep="\\n")
assert "order_to_cash" in resources.names("templates/flows")
assert resources.document("reference/payment_status.yaml")
assert resources.text("samples/uci_online_retail/orders.csv")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's contents, as they lie in an environment that installed it."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run(unpacked: Path, cwd: Path, *arguments: str) -> str:
    """The output of a Python that finds the unpacked wheel before this checkout, from an empty folder."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("OPAYO_SYSPRO_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=keep | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("folder", ["reference", "samples", "templates"])
def test_the_wheel_holds_every_file_of_data(wheel: Path, folder: str) -> None:
    wanted = {
        f"service/data/{path.relative_to(ROOT / 'data')}" for path in (ROOT / "data" / folder).rglob("*.*")
    }
    assert wanted
    assert wanted - names(wheel) == set()


def test_the_wheel_holds_the_handbook_and_the_migrations(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for pattern in ("service/docs/*.md", "service/store/migrations/versions/*")
        for path in ROOT.glob(pattern)
        if path.is_file() and path.suffix != ".pyc"
    }
    assert any(name.endswith(".sql") for name in wanted)
    assert wanted - names(wheel) == set()


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert [name for name in names(wheel) if "__pycache__" in name or name.endswith(".key")] == []


def test_no_other_distribution_brings_packages_of_these_names() -> None:
    owners = packages_distributions()
    assert {name: owners[name] for name in PACKAGES if set(owners.get(name, ())) - {"opayo-syspro"}} == {}


def test_an_installed_wheel_finds_its_files_from_any_folder(unpacked: Path, tmp_path: Path) -> None:
    lines = run(unpacked, tmp_path, "-c", _RESOURCES).split()
    assert len(lines) == 5
    assert all(Path(line).is_relative_to(unpacked) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("version",), "0.1.0"),
        (("--help",), "sandbox"),
        (("settings",), "OPAYO_SYSPRO_DATA_DIR"),
        (("demo", "--help"), "--payments"),
    ],
)
def test_the_command_of_an_installed_wheel_works_from_an_empty_folder(
    unpacked: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in run(unpacked, tmp_path, "-m", "service.cli", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_names_the_command(wheel: Path) -> None:
    (entry_points,) = (name for name in names(wheel) if name.endswith("entry_points.txt"))
    text = zipfile.ZipFile(wheel).read(entry_points).decode()
    assert "opayo-syspro = service.cli:main" in text
