"""Child processes, ports, directories and waiting, for the test harness."""

from __future__ import annotations

import atexit
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Iterable, TypeVar

T = TypeVar("T")

# --- waiting, ports, directories --------------------------------------------------------------


# How many times longer everything may take: programs under Valgrind are slow.
PATIENCE = float(os.environ.get("BELFRY_PATIENCE", "1"))
# The programs run under a sanitizer or Valgrind: their speed and memory are not Belfry's.
WATCHED = bool(os.environ.get("BELFRY_SANITIZE") or os.environ.get("BELFRY_VALGRIND"))


class DeadlineExceeded(AssertionError):
    """A condition was not met in time; the message says which."""


def wait_for(condition: Callable[[], T], deadline_s: float, what: str, every_s: float = 0.02) -> T:
    """Calls `condition` until it returns something true, and returns that.

    Raises DeadlineExceeded naming `what` after `deadline_s`. An exception of the condition is not
    swallowed: catch in the condition what is to be expected there.
    """
    end = time.monotonic() + deadline_s * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"not within {deadline_s:g} s: {what}")
        time.sleep(every_s)


_port_locks: dict[int, Any] = {}


def free_port() -> int:
    """A TCP port on 127.0.0.1 that is this process's until it ends.

    Taken below the ephemeral range: a client that keeps connecting to a stopped server's port in
    that range can be given the same port as its own and so connect to itself. A lock file keeps
    test runs that go on at the same time apart.
    """
    directory = Path(tempfile.gettempdir()) / f"belfry-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    for port in random.SystemRandom().sample(range(20000, 32000), 200):
        lock = open(directory / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _port_locks[port] = lock
        return port
    raise RuntimeError("no free port between 20000 and 32000")


def accepts_connections(port: int) -> bool:
    """True when something listens on 127.0.0.1:port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


_work_directory: Path | None = None


def work_directory() -> Path:
    """The temporary directory of this process, made on first use and removed at exit."""
    global _work_directory
    if _work_directory is None:
        _remove_orphans()
        _work_directory = Path(tempfile.mkdtemp(prefix=f"belfry-test-{os.getpid()}-"))
    return _work_directory


def _remove_orphans() -> None:
    """Removes the directories of test runs that were killed and could not do it themselves."""
    for directory in Path(tempfile.gettempdir()).glob("belfry-test-*-*"):
        owner = directory.name.split("-")[2]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(directory, ignore_errors=True)


def new_directory(name: str) -> Path:
    """A fresh directory under work_directory() whose name starts with `name`."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work_directory()))


# --- processes --------------------------------------------------------------------------------

# The parent-death signal is sent when the *thread* that forked ends, so one thread that lives as
# long as the process starts every child, whichever thread of the test asks for it.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_live: list["Process"] = []


class Process:
    """A child process with a log file: start, end, freeze, kill; ended with the test at the latest.

    `command` and `env` may be changed between runs; the log of all runs is appended to `log`.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, name: str, command: Iterable[object], env: dict[str, str] | None = None):
        self.name = name
        self.directory = new_directory(name)
        self.log = self.directory / f"{name}.log"
        self.command = [str(word) for word in command]
        self.env = dict(env or {})
        self.child: subprocess.Popen[bytes] | None = None
        self.log_start = 0  # where this run's part of the log begins

    def __enter__(self) -> "Process":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.name} pid={self.pid if self.running else 'none'} log={self.log}>"

    @property
    def pid(self) -> int:
        assert self.child is not None, f"{self.name} was never started"
        return self.child.pid

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last run, negative: the signal that ended it; None while it runs."""
        return None if self.child is None else self.child.poll()

    def start(self) -> "Process":
        """Starts the child. What "ready" means is each subclass's own wait_ready()."""
        assert not self.running, f"{self.name} is running already"
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        command = ["setpriv", "--pdeathsig", "KILL", "--", *self.command]
        with open(self.log, "ab") as log:
            self.child = _spawner.submit(
                subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.env}, start_new_session=True).result()
        if self not in _live:
            _live.append(self)
        return self

    def send(self, number: int) -> None:
        """Sends a signal to the running child."""
        assert self.running, f"{self.name} is not running; its log is {self.log}"
        os.kill(self.pid, number)

    def sigstop(self) -> None:
        """Freezes the child, as a long pause of its machine would."""
        self.send(signal.SIGSTOP)

    def sigcont(self) -> None:
        """Wakes a frozen child."""
        self.send(signal.SIGCONT)

    def kill9(self) -> None:
        """Kills the child without notice and waits until it is gone."""
        if self.child is not None and self.child.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.child.wait(timeout=30)

    def wait_exit(self, deadline_s: float = 60.0) -> int:
        """Waits until the child has ended by itself; returns its exit code."""
        assert self.child is not None
        try:
            return self.child.wait(timeout=deadline_s * PATIENCE)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(f"{self.name} still runs after {deadline_s:g} s\n{self.tail()}")

    def stop(self, deadline_s: float = 60.0) -> int:
        """Asks the child to end and waits for it; returns its exit code."""
        self.send(self.stop_signal)
        return self.wait_exit(deadline_s)

    def close(self) -> None:
        """Ends the child at once if it runs. May be called again."""
        self.kill9()
        if self in _live:
            _live.remove(self)

    def output(self, all_runs: bool = False) -> str:
        """What the child has written to its log, in this run or in all."""
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as log:
            log.seek(0 if all_runs else self.log_start)
            return log.read().decode(errors="replace")

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log, for messages."""
        return f"--- {self.log}\n" + "\n".join(self.output().splitlines()[-lines:])

    def wait_until(self, condition: Callable[[], T], deadline_s: float, what: str) -> T:
        """wait_for() that fails at once, with the log's tail, when the child ends meanwhile."""

        def checked() -> T:
            ended = not self.running  # first: what it did before it ended counts
            value = condition()
            if not value and ended:
                raise AssertionError(
                    f"{self.name} ended with {self.exit_code} before: {what}\n{self.tail()}")
            return value

        try:
            return wait_for(checked, deadline_s, f"{self.name}: {what}")
        except DeadlineExceeded as late:
            raise DeadlineExceeded(f"{late}\n{self.tail()}") from None


def live_processes() -> list[Process]:
    """The processes started and not yet closed, oldest first."""
    return list(_live)


def close_processes(keep: Iterable[Process] = ()) -> None:
    """Ends all processes but `keep`, youngest first."""
    kept = set(map(id, keep))
    for process in reversed(live_processes()):
        if id(process) not in kept:
            process.close()


def save_logs(target: Path) -> list[Path]:
    """Copies the logs of all processes still open to `target`; returns the copies."""
    copies = []
    for process in live_processes():
        if process.log.exists():
            target.mkdir(parents=True, exist_ok=True)
            copies.append(Path(shutil.copy(process.log, target / process.log.parent.name)))
    return copies


def _clean_up() -> None:
    close_processes()
    if _work_directory is not None and not os.environ.get("BELFRY_KEEP"):
        shutil.rmtree(_work_directory, ignore_errors=True)
    for port, lock in _port_locks.items():
        Path(lock.name).unlink(missing_ok=True)


def _exit_on_signal(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def install_signal_handlers() -> None:
    """Makes SIGTERM and SIGINT end this process the orderly way, so that its children end too.

    Done on import in the main thread; here for programs that set handlers of their own.
    """
    signal.signal(signal.SIGTERM, _exit_on_signal)
    signal.signal(signal.SIGINT, _exit_on_signal)


atexit.register(_clean_up)
try:
    install_signal_handlers()
except ValueError:
    pass  # not the main thread: the importing program decides about signals
