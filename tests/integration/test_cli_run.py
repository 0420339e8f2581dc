"""Runs by hand: tried again, said to have ended, asked to stop, brought back from the dead letters;
by a daemon and a worker."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

from cli_cluster import CliCluster
from harness import Kafka, Redis, wait_for
from programs import BUILD
from topics import read_all
from worker import Work, Worker

CLUSTER = "byhand"
GROUP = "hand"


class Cluster(CliCluster):
    """With what the workers do."""

    mended = threading.Event()  # from then on failing jobs do not fail any more
    stopped: list[tuple[str, str]] = []
    cursors: list[str | None] = []

    def handle(self, work: Work) -> dict[str, Any] | str:
        name = work.fire["jobid"]
        if name == "far":
            self.cursors.append(work.fire.get("cursor"))
            return {"report": "failure", "cursor": f"page {work.fire['try']}"}
        if name.startswith("long"):
            if not work.stop.wait(100):
                return "failure"
            self.stopped.append((name, work.reason))
            return "cancelled"
        return "success" if self.mended.is_set() else "failure"

    def add(self, name: str, *more: object, workers: str = "hands") -> None:
        self("add", f"{GROUP}/{name}", "--cron", "0 0 1 1 *", "--lease", "30s", "--workers",
             workers, *more, "--wait")
        self("trigger", f"{GROUP}/{name}", "--wait")

    def open_run(self, name: str, state: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [run for run in self.json("runs", f"{GROUP}/{name}") if run["state"] == state]
        return wait_for(found, 60, f"{name} is {state}")[0]

    def outcomes(self, name: str) -> list[str | None]:
        return [line.get("outcome") for line in self.json("history", f"{GROUP}/{name}")]

    def wait_gone(self, name: str) -> None:
        wait_for(lambda: self.json("runs", f"{GROUP}/{name}") == [], 60, f"{name} has no open run")


def setup(kafka: Kafka) -> Iterator[Cluster]:
    with Redis() as redis, Cluster(kafka, redis, CLUSTER) as cluster, \
            Worker(kafka.bootstrap, CLUSTER, "hands", cluster.handle, "worker-1"):
        yield cluster


def test_a_retry_is_brought_forward(shared: Cluster) -> None:
    shared.add("waits", "--retry-attempts", "2", "--retry-initial", "1h")
    run = shared.open_run("waits", "waiting")["run"]
    done = shared("run", "done", run, expect=1)
    assert "waits for its next one" in done.stderr, done.stderr
    shared("run", "retry", run)
    wait_for(lambda: shared.outcomes("waits") == ["failure", "failure"], 60, "the second try")
    shared.wait_gone("waits")


def test_each_try_gets_the_cursor_of_the_one_before(shared: Cluster) -> None:
    shared.add("far", "--retry-attempts", "3", "--retry-initial", "1s", "--retry-factor", "1")
    wait_for(lambda: len(shared.cursors) == 3, 60, "three tries")
    assert shared.cursors == [None, "page 1", "page 2"], shared.cursors


def test_a_working_run_is_said_to_be_done(shared: Cluster) -> None:
    shared.add("long-done")
    run = shared.open_run("long-done", "claimed")["run"]
    shared("run", "done", run, "--result", '{"rows":7}', "--actor", "ada", "--wait=30s")
    shared.wait_gone("long-done")
    assert shared.outcomes("long-done")[0] == "success"
    wait_for(lambda: [name for name, _ in shared.stopped if name == "long-done"], 60,
             "its worker is asked to stop")
    shared("run", "done", run, expect=3)
    shared("run", "done", run, "--result", "{", expect=2)
    wrong = shared("run", "retry", "no-run", "--job", f"{GROUP}/long-done", expect=2)
    assert '"no-run" is no id of a run' in wrong.stderr, wrong.stderr


def test_what_nobody_has_claimed_is_not_ended_by_the_way(shared: Cluster) -> None:
    shared.add("unclaimed", workers="nobody")
    run = shared.open_run("unclaimed", "open")["run"]
    done = shared("run", "fail", run, expect=1)
    assert "still delivered" in done.stderr, done.stderr
    shared("run", "fail", run, "--force", "--message", "never mind", "--wait=30s")
    shared.wait_gone("unclaimed")
    line, = shared.json("history", f"{GROUP}/unclaimed")
    assert line["outcome"] == "failure" and line["error"]["message"] == "never mind", line


def test_a_retry_that_was_not_answered_in_time_can_be_repeated(shared: Cluster) -> None:
    shared.mended.set()
    shared.add("again")
    wait_for(lambda: shared.outcomes("again") == ["success"], 60, "it has run")
    run, job = shared.json("history", f"{GROUP}/again")[0]["run"], f"{GROUP}/again"
    shared.daemon.sigstop()  # nobody answers
    late = shared("run", "retry", run, "--job", job, "--wait=100ms", expect=5)
    shared.daemon.sigcont()
    said = re.search(r"with --command-id (\S+) the same can be sent again", late.stderr)
    assert said is not None, late.stderr
    result = shared.json("run", "retry", run, "--job", job, "--command-id", said[1])
    assert result["outcome"] == "duplicate", result
    wait_for(lambda: shared.outcomes("again") == ["success", "success"], 60, "once more, not twice")
    shared.mended.clear()


def test_redis_lost_while_the_end_is_waited_for_is_said(shared: Cluster) -> None:
    shared.add("unseen", workers="nobody")
    run = shared.open_run("unseen", "open")["run"]
    shared.daemon.send(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(shared, "run", "fail", run, "--force", "--wait=100s", expect=6)
            wait_for(lambda: [record for record in read_all(shared.kafka.bootstrap,
                                                            f"{CLUSTER}.runs")
                              if b"by hand" in (record.value or b"")
                              and run.encode() in (record.value or b"")], 60, "its report")
            shared.redis.kill9()
            assert "the report is in Kafka; whether" in waiting.result(60).stderr
    finally:
        shared.redis.start()
        shared.daemon.send(signal.SIGCONT)
    shared.wait_gone("unseen")


def test_a_run_is_asked_to_stop(shared: Cluster) -> None:
    shared.add("long-stop")
    shared.open_run("long-stop", "claimed")
    shared("cancel", f"{GROUP}/long-stop", "--wait")
    shared.wait_gone("long-stop")
    assert shared.outcomes("long-stop") == ["cancelled"]


def test_a_failed_run_comes_back_once(shared: Cluster) -> None:
    shared.add("dead")
    letter = wait_for(lambda: shared("dead", "list", "--id", "dead", "-o", "name").stdout.split(),
                      60, "its dead letter")[0]
    run = shared.json("runs", "--failed", f"{GROUP}/dead")[0]["run"]
    shared.mended.set()
    shared("dead", "requeue", letter)
    wait_for(lambda: shared.outcomes("dead") == ["failure", "success"], 60, "it ran once more")
    first, second = shared.json("history", f"{GROUP}/dead")
    assert first["run"] == second["run"] == run and second["try"] == 1, (first, second)
    assert int(first["runnumber"]) < int(second["runnumber"])
    assert shared("dead", "list", "--id", "dead", "-o", "name").stdout == "", "it is dealt with"
    again = shared("dead", "requeue", letter, expect=3)
    assert "not dealt with" in again.stderr
    shared("run", "retry", run)
    wait_for(lambda: len(shared.outcomes("dead")) == 3, 60, "and by hand")
    shared.mended.clear()


def test_a_requeue_that_was_killed_is_given_again(shared: Cluster) -> None:
    names = [f"many{number}" for number in range(12)]
    before = shared("dead", "list", "-o", "name").stdout.split()
    for name in names:
        shared.add(name)

    def left() -> list[str]:
        return [place for place in shared("dead", "list", "-o", "name").stdout.split()
                if place not in before]

    places = wait_for(lambda: found if len(found := left()) == len(names) else None, 60, "letters")
    shared.mended.set()
    # Sent, and killed before it has acknowledged it.
    planned = shared("dead", "requeue", places[0], "--dry-run").stdout
    shared("requeue", "-f", "-", "--wait", stdin=planned)
    slow = subprocess.Popen(
        [BUILD / "belfry", "--kafka", shared.kafka.bootstrap, "--redis", shared.redis.url,
         "--cluster", CLUSTER, "dead", "requeue", *places, "--rate", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(left()) < len(names), 60, "it has begun")
    slow.kill()
    slow.wait()
    rest = left()
    assert 0 < len(rest) < len(names), "killed in the middle"
    done = shared("dead", "requeue", *rest)
    assert "on 1 shard\n" in done.stderr, done.stderr
    for name in names:
        wait_for(lambda: shared.outcomes(name) == ["failure", "success"], 60, f"{name}, once more")
    assert left() == []
    shared.mended.clear()
