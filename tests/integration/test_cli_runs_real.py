"""The command line beside real runs: what a daemon and workers have written by themselves."""

from __future__ import annotations

import threading
from typing import Any, Iterator

from cli_cluster import CliCluster
from harness import Kafka, Redis, wait_for
from worker import Work, Worker

CLUSTER = "clireal"
GROUP = "billing"


class Cluster(CliCluster):
    """With what the workers do, and when they may end."""

    go_on = threading.Event()

    def handle(self, work: Work) -> dict[str, Any] | str:
        if work.fire["jobid"] == "long":
            return "success" if self.go_on.wait(100) else "failure"
        if work.fire["try"] == 1:
            return {"report": "failure", "exit_code": 3, "output": "one\ntwo\n",
                    "error": {"code": "E1", "message": "no such table"}}
        return "success"

    def add(self, name: str, *more: object) -> None:
        self("add", f"{GROUP}/{name}", "--cron", "0 0 1 1 *", "--lease", "10s", "--workers",
             "hands", *more, "--wait")


def setup(kafka: Kafka) -> Iterator[Cluster]:
    with Redis() as redis, Cluster(kafka, redis, CLUSTER) as cluster, \
            Worker(kafka.bootstrap, CLUSTER, "hands", cluster.handle, "worker-1"):
        yield cluster
        cluster.go_on.set()


def test_a_retry_is_two_lines_of_the_history(shared: Cluster) -> None:
    shared.add("retried", "--retry-attempts", "2", "--retry-initial", "1s")
    shared("trigger", f"{GROUP}/retried", "--wait")

    def ends() -> list[Any]:
        return [line.get("outcome") for line in shared.json("history", f"{GROUP}/retried")]

    wait_for(lambda: ends() == ["failure", "success"], 60, "both tries have ended")
    first, second = shared.json("history", f"{GROUP}/retried")
    assert (first["run"], first["try"], second["try"]) == (second["run"], 1, 2), (first, second)
    assert int(first["runnumber"]) < int(second["runnumber"])
    assert first["exit_code"] == 3 and first["error"]["code"] == "E1", first
    assert first["worker"] == "worker-1" and second["claimed_at"] >= second["fired_at"], second
    told = shared("describe", f"{GROUP}/retried").stdout
    assert "Last runs" in told and "  one\n  two" in told, told


def test_a_run_that_failed_for_good_is_listed(shared: Cluster) -> None:
    shared.add("failed")
    shared("trigger", f"{GROUP}/failed", "--wait")
    wait_for(lambda: shared.json("runs", "--failed"), 60, "the run is a dead letter")
    run, = shared.json("runs", "--failed")
    assert (run["id"], run["outcome"]) == ("failed", "failure"), run
    line, = shared.json("history", f"{GROUP}/failed")
    assert line["failed"] and line["run"] == run["run"], (line, run)
    assert shared("runs", "--failed", f"{GROUP}/other", "-o", "name").stdout == ""


def test_an_open_run_is_seen_while_it_goes_on(shared: Cluster) -> None:
    shared.add("long", "--overlap", "skip")
    shared("trigger", f"{GROUP}/long", "--wait")
    wait_for(lambda: [run["state"] for run in shared.json("runs")] == ["claimed"], 60,
             "its claim is in Redis")
    run, = shared.json("runs", f"{GROUP}/long")
    assert run["worker"] == "worker-1" and run["kind"] == "trigger", run
    rows = [row for row in shared.json("workers") if row["state"] == "working"]
    assert [(row["worker"], row["id"]) for row in rows] == [("worker-1", "long")], rows
    assert shared.json("describe", f"{GROUP}/long")["open_runs"][0]["run"] == run["run"]
    assert shared.json("history", f"{GROUP}/long")[0]["open"], run
    shared("trigger", f"{GROUP}/long", "--wait", expect=None)
    shared.go_on.set()
    wait_for(lambda: not shared.json("runs"), 60, "it has ended")
    line, = shared.json("history", f"{GROUP}/long")
    assert line["outcome"] == "success" and "open" not in line, line
