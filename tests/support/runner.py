"""Runs Belfry's integration and chaos tests: every function test_* of the given files.

A test asks for what it needs by the names of its parameters:
  kafka    a broker shared by the whole run (started again if a test left it dead)
  plain_kafka   the same with the settings Kafka is delivered with, not the fast ones
  redis    a Redis shared by the whole run, emptied before each test
  cluster  a cluster name of its own, so that topics of tests on one broker never meet
  tmp      an empty directory (pathlib.Path)
  shared   what the file's own function setup(…) returned or yielded; setup() is called before the
           first test of the file that asks for it and may itself ask for the names above. After
           a yield comes the tear-down.
All processes that a test started and left are ended after it. A test that kills or stops a
server starts its own: `with Kafka() as kafka:`.

Limits: a test has 300 s, or what @limit(seconds) says: they end what hangs, and say nothing of how
fast anything is. raise Skip("why") skips it.

A file may be followed by the names of some of its tests: test_x.py::test_a,test_b. A name that
is not there fails.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import inspect
import itertools
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Iterator

SUPPORT = Path(__file__).resolve().parent
sys.path.insert(0, str(SUPPORT))

import harness  # noqa: E402 -- found through the line above

LIMIT_S = 300
LOGS = harness.ROOT / "build" / "test-logs"


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


class TimeLimit(BaseException):
    """A test ran out of time. Not an Exception: no test's own `except` should catch it."""


