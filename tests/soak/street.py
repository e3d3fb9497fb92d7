"""The whole street on this machine: sandboxes, the private database, `serve`, and workers; each can be shot.

The database is durable, as it is in earnest: with `synchronous_commit` off, a kill -9 of it loses events that were
acknowledged, and the invariants say so. `serve` keeps its port for ever, as a service behind a load balancer does, so that a redelivery finds its successor.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg

from integration.sandbox.serving import SandboxFacts
from service.cli.demo_service import PAIR, environment
from service.store.database import DATABASE_NAME, create_if_missing, with_name
from service.store.private_server import PrivateServer

KEY = "osk_soak_admin_key_0123456789abcdef"


@dataclass(frozen=True)
class Plan:
    """What runs: workers besides `serve`, waits divided by `pace`, and anything else by environment variables.

    Attributes:
        doors: how many `serve` there are.
        senders: what Opayo's waits are divided by: at 120 a redelivery comes after 0.5, 2.5, 7.5 and 30 s, and after
            twelve minutes, a day, it gives up: an event that nobody took in all that time is lost before it is ours.
        patched: start through `child.py`, whose clock and guards a test may move.
    """

    workers: int = 1
    doors: int = 1
    pace: int = 60
    senders: int = 120
    variables: Mapping[str, str] = field(default_factory=dict)
    patched: bool = False


class Street:
    """Everything that runs, by name: `sandbox`, `serve`, `worker-1` …, and the database."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.server = PrivateServer(folder / "service")
        self.ports = {name: _free_port() for name in self.doors}
        self.facts: SandboxFacts
        self.url = f"http://127.0.0.1:{self.ports['serve']}"
        self.database = ""
        self._variables: dict[str, str] = {}

    # --- start and stop ---------------------------------------------------------------------------

    def open(self) -> None:
        """Start everything, and tell the sandbox where its events go."""
        arguments = ["-m", "service.cli", "sandbox", "--json", "--no-idempotency"]
        self._spawn("sandbox", arguments, {"OPAYO_SYSPRO_PACE": str(self.plan.senders)})
        self.facts = msgspec.json.decode(self._line("sandbox", "{"), type=SandboxFacts)
        maintenance = self.server.start()
        create_if_missing(maintenance, DATABASE_NAME)
        self.database = with_name(maintenance, DATABASE_NAME)
        self._variables = environment(self.facts, str(self.folder / "service"), KEY, "harmony") | {
            "OPAYO_SYSPRO_PACE": str(self.plan.pace),
            "OPAYO_SYSPRO_LOG_LEVEL": "info",
            "SOAK_FOLDER": str(self.folder),
            **self.plan.variables,
        }
        for name in [*self.doors, *self.workers]:
            self.start(name)
            self.ready(name)
        self.subscribe(self.url)

    @property
    def doors(self) -> list[str]:
        return ["serve", *(f"serve-{number}" for number in range(2, self.plan.doors + 1))]

    @property
    def workers(self) -> list[str]:
        return [f"worker-{number + 1}" for number in range(self.plan.workers)]

    def subscribe(self, url: str) -> None:
        """Let Opayo's events go to a service's address; nowhere when it is empty."""
        where = url and f"{url}/webhooks/opayo/{PAIR}"
        body = {"url": where, "secret": self.facts.webhook_secret}
        httpx.put(f"{self.facts.opayo}/_sandbox/webhook", json=body).raise_for_status()

    def start(self, name: str, variables: Mapping[str, str] | None = None) -> None:
        """Start `serve` or a worker; does not wait for it."""
        words = ["serve", "--port", str(self.ports[name])] if name in self.ports else ["worker"]
        program = ["-m", "tests.soak.child" if self.plan.patched else "service.cli"]
        self._spawn(name, [*program, *words], self._variables | dict(variables or {}) | {"SOAK_NAME": name})

    def ready(self, name: str, patience: float = 60) -> None:
        """Wait until a process that was just started says that it works."""
        self._line(name, "ready " if name in self.ports else "working", patience)

    def close(self) -> None:
        """End everything, whatever state it is in."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with contextlib.suppress(OSError):
            self.server.stop()
        # It lies in a folder of its own where the account of the database cannot reach ours.
        shutil.rmtree(self.server.cluster, ignore_errors=True)

    def _spawn(self, name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
        output = self.folder / f"{name}.out.log"
        with output.open("wb") as out, (self.folder / f"{name}.err.log").open("ab") as err:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                # An installed program has its bytecode; compiling it anew would be most of a restart.
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "", **variables},
                start_new_session=True,
            )

    def _line(self, name: str, beginning: str, patience: float = 60) -> str:
        deadline = time.monotonic() + patience
        path = self.folder / f"{name}.out.log"
        while time.monotonic() < deadline:
            for line in path.read_text().splitlines(keepends=True):
                if line.startswith(beginning) and line.endswith("\n"):
                    return line
            if self.processes[name].poll() is not None:
                break
            time.sleep(0.01)
        errors = (self.folder / f"{name}.err.log").read_text()[-3000:]
        raise AssertionError(f"{name} did not say `{beginning}`:\n{errors}")

    # --- harm -------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """kill -9, and reap."""
        self.processes[name].kill()
        self.processes[name].wait()

    def postmaster(self) -> int:
        """The pid of the database's first process."""
        return int((self.server.cluster / "postmaster.pid").read_text().split()[0])

    def signal_database(self, sign: signal.Signals) -> None:
        """Send the database a signal and wait until its first process is gone."""
        pid = self.postmaster()
        os.kill(pid, sign)
        while _alive(pid):
            time.sleep(0.005)

    def running_database(self) -> bool:
        """Whether the database's first process lives."""
        try:
            return _alive(self.postmaster())
        except (OSError, IndexError):
            return False

    def start_database(self) -> None:
        """Start the database again, at the same address."""
        self.server.start()

    def faults(self, system: str, rates: Mapping[str, float]) -> None:
        """Set how often a sandbox's calls and events go wrong."""
        url = f"{getattr(self.facts, system)}/_sandbox/faults/rates"
        httpx.put(url, json={"rates": dict(rates)}).raise_for_status()

    def calm(self) -> None:
        """No faults from now on."""
        for system in ("opayo", "syspro", "shop"):
            httpx.delete(f"{getattr(self.facts, system)}/_sandbox/faults").raise_for_status()

    # --- what there is ----------------------------------------------------------------------------

    def rows(self, query: str, patience: float = 30) -> list[tuple[Any, ...]]:
        """Rows of a query; waits for the database when it is away."""
        deadline = time.monotonic() + patience
        while True:
            try:
                with psycopg.connect(self.database, autocommit=True, connect_timeout=5) as connection:
                    return connection.execute(query.encode()).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def ledger(self, system: str) -> dict[str, Any]:
        """The ledger of a sandbox."""
        answer = httpx.get(f"{getattr(self.facts, system)}/_sandbox/ledger", timeout=60)
        ledger: dict[str, Any] = answer.json()
        return ledger

    def fired(self, system: str) -> dict[str, int]:
        """How often each fault of a sandbox really happened."""
        answer = httpx.get(f"{getattr(self.facts, system)}/_sandbox/faults", timeout=60)
        fired: dict[str, int] = answer.json()["fired"]
        return fired

    def until_rest(self, patience: float = 180) -> float:
        """Wait for the end of the road; the seconds it took. What is not at rest then, the invariants name."""
        started = time.monotonic()
        while time.monotonic() - started < patience:
            pending = self.ledger("opayo")["events"]["pending"]
            moving = self.rows(
                "SELECT (SELECT count(*) FROM inbox WHERE state = 'received')"
                " + (SELECT count(*) FROM payments WHERE lane IS NOT NULL)"
                " + (SELECT count(*) FROM postings WHERE state = 'ambiguous')"
            )
            if not pending and moving == [(0,)]:
                break
            time.sleep(0.2)
        return time.monotonic() - started


@contextlib.contextmanager
def street(folder: Path, plan: Plan | None = None) -> Iterator[Street]:
    """A street for the time of a `with` block."""
    folder.chmod(0o711)  # the account that runs the database for root passes through
    made = Street(folder, plan or Plan())
    try:
        made.open()
        yield made
    finally:
        made.close()


def report(name: str, **figures: object) -> None:
    """One line of JSON for people, on the output and in `var/soak.jsonl`: what was done, and what came of it."""
    line = json.dumps({"soak": name, **figures})
    sys.stdout.write(f"\n{line}\n")
    path = Path(os.environ.get("SOAK_JSON", "var/soak.jsonl"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{line}\n")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
