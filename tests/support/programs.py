"""The programs under test, for the test harness."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Iterable

from processes import PATIENCE, Process
from servers import ROOT, Kafka, Redis

BUILD = Path(os.environ.get("BELFRY_BUILD", ROOT / "build"))

_LOGFMT = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)')


def parse_log_line(line: str) -> dict[str, str]:
    """The fields of a logfmt or JSON log line as text; empty for any other line."""
    if line.startswith("{"):
        try:
            return {name: str(value) for name, value in json.loads(line).items()}
        except ValueError:
            return {}
    fields = {}
    for name, value in _LOGFMT.findall(line):
        fields[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
    return fields


class Belfryd(Process):
    """The daemon under test on a given Kafka and Redis.

        args     more command line flags
        env      more environment
        fault    value of BELFRY_FAULT: the daemon ends itself at that fault point
        wrapper  words put before the command, for example ("valgrind", "--error-exitcode=99")
    """

    def __init__(self, kafka: Kafka | str, redis: Redis | str, cluster: str = "belfry",
                 shards: int = 4, args: Iterable[object] = (), env: dict[str, str] | None = None,
                 fault: str | None = None, wrapper: Iterable[str] = (), name: str = "belfryd"):
        bootstrap = kafka if isinstance(kafka, str) else kafka.bootstrap
        url = redis if isinstance(redis, str) else redis.url
        self.cluster = cluster
        self.shards = shards
        super().__init__(name, [*wrapper, BUILD / "belfryd", "--cluster", cluster,
                                "--kafka", bootstrap, "--redis", url, "--shards", shards, *args],
                         env)
        self.fault = fault

    def start(self) -> "Belfryd":
        self.env.pop("BELFRY_FAULT", None)
        if self.fault is not None:
            self.env["BELFRY_FAULT"] = self.fault
        super().start()
        return self

    def events(self, name: str | None = None, all_runs: bool = False,
               **fields: object) -> list[dict[str, str]]:
        """Log lines of this run (or all) as field maps: of one event, with the given fields."""
        wanted = {key: str(value) for key, value in fields.items()}
        if name is not None:
            wanted["event"] = name
        lines = map(parse_log_line, self.output(all_runs).splitlines())
        return [line for line in lines
                if line and all(line.get(key) == value for key, value in wanted.items())]

    def wait_event(self, name: str, deadline_s: float = 60.0, count: int = 1,
                   **fields: object) -> list[dict[str, str]]:
        """Waits until this run has logged the event `count` times; returns these lines."""

        def seen() -> list[dict[str, str]]:
            found = self.events(name, **fields)
            return found if len(found) >= count else []

        return self.wait_until(seen, deadline_s, f"event={name} {fields or ''} x{count}")

    def resident_kib(self) -> int:
        """Memory that it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def processor_s(self) -> float:
        """Processor time that this run of it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_ready(self, deadline_s: float = 60.0) -> "Belfryd":
        """Waits for event=daemon.ready: the daemon is connected and serves its shards."""
        self.wait_event("daemon.ready", deadline_s)
        return self

    def live_shards(self) -> set[int]:
        """The shards this run has logged as live and not as dropped afterwards."""
        live: set[int] = set()
        for line in self.events():
            number = line.get("shard", line.get("partition", ""))
            if number.isdigit() and line.get("event") == "shard.live":
                live.add(int(number))
            elif number.isdigit() and line.get("event") in ("shard.dropped", "shard.fenced"):
                live.discard(int(number))
        return live

    def wait_live(self, shards: int | None = None, deadline_s: float = 60.0) -> "Belfryd":
        """Waits until `shards` shards (default: all) are live in this daemon."""
        wanted = self.shards if shards is None else shards
        self.wait_until(lambda: len(self.live_shards()) >= wanted, deadline_s,
                        f"{wanted} shards live")
        return self

    def terminate(self, deadline_s: float = 60.0, expect: int = 0) -> None:
        """SIGTERM; the daemon must end with the exit code `expect` within the deadline."""
        code = self.stop(deadline_s)
        assert code == expect, f"{self.name} ended with {code}, not {expect}\n{self.tail()}"


def run(program: str, *args: object, stdin: str | None = None, deadline_s: float = 60.0,
        env: dict[str, str] | None = None, expect: int | None = None
        ) -> subprocess.CompletedProcess[str]:
    """Runs one of the built programs to its end: run("belfry", "list", …).

    With `expect`, another exit code fails the test with what the program said.
    """
    command = [str(BUILD / program), *map(str, args)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True,
                          timeout=deadline_s * PATIENCE,
                          env={**os.environ, **(env or {})})
    assert expect is None or done.returncode == expect, (
        f"{shlex.join(command)} ended with {done.returncode}, not {expect}\n"
        f"stdout: {done.stdout}\nstderr: {done.stderr}")
    return done


def belfry(kafka: Kafka, redis: Redis, cluster: str, *args: object, **more: Any
           ) -> subprocess.CompletedProcess[str]:
    """Runs the command line on a cluster: belfry(kafka, redis, cluster, "list", expect=0)."""
    return run("belfry", "--kafka", kafka.bootstrap, "--redis", redis.url, "--cluster", cluster,
               *args, **more)


def on_terminal(kafka: Kafka, redis: Redis, cluster: str, *args: object, typed: str = "",
                columns: int = 80) -> tuple[int, str]:
    """Runs the command line on a terminal of that width, where somebody types `typed`; its exit
    code and what the terminal shows, escapes and all."""
    words = [str(BUILD / "belfry"), "--kafka", kafka.bootstrap, "--redis", redis.url,
             "--cluster", cluster, *map(str, args)]
    leader, follower = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=follower, check=True)
    child = subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower,
                             env={**os.environ, "TERM": "xterm"})
    os.close(follower)
    os.write(leader, typed.encode())
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # its end, on Linux
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return child.wait(30), shown.decode()
