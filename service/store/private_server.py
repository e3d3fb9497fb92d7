"""The private PostgreSQL: started, shared, recovered and stopped by the processes that use it.

With no `DATABASE_URL` the service keeps a PostgreSQL of its own in its data folder:

    postgresql/           the cluster, readable by nobody else
    postgresql.lock       held by whoever starts or stops the server
    postgresql.users      held, shared, by every process that uses it; the last one out stops it
    postgresql.log        what the server says
    postgresql.location   where the cluster is, if the account that runs it cannot reach this folder

The kernel drops both locks of a killed process, so nothing has to be cleaned up after one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from service.store.server_account import Placement, exists, place, socket_folder, tag, unavailable
from service.store.server_process import Postmaster, clear_remains, halt, programs_remain, running, wait_until

START_SECONDS = 60
LOCK_SECONDS = 180
SUPERUSER = "postgres"

_SETTINGS = """\
# Written at every start; change nothing here.
listen_addresses = ''
port = 5432
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 64MB
# Loaded once at start: a wheel replaced under a running server would break a later load.
shared_preload_libraries = 'plpgsql'
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
max_wal_size = 512MB
io_method = sync
jit = off
max_parallel_workers_per_gather = 0
autovacuum_naptime = 20s
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_checkpoints = off
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
"""


class PrivateServer:
    """One user's hold on the private PostgreSQL of a data folder."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """Names the server; nothing happens before `start`.

        Args:
            data_dir: the service's data folder; made if missing.
            durable: false gives up safety on power loss for speed, for tests only; it counts for the
                process that starts the server, not for those that join it.
        """
        self.data_dir = data_dir.resolve()
        self.durable = durable
        self._user: int | None = None

    def __repr__(self) -> str:
        return f"PrivateServer({str(self.data_dir)!r})"

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Uses the server for a while; yields its URL."""
        url = self.start()
        try:
            yield url
        finally:
            self.release()

    def start(self) -> str:
        """Joins the running server, or starts it; may be called again after a crash of the server.

        Returns:
            `postgresql://…` of the maintenance database, by the server's socket.

        Raises:
            Misconfigured: it cannot run here; the text says why, and names `DATABASE_URL`.
        """
        self._make_data_dir()
        with self._exclusive():
            self._join()
            try:
                return _url(self._attach() or self._launch())
            except BaseException:
                self._leave()
                raise

    def release(self) -> None:
        """Ends this use; the last user out stops the server."""
        if self._user is None:
            return
        with self._exclusive():
            self._leave()
            if self._alone():
                halt(self.cluster)

    def stop(self) -> bool:
        """Stops the server whoever uses it; false if it was not running."""
        if not self.data_dir.is_dir():
            return False
        with self._exclusive():
            self._leave()
            return halt(self.cluster)

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data folder."""
        pointer = self._beside("location")
        if pointer.exists() and pointer.stat().st_uid == os.geteuid():
            return Path(pointer.read_text().strip())
        return self._beside("")

    def _beside(self, suffix: str) -> Path:
        return self.data_dir / ("postgresql." + suffix if suffix else "postgresql")

    def _make_data_dir(self) -> None:
        try:
            if not self.data_dir.is_dir():
                self.data_dir.mkdir(parents=True)
                # The account that runs the server for root must pass through this folder of ours.
                self.data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            raise unavailable(f"The data folder {self.data_dir} cannot be made: {error.strerror}") from error

    # --- locks ---------------------------------------------------------------------------------

    def _open(self, suffix: str) -> int:
        try:
            descriptor = os.open(self._beside(suffix), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            if os.geteuid() == 0:  # what root makes in a user's folder stays usable by that user
                owner = self.data_dir.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            return descriptor
        except OSError as error:
            raise unavailable(f"{self._beside(suffix)} cannot be opened: {error.strerror}") from error

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Holds the lock of start and stop."""
        lock = self._open("lock")
        try:
            if not wait_until(lambda: _try_lock(lock, fcntl.LOCK_EX), LOCK_SECONDS):
                raise unavailable(
                    f"Another process has been starting or stopping {self.cluster} for too long"
                )
            yield
        finally:
            os.close(lock)

    def _join(self) -> None:
        if self._user is None:
            self._user = self._open("users")
            fcntl.flock(self._user, fcntl.LOCK_SH)

    def _leave(self) -> None:
        if self._user is not None:
            os.close(self._user)
            self._user = None

    def _alone(self) -> bool:
        """Whether no process, this one included, uses the server."""
        users = self._open("users")
        try:
            return _try_lock(users, fcntl.LOCK_EX)
        finally:
            os.close(users)

    # --- start, under the lock -----------------------------------------------------------------

    def _attach(self) -> Postmaster | None:
        """The running server once it answers; one that never does is stopped."""
        cluster = self.cluster
        end = time.monotonic() + START_SECONDS
        while (postmaster := running(cluster)) is not None:
            if postmaster.answers() and programs_remain(cluster):
                return postmaster
            lost = postmaster.ready and not (postmaster.socket_folder or cluster).exists()
            if lost or not programs_remain(cluster) or time.monotonic() > end:
                halt(cluster)
                return None
            time.sleep(0.02)
        return None

    def _launch(self) -> Postmaster:
        placement = place(self.data_dir, self.cluster)
        if not exists(placement.cluster / "PG_VERSION"):
            self._initialise(placement)
        folder = socket_folder(placement.account, placement.cluster)
        try:
            clear_remains(placement.cluster, folder)
        except TimeoutError as error:
            raise unavailable(f"PostgreSQL cannot start: {error}") from error
        self._configure(placement, folder)
        log_path = self._beside("log")
        with os.fdopen(self._open("log"), "ab") as log:
            start = log.seek(0, os.SEEK_END)
            name = f"-c cluster_name=opayo-{tag(placement.cluster)}"
            words = ["-w", "-t", str(START_SECONDS), "-o", name, "start"]
            placement.account.run(
                [placement.installation / "bin/pg_ctl", *words], data=placement.cluster, output=log
            )
        # A starter killed a moment ago may have left a `pg_ctl` behind that won the race.
        postmaster = self._attach()
        if postmaster is None:
            shutil.rmtree(folder, ignore_errors=True)
            raise unavailable(
                f"PostgreSQL did not start; its log {log_path} says: {_reason(log_path, start)}"
            )
        return postmaster

    def _initialise(self, placement: Placement) -> None:
        """Makes a cluster beside its place, then renames it: a killed start leaves no half cluster."""
        cluster, account = placement.cluster, placement.account
        if cluster.is_dir() and any(cluster.iterdir()):
            raise unavailable(f"{cluster} is not empty and holds no PostgreSQL data; move it aside")
        for remains in cluster.parent.glob(f"{cluster.name}.new-*"):
            shutil.rmtree(remains, ignore_errors=True)
        staging = cluster.with_name(f"{cluster.name}.new-{os.urandom(4).hex()}")
        staging.mkdir(0o700)
        account.give(staging)
        options = ["--username", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        options += ["--auth-local=trust", "--auth-host=reject"]  # nobody else passes the socket's folder
        options += [] if self.durable else ["--no-sync"]
        made = account.run([placement.installation / "bin/initdb", "--pgdata", staging, *options])
        if made.returncode != 0:
            shutil.rmtree(staging, ignore_errors=True)
            said = made.stdout.decode(errors="replace").strip().splitlines()
            raise unavailable(
                f"PostgreSQL could not make its data folder in {cluster}: {' '.join(said[-3:])}"
            )
        staging.rename(cluster)
        if cluster != self.cluster:
            _write(self._beside("location"), f"{cluster}\n")

    def _configure(self, placement: Placement, folder: Path) -> None:
        main = placement.cluster / "postgresql.conf"
        include = "\ninclude_if_exists = 'private.conf'\n"
        text = main.read_text()
        if include not in text:
            main.write_text(text + include)  # in place: the owner stays
        private = placement.cluster / "private.conf"
        durable = "on" if self.durable else "off"
        _write(private, _SETTINGS.format(socket_folder=folder, durable=durable))
        placement.account.give(private)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(path: Path, text: str) -> None:
    """Replaces a file in one step."""
    new = path.with_name(path.name + ".new")
    with open(new, "w", opener=_private) as file:
        file.write(text)
    new.rename(path)


def _reason(path: Path, start: int) -> str:
    """What the log says since `start` of why the server did not start."""
    text = path.read_bytes()[start:].decode(errors="replace").replace("waiting for server to start....", "")
    chatter = re.compile(
        r"stopped waiting|Examine the log|pg_ctl:|LOG:  (starting|listening|database system)"
    )
    return " ".join([line for line in text.strip().splitlines() if not chatter.search(line)][-4:])


def _url(postmaster: Postmaster) -> str:
    folder = quote(str(postmaster.socket_folder), safe="")
    return f"postgresql://{SUPERUSER}@/postgres?host={folder}&port={postmaster.port}"
