"""Alive and ready are two things: Kafka away for ten minutes and commits of half a minute make a
daemon unready, and nobody is to restart it; a thread that hangs is to be seen."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from harness import ROOT, Belfryd, CommandClient, Kafka, Redis, run, wait_for
from http_client import Asker
from oracle_fold import instant_text
from proxy import KafkaProxy, Rule
from runner import limit
from scenario import now_ms

sys.path.insert(0, str(ROOT / "tests" / "bench"))
from workload import Workload, load  # noqa: E402 -- found through the line above

OUTAGE_S = 600
WATCHDOG_S = 30.0  # as docs/operation.md has it for systemd
SLOW_COMMIT_S = 28.0
SECOND = {"op": "add", "job": {"group": "g", "id": "j", "schedule": {"every": "1s"}}}
STEADY = {"BELFRY_GROUP_INSTANCE_ID": "one"}


class Supervisor:
    """Whoever would restart a daemon: systemd, and a container's check."""

    def __init__(self, cluster: str, directory: Path):
        self.env = {"BELFRY_HEALTH_SOCKET": f"@{cluster}",
                    "NOTIFY_SOCKET": str(directory / "notify"),
                    "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.env["NOTIFY_SOCKET"])
        self.socket.setblocking(False)
        self.fed_s = time.monotonic()

    def look(self, asker: Asker) -> None:
        """Fails where it would restart the daemon."""
        alive = asker.ask("/livez?verbose")
        assert alive.status == 200, alive.body
        run("belfryd", "--healthcheck", env=self.env, expect=0)
        try:
            while True:
                if self.socket.recv(4096) == b"WATCHDOG=1":
                    self.fed_s = time.monotonic()
        except BlockingIOError:
            pass
        assert time.monotonic() - self.fed_s < WATCHDOG_S, "systemd would have killed it"


@limit(OUTAGE_S + 300)
def test_kafka_away_for_ten_minutes_restarts_nothing(redis: Redis, cluster: str, tmp: Path
                                                     ) -> None:
    supervisor = Supervisor(cluster, tmp)
    with Kafka() as kafka, Belfryd(kafka, redis, cluster, args=("--http", "127.0.0.1:0"),
                                   env={**supervisor.env, **STEADY}) as daemon:
        daemon.wait_live()
        asker = Asker(daemon)
        with CommandClient(kafka.bootstrap, cluster) as client:
            client.call(SECOND, outcome="applied")
        wait_for(lambda: asker.ask("/readyz").status == 200, 30, "ready")
        for process in kafka.processes:
            process.sigstop()
        end = time.monotonic() + OUTAGE_S
        unready = 0
        while time.monotonic() < end:
            supervisor.look(asker)
            unready += asker.ask("/readyz").status == 503
            time.sleep(1)
        assert unready > OUTAGE_S / 2, f"ready in most of an outage: {unready} s unready"
        for process in kafka.processes:
            process.sigcont()
        wait_for(lambda: asker.ask("/readyz").status == 200, 120, "ready again", every_s=1)
        daemon.terminate(deadline_s=30)


@limit(400)
def test_commits_of_half_a_minute_restart_nothing(kafka: Kafka, redis: Redis, cluster: str,
                                                  tmp: Path) -> None:
    supervisor = Supervisor(cluster, tmp)
    with KafkaProxy(kafka) as proxy, \
            Belfryd(proxy.bootstrap, redis, cluster, args=("--http", "127.0.0.1:0"),
                    env={**supervisor.env, **STEADY}) as daemon:
        daemon.wait_live()
        asker = Asker(daemon)
        with CommandClient(kafka.bootstrap, cluster) as client:
            client.call(SECOND, outcome="applied")
        slow = proxy.add(Rule("EndTxn", "answer", "delay", times=None, seconds=SLOW_COMMIT_S))
        end = time.monotonic() + 150
        while time.monotonic() < end:
            supervisor.look(asker)
            time.sleep(1)
        assert slow.struck >= 3, slow
        proxy.clear()
        wait_for(lambda: asker.ask("/readyz").status == 200, 120, "ready again", every_s=1)
        daemon.terminate(deadline_s=60)


# --- a herd -----------------------------------------------------------------------------------

HERD = 1_000_000
HERD_SHARDS = 8
LOAD_S = 150


@limit(900)
def test_a_herd_of_a_million_leaves_the_daemon_healthy(redis: Redis, cluster: str, tmp: Path
                                                       ) -> None:
    supervisor = Supervisor(cluster, tmp)
    with Kafka() as kafka, Belfryd(kafka, redis, cluster, HERD_SHARDS,
                                   ("--http", "127.0.0.1:0"), supervisor.env) as daemon:
        daemon.wait_live()
        asker = Asker(daemon)
        at_ms = now_ms() // 1000 * 1000 + LOAD_S * 1000
        load(kafka, cluster, Workload(HERD, HERD_SHARDS, [{"at": instant_text(at_ms)}]))
        assert now_ms() < at_ms, "the machine is too slow for this test: raise LOAD_S"
        slowest_s = 0.0

        def fired() -> int:
            nonlocal slowest_s
            supervisor.look(asker)
            begun = time.monotonic()
            assert asker.ask("/readyz").status == 200, asker.ask("/readyz").body
            slowest_s = max(slowest_s, time.monotonic() - begun)
            counts = re.findall(r"^belfry_fires_total\{[^}]*\} (\d+)", asker.ask("/metrics").body,
                                re.MULTILINE)
            return sum(map(int, counts))

        wait_for(lambda: fired() == HERD, LOAD_S + 120, "all have fired", every_s=0.05)
        print(f"the slowest answer within {slowest_s * 1000:.0f} ms")
        daemon.terminate(deadline_s=30)


# --- a thread that hangs ----------------------------------------------------------------------

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # of ptrace(2)
WAIT_ALL = 0x40000000  # __WALL: threads, too


@contextmanager
def frozen(thread: int) -> Iterator[None]:
    """One thread of a child stands still, its process goes on."""
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def ptrace(what: int) -> None:
        assert library.ptrace(what, thread, None, None) == 0, os.strerror(ctypes.get_errno())

    ptrace(SEIZE)
    ptrace(INTERRUPT)
    os.waitpid(thread, WAIT_ALL)
    try:
        yield
    finally:
        ptrace(DETACH)


def thread_named(daemon: Belfryd, name: str) -> int:
    for task in Path(f"/proc/{daemon.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread is called {name}")


@limit(400)
def test_a_thread_that_hangs_makes_the_daemon_dead(kafka: Kafka, redis: Redis, cluster: str
                                                   ) -> None:
    env = {"BELFRY_HEALTH_SOCKET": f"@{cluster}", **STEADY}
    with Belfryd(kafka, redis, cluster, args=("--http", "127.0.0.1:0"), env=env) as daemon:
        daemon.wait_live()
        asker = Asker(daemon)
        for name, said in (("shard-2", "bad shard 2: "), ("belfryd", "bad daemon: "),
                           ("watchman", "bad watchman: ")):
            assert asker.ask("/livez").status == 200
            with frozen(thread_named(daemon, name)):
                dead = wait_for(lambda: (found := asker.ask("/livez")).status == 503 and found,
                                120, f"{name} hangs and nobody sees it", every_s=0.5)
                assert dead.body.startswith(f"bad\n{said}"), dead
                assert dead.body.count("\n") == 2, f"others are said to hang: {dead}"
                assert run("belfryd", "--healthcheck", env=env).returncode == 1
            wait_for(lambda: asker.ask("/livez").status == 200, 30, "alive again", every_s=0.5)
        wait_for(lambda: asker.ask("/readyz").status == 200, 120, "ready again", every_s=1)
        daemon.terminate(deadline_s=30)
