"""The simulation's hold on its real database: the clock it believes, the answers it gives, connections that break."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import select
import socket
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
from msgspec import Struct
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from service.cli.simulation.process import Process
from service.store.database import create_engine, with_name
from service.store.migrations import migrate

# What the driver waits for, and hears.
_READ, _WRITE = 1, 2
_PATIENCE = 6000
Steps = Generator[int, int, object]
ConnectionSteps = Generator[tuple[int, int], int, object]
# The database's clock is set anew when ours has moved by so much.
_CLOCK_STEP = 0.25

_CLOCK = """
CREATE SCHEMA IF NOT EXISTS simulation;
CREATE SEQUENCE IF NOT EXISTS simulation.clock MINVALUE 0;
CREATE OR REPLACE FUNCTION simulation.now() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT to_timestamp(last_value / 1000000.0) FROM simulation.clock $$;
DO $$
DECLARE place record;
BEGIN
    FOR place IN SELECT table_name, column_name FROM information_schema.columns
                 WHERE table_schema = 'public' AND column_default = 'now()'
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT simulation.now()',
                       place.table_name, place.column_name);
    END LOOP;
    EXECUTE format('ALTER DATABASE %I SET search_path = simulation, public, pg_catalog', current_database());
    EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''1ms''', current_database());
END $$;
"""
_EMPTY = """
DO $$
DECLARE names text;
BEGIN
    SELECT string_agg(format('%I', tablename), ', ') INTO names FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version';
    EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE';
END $$;
"""


_BLOCKED = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
_IDLE = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


class Held(Struct):
    """A connection of a process."""

    process: Process
    number: int
    fd: int
    pid: int
    driver: Any


class Quakes(Struct):
    """How often the database lets us down: per answer, and per statement."""

    lost: float = 0.0
    serialisation: float = 0.0


def prepare(url: str) -> None:
    """Migrate a database and give it the clock of the simulation."""
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_CLOCK)


def create(server_url: str, name: str) -> str:
    """Make a database anew on a server of ours, ready for simulations; its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    url = with_name(server_url, name)
    prepare(url)
    return url


class SimulatedDatabase:
    """PostgreSQL as the simulated processes meet it."""

    def __init__(self, url: str, draw: random.Random, date: Callable[[float], datetime]) -> None:
        self.url = url
        self.quakes = Quakes()
        self.lost = 0
        self._draw = draw
        self._date = date
        self._held: dict[int, Held] = {}
        self._made = 0
        self._blocked: dict[int, tuple[Held, asyncio.Future[None]]] = {}
        self._set_at = -1.0
        self._watch = psycopg.connect(url, autocommit=True)
        self._watch.execute(_EMPTY)

    # --- statements ------------------------------------------------------------------------------------

    async def wait_async(self, steps: Steps, fd: int, **_: float | None) -> object:
        """In place of the driver's own waiting: a statement is over before anybody else takes a step.

        Its answer is handed over after a latency from the seed; now and then it is lost instead. One that waits for
        a lock waits in virtual time.
        """
        held, rounds = self._held.get(fd), 0
        try:
            wanted = next(steps)
            while True:
                rounds += 1
                if held is not None and not wanted & _WRITE and self._waits_for_lock(held):
                    await self._given(held)
                wanted = steps.send(_ready(fd, wanted))
        except OSError as error:
            raise psycopg.OperationalError("connection socket closed") from error
        except StopIteration as end:
            answer: object = end.value
        if held is None or not rounds:
            return answer
        self._look_again()
        if self.quakes.lost and self._draw.random() < self.quakes.lost:
            self.sever(held)
            held.driver.pgconn.finish()
            raise psycopg.OperationalError("the connection was lost (simulated)")
        await asyncio.sleep(0.0002 + self._draw.expovariate(1 / 0.001))
        return answer

    async def wait_conn_async(self, steps: ConnectionSteps, **_: float | None) -> object:
        """In place of the driver's own waiting for a connection, which takes no virtual time."""
        try:
            fd, wanted = next(steps)
            while True:
                fd, wanted = steps.send(_ready(fd, wanted))
        except StopIteration as end:
            answer: object = end.value
            return answer

    def _waits_for_lock(self, held: Held) -> bool:
        """Wait until a statement has an answer; true when it waits for a lock instead."""
        waiter = select.poll()
        waiter.register(held.fd, select.POLLIN)
        for _ in range(_PATIENCE):
            if waiter.poll(10):
                return False
            row = self._watch.execute(_BLOCKED, [held.pid]).fetchone()
            if row and row[0]:
                return True
        raise TimeoutError(f"PostgreSQL process {held.pid} has not answered for a minute")

    async def _given(self, held: Held) -> None:
        given = asyncio.get_running_loop().create_future()
        self._blocked[held.number] = (held, given)
        try:
            await given
        finally:
            self._blocked.pop(held.number, None)

    def _look_again(self) -> None:
        """Something ended: whoever waited for its locks may go on."""
        for held, given in list(self._blocked.values()):
            if not given.done() and not self._waits_for_lock(held):
                given.set_result(None)

    def moved(self, now: float) -> None:
        """Set the database's clock."""
        if now - self._set_at >= _CLOCK_STEP:
            self._set_at = now
            micros = int(self._date(now).timestamp() * 1_000_000)
            self._watch.execute("SELECT setval('simulation.clock', %s)", [micros])

    # --- connections ---------------------------------------------------------------------------------

    def engine(self, process: Process) -> AsyncEngine:
        """A process's engine, made as the service makes it."""
        # PostgreSQL's patience with idle transactions is real time; ours is kept by `end_idle_transactions`.
        patient = (
            f"{self.url}{'&' if '?' in self.url else '?'}options=-c%20idle_in_transaction_session_timeout%3D0"
        )
        engine = create_engine(patient, pool_size=6, max_overflow=6)
        core = engine.sync_engine

        @event.listens_for(core, "do_connect")
        def refuse(*_: object) -> None:
            if not process.alive:
                raise psycopg.OperationalError("this process is dead")

        @event.listens_for(core, "connect")
        def hold(dbapi: Any, _: object) -> None:
            driver = dbapi.driver_connection
            self._made += 1
            fd = driver.pgconn.socket
            self._held[fd] = Held(process, self._made, fd, driver.pgconn.backend_pid, driver)

        @event.listens_for(core, "close")
        def leave(dbapi: Any, _: object) -> None:
            for fd, held in list(self._held.items()):
                if held.driver is dbapi.driver_connection:
                    del self._held[fd]

        @event.listens_for(core, "do_execute")
        def quake(*_: object) -> None:
            if self.quakes.serialisation and self._draw.random() < self.quakes.serialisation:
                raise psycopg.errors.SerializationFailure("could not serialize access (simulated)")

        return engine

    def sever(self, held: Held, *, wait: bool = True) -> None:
        """Cut a connection; what its transaction did is undone before anything else happens."""
        if self._held.pop(held.fd, None) is None:
            return
        self.lost += 1
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(held.fd)) as line:
            line.shutdown(socket.SHUT_RDWR)
        if held.number in self._blocked and not self._blocked[held.number][1].done():
            self._blocked[held.number][1].set_result(None)
        self._watch.execute("SELECT pg_terminate_backend(%s)", [held.pid])
        while (
            wait
            and self._watch.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [held.pid]).fetchone()
        ):
            time.sleep(0.0005)
        if wait:
            self._look_again()

    def connections(self, process: Process | None = None) -> list[Held]:
        """Connections held, oldest first; a process's own, or all."""
        return sorted(
            (held for held in self._held.values() if process is None or held.process is process),
            key=lambda held: held.number,
        )

    def end_idle_transactions(self, process: Process) -> None:
        """What PostgreSQL does with the transactions of a process that has been silent for too long."""
        idle = {row["pid"] for row in self.rows(_IDLE)}
        for held in self.connections(process):
            if held.pid in idle:
                self.sever(held)

    def rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows as they are committed now."""
        with self._watch.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(statement.encode(), parameters).fetchall()

    def execute(self, statement: str, *parameters: object) -> None:
        """Change something, as a person does with the database's own tools."""
        self._watch.execute(statement.encode(), parameters)

    def close(self) -> None:
        """Give every connection back."""
        for held in self.connections():
            self.sever(held, wait=False)
        self._watch.close()


def _ready(fd: int, wanted: int) -> int:
    """What a socket is ready for; waits until it is."""
    waiter = select.poll()
    waiter.register(fd, (select.POLLIN if wanted & _READ else 0) | (select.POLLOUT if wanted & _WRITE else 0))
    ready = 0
    for _, events in waiter.poll(60_000):
        # A line that broke is found out by reading and writing.
        ready |= _WRITE if events & select.POLLOUT else 0
        ready |= wanted & _READ if events & ~select.POLLOUT else 0
    return ready or wanted


@contextlib.contextmanager
def seeded_entropy(draw: random.Random) -> Iterator[None]:
    """Let what is meant to be random (keys, tokens, ids of the stand-ins) follow from the seed."""
    before = os.urandom, random._urandom  # type: ignore[attr-defined]
    os.urandom = random._urandom = draw.randbytes  # type: ignore[attr-defined]
    try:
        yield
    finally:
        os.urandom, random._urandom = before  # type: ignore[attr-defined]


def at(start: datetime, loop_start: float) -> Callable[[float], datetime]:
    """The date of a loop's moment."""
    return lambda now: start + timedelta(seconds=now - loop_start)