def limit(seconds: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: this test (or setup) may take `seconds`."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.limit_s = seconds  # type: ignore[attr-defined]
        return function

    return mark


class Fixtures:
    """Makes what tests ask for by name; servers are started on first use."""

    def __init__(self) -> None:
        self.kafka: harness.Kafka | None = None
        self.plain_kafka: harness.Kafka | None = None
        self.redis: harness.Redis | None = None
        self.numbers = itertools.count(1)
        self.module: ModuleType | None = None
        self.shared: Any = None
        self.teardown: Iterator[Any] | None = None
        self.module_processes: list[harness.Process] = []

    def call(self, function: Callable[..., Any]) -> Any:
        """Calls a function with the fixtures its parameters name."""
        names = inspect.signature(function).parameters
        return function(**{name: self.make(name, function) for name in names})

    def make(self, name: str, asker: Callable[..., Any]) -> Any:
        makers = {"kafka": self._kafka, "plain_kafka": self._plain_kafka, "redis": self._redis,
                  "shared": self._shared,
                  "cluster": lambda: f"t{os.getpid()}-{next(self.numbers)}",
                  "tmp": lambda: harness.new_directory(asker.__name__)}
        if name not in makers:
            raise TypeError(f"{asker.__name__}() asks for {name!r}; there is: {', '.join(makers)}")
        return makers[name]()

    def end_module(self) -> None:
        """Tear-down of a file's setup()."""
        if self.teardown is not None:
            next(self.teardown, None)
        self.module = self.shared = self.teardown = None
        self.module_processes = []
        harness.close_processes(keep=self.kept())

    def kept(self) -> list[harness.Process]:
        """The processes that outlive a test."""
        servers = [self.kafka, self.plain_kafka, self.redis]
        return [p for server in servers if server is not None
                for p in server.processes] + self.module_processes

    def _kafka(self) -> harness.Kafka:
        self.kafka = self.kafka or harness.Kafka()
        if not self.kafka.running:
            self.kafka.start()
        return self.kafka

    def _plain_kafka(self) -> harness.Kafka:
        self.plain_kafka = self.plain_kafka or harness.Kafka(plain=True)
        if not self.plain_kafka.running:
            self.plain_kafka.start()
        return self.plain_kafka

    def _redis(self) -> harness.Redis:
        self.redis = self.redis or harness.Redis()
        if not self.redis.running:
            self.redis.start()
        if self.shared is None:  # the file's daemon would lose its checkpoint
            with self.redis.client() as client:
                client.flushall()
        return self.redis

    def _shared(self) -> Any:
        if self.shared is None:
            before = set(map(id, harness.live_processes()))
            assert self.module is not None
            value = self.call(self.module.setup)
            if inspect.isgenerator(value):
                self.teardown = value
                value = next(value)
            self.shared = value
            self.module_processes = [
                p for p in harness.live_processes() if id(p) not in before]
        return self.shared


def load(path: Path) -> ModuleType:
    """Imports a test file under a name of its own."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, f"{path} is not a Python file"
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def tests_of(module: ModuleType) -> list[Callable[..., Any]]:
    """The test functions in the order of the file."""
    found = [f for name, f in vars(module).items()
             if name.startswith("test_") and inspect.isfunction(f)]
    return sorted(found, key=lambda f: f.__code__.co_firstlineno)


class Runner:
    """Runs tests one after the other and counts."""

    def __init__(self, keep_going: bool = True):
        self.fixtures = Fixtures()
        self.keep_going = keep_going
        self.passed = self.failed = self.skipped = 0

    def run_file(self, path: Path, pattern: str, names: tuple[str, ...] = ()) -> bool:
        """Runs the matching tests of a file, or those of the names; False: stop here."""
        try:
            module = load(path)
        except Exception:
            self._report(f"{path.stem}", "FAIL", 0.0, traceback.format_exc())
            return self.keep_going
        self.fixtures.module = module
        tests = tests_of(module)
        for name in sorted(set(names) - {test.__name__ for test in tests}):
            self._report(f"{path.stem}.{name}", "FAIL", 0.0, f"{path} has no test {name}")
        try:
            for test in tests:
                if names and test.__name__ not in names:
                    continue
                if pattern in f"{path.stem}.{test.__name__}":
                    self.run_test(f"{path.stem}.{test.__name__}", test)
                    if self.failed and not self.keep_going:
                        return False
        finally:
            self.fixtures.end_module()
        return True

    def run_test(self, name: str, test: Callable[..., Any]) -> None:
        begin = time.monotonic()
        outcome, detail = "ok", ""
        try:
            self._timed(name, test)
        except Skip as skip:
            outcome, detail = "skip", str(skip)
        except (Exception, TimeLimit):
            outcome, detail = "FAIL", self._explain(name)
        took_s = time.monotonic() - begin
        harness.close_processes(keep=self.fixtures.kept())
        self._report(name, outcome, took_s, detail)

    def _timed(self, name: str, test: Callable[..., Any]) -> None:
        limit_s = getattr(test, "limit_s", LIMIT_S) * harness.PATIENCE

        def expired(_number: int, _frame: object) -> None:
            raise TimeLimit(f"{name} takes longer than its {limit_s:g} s")

        signal.signal(signal.SIGALRM, expired)
        # A test stuck inside a C call never sees the signal: then the whole run ends, and with
        # it, by their parent-death signal, all children.
        faulthandler.dump_traceback_later(limit_s + 60, exit=True)
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        try:
            self.fixtures.call(test)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()

    def _explain(self, name: str) -> str:
        text = traceback.format_exc()
        target = LOGS / name
        shutil.rmtree(target, ignore_errors=True)
        copies = harness.save_logs(target)
        return text + (f"logs of its processes: {target}\n" if copies else "")

    def _report(self, name: str, outcome: str, took_s: float, detail: str) -> None:
        self.passed += outcome == "ok"
        self.failed += outcome == "FAIL"
        self.skipped += outcome == "skip"
        why = f"  ({detail})" if outcome == "skip" else ""
        print(f"{outcome:4}  {name:<64} {took_s:8.2f} s{why}", flush=True)
        if outcome == "FAIL":
            print(detail, flush=True)


def claim(folder: Path, file: Path) -> bool:
    """Whether this run is the first to take the file."""
    try:
        (folder / file.name).touch(exist_ok=False)
        return True
    except FileExistsError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests/support/runner.py", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="test files, each with ::names if wanted")
    parser.add_argument("-k", dest="pattern", default="", metavar="TEXT",
                        help="only tests whose file.name contains TEXT")
    parser.add_argument("-x", dest="keep_going", action="store_false",
                        help="stop after the first failure")
    parser.add_argument("--claims", type=Path, metavar="FOLDER",
                        help="runs that share the folder run each of the files once: who is free "
                             "takes the next")
    options = parser.parse_args()
    # Test files say "from runner import limit": let them find this module, not a second copy.
    sys.modules["runner"] = sys.modules[__name__]
    runner = Runner(options.keep_going)
    for text in options.files:
        path, _, names = text.partition("::")
        if options.claims and not claim(options.claims, Path(path)):
            continue
        if not runner.run_file(Path(path), options.pattern, tuple(filter(None, names.split(",")))):
            break
    if runner.skipped:
        print(f"{runner.skipped} skipped")
    print(f"{runner.passed} passed, {runner.failed} failed", flush=True)
    nothing_ran = runner.passed + runner.skipped == 0 and not options.claims
    return 1 if runner.failed or nothing_ran else 0


if __name__ == "__main__":
    sys.exit(main())
